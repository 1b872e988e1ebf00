package page

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// The page suggests commands that act on the deployment that it shows.
func TestThePageSuggestsTheCommandsOfItsDeployment(t *testing.T) {
	t.Parallel()
	source := Source{Command: "snapshot-status --stack=x-prod", Now: time.Now,
		Settings: report.Settings{StalledAfter: time.Hour},
		Store:    store.New(newDB(5), tables, store.Settings{})}
	server := serving(t, source, Options{})
	run := url.QueryEscape("run <1>&")
	for _, path := range []string{"/run?id=" + run, "/collection?name=db.core.collection-00000&run=" + run} {
		_, _, text := ask(t, server, "GET", path, nil)
		commands := strings.Count(text, "<code>snapshot-status ")
		if commands == 0 || commands != strings.Count(text, "<code>snapshot-status --stack=x-prod ") {
			t.Errorf("%s suggests %d commands, not all of them with --stack:\n%s", path, commands, text)
		}
	}
}

// Whatever a run and a collection are called, what the page suggests about them arrives when it is pasted; odd statuses
// are quoted.
func TestThePagesSuggestionsArrive(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if id == "" {
			continue // no key is
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(0)
			for i, status := range []string{"Sent", "Sent ", "Exported", "Blocked_Topic", "Export_Failed"} {
				db.Put(tables.Status.At(id, id+strings.Repeat("x", i)), table.Item{"CollectionStatus": status,
					"FilesSent": int64(2), "FilesReceived": int64(1)})
			}
			around := func(context.Context, string) (report.Around, error) {
				return report.Around{Waiting: 1, Kept: 1, Failed: []report.Failure{{At: time.Now()}}}, nil
			}
			server := serving(t, Source{Now: time.Now, Store: store.New(db, tables, store.Settings{}), Around: around},
				Options{})
			_, _, run := ask(t, server, "GET", link("/run", "id", id), nil)
			_, _, collection := ask(t, server, "GET", link("/collection", "run", id, "name", id), nil)
			calls := operatortest.Pasted(t, append(suggested(run), suggested(collection)...)...)
			if len(calls) < 5 {
				t.Errorf("only %d suggestions: %q", len(calls), calls)
			}
			for _, arguments := range calls {
				if !operatortest.Names(arguments, id) {
					t.Errorf("not about run %q: %q", id, arguments)
				}
			}
			if !strings.Contains(run, "<td>&#34;Sent &#34;</td>") ||
				!strings.Contains(run, `<option value="&#34;Sent &#34;">`) ||
				!strings.Contains(run, "next export: status Export_Failed") {
				t.Errorf("of odd statuses: %s", run)
			}
			if _, _, only := ask(t, server, "GET", link("/run", "id", id, "status", `"Sent "`),
				nil); strings.Count(only, "<tr><th") != 2 {
				t.Errorf("%d rows are in the odd status, want 1", strings.Count(only, "<tr><th")-1)
			}
		})
	}
}

// suggested are the commands on a page.
func suggested(page string) (commands []string) {
	for _, code := range regexp.MustCompile(`(?s)<code>(.*?)</code>`).FindAllStringSubmatch(page, -1) {
		text := html.UnescapeString(code[1])
		if at := strings.Index(text, "snapshot-status "); at >= 0 {
			commands = append(commands, text[at:])
		}
	}
	return commands
}

// What is not UTF-8 would name something else in the tables.
func TestValuesThatAreNoText(t *testing.T) {
	t.Parallel()
	server := served(t, newDB(1), Options{AllowWrites: true})
	for _, path := range []string{"/run?id=caf%e9", "/collection?run=%ff&name=x"} {
		if status, _, text := ask(t, server, "GET", path, nil); status != http.StatusBadRequest ||
			!strings.Contains(text, "not UTF-8") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	response, err := http.PostForm(server.URL+"/look", url.Values{"run": {"caf\xe9"}})
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusBadRequest {
		t.Error(response.Status)
	}
}
