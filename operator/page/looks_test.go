package page

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// A look is one at the named collection or at all that wait, and none if nothing does.
func TestLookAgain(t *testing.T) {
	t.Parallel()
	db := &memory.DB{}
	for name, status := range map[string]string{"waits/a": "Sent", "waits/b": "Success", "waits/c": "Exporting",
		"rests/a": "Success"} {
		run, collection, _ := strings.Cut(name, "/")
		db.Put(tables.Status.At(run, collection), table.Item{"CollectionStatus": status, "FilesSent": int64(1)})
	}
	for name, c := range map[string]struct {
		run, collection string
		status          int
		looked          []string
	}{
		"all that wait":   {"waits", "", 303, []string{"a", "c"}},
		"one":             {"waits", "b", 303, []string{"b"}},
		"nothing waits":   {"rests", "", 303, nil},
		"no such one":     {"waits", "d", 404, nil},
		"no such run":     {"none", "", 404, nil},
		"one of no waits": {"rests", "a", 303, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var looked []string
			source := Source{Now: time.Now, Store: store.New(db, tables, store.Settings{}),
				Reconcile: func(_ context.Context, keys []snapshot.CollectionKey) error {
					for _, key := range keys {
						looked = append(looked, key.CollectionName)
					}
					return nil
				}}
			server := serving(t, source, Options{AllowWrites: true})
			form := url.Values{"run": {c.run}, "collection": {c.collection}}
			client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			}}
			response, err := client.PostForm(server.URL+"/look", form)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			slices.Sort(looked)
			nothing := strings.Contains(response.Header.Get("Location"), "Nothing")
			if diff := cmp.Diff(c.looked, looked); diff != "" || response.StatusCode != c.status ||
				nothing != (c.status == 303 && looked == nil) {
				t.Errorf("%s; %s, %s", diff, response.Status, response.Header.Get("Location"))
			}
		})
	}
}
