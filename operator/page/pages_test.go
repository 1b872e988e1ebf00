package page

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/operator/report"
)

// counted counts what is read of a table.
type counted struct {
	*memory.DB
	queries, batches atomic.Int64
	mu               sync.Mutex
	queried          map[string]int // queries by partition
}

func (c *counted) Query(ctx context.Context, query table.Query) (table.Page, error) {
	c.queries.Add(1)
	c.mu.Lock()
	c.queried[query.Partition]++
	c.mu.Unlock()
	return c.DB.Query(ctx, query)
}

func (c *counted) queriesOf(partition string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queried[partition]
}

func (c *counted) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	c.batches.Add(1)
	return c.DB.GetMany(ctx, reads)
}

var tables = store.NewTables("status", "ledger")

// newDB holds a run of so many collections.
func newDB(collections int) *counted {
	db := &counted{DB: &memory.DB{}, queried: map[string]int{}}
	statuses := []string{"Sent", "Exporting", "Received", "Success", "Table_Unavailable"}
	for i := range collections {
		db.Put(tables.Status.At("run <1>&", fmt.Sprintf("db.core.collection-%05d", i)), table.Item{
			"CollectionStatus": statuses[i%len(statuses)], "FilesSent": int64(10), "FilesReceived": int64(i % 10)})
	}
	return db
}

// served serves pages over a table.
func served(t *testing.T, db table.DB, options Options) *httptest.Server {
	t.Helper()
	source := Source{Stack: "test", Now: time.Now, Settings: report.Settings{StalledAfter: time.Hour},
		Store:     store.New(db, tables, store.Settings{}),
		Reconcile: func(context.Context, []snapshot.CollectionKey) error { return nil }}
	return serving(t, source, options)
}

// serving serves pages of a source.
func serving(t *testing.T, source Source, options Options) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	options.Log, options.Hosts = slog.New(slog.NewTextHandler(t.Output(), nil)), HostsOf(server.Listener.Addr(), nil)
	pages, err := New(t.Context(), source, options)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = pages.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// ask sends a request and returns its answer.
func ask(
	t *testing.T, server *httptest.Server, method, path string, change func(*http.Request),
) (int, http.Header, string) {
	t.Helper()
	var form io.Reader
	if method == http.MethodPost {
		form = strings.NewReader(url.Values{"run": {"run <1>&"}}.Encode())
	}
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, form)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(request)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	showing, writing := served(t, newDB(3), Options{}), served(t, newDB(3), Options{AllowWrites: true})
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	fetch := func(site, mode, into string) func(*http.Request) {
		return func(r *http.Request) {
			header("Sec-Fetch-Site", site)(r)
			header("Sec-Fetch-Mode", mode)(r)
			header("Sec-Fetch-Dest", into)(r)
		}
	}
	tests := []struct {
		name         string
		server       *httptest.Server
		method, path string
		change       func(*http.Request)
		want         int
	}{
		{"APage", showing, "GET", "/", nil, 200},
		{"UnderAnotherName", showing, "GET", "/", func(r *http.Request) { r.Host = "evil.example:80" }, 421},
		{"UnderLocalhostOfAnotherPort", showing, "GET", "/", func(r *http.Request) { r.Host = "localhost:1" }, 421},
		{"AssetUnderAnotherName", showing, "GET", "/assets/page.js", func(r *http.Request) { r.Host = "evil.example" },
			421},
		{"WriteThatIsNotAllowed", showing, "POST", "/look", nil, 403},
		{"Write", writing, "POST", "/look", nil, 303},
		{"WriteOfAnotherSite", writing, "POST", "/look", header("Origin", "https://evil.example"), 403},
		{"WriteOfAnotherSiteByTheBrowsersWord", writing, "POST", "/look", header("Sec-Fetch-Site", "cross-site"), 403},
		{"LinkOfAnotherSite", showing, "GET", "/", fetch("cross-site", "navigate", "document"), 200},
		{"TypedByHand", showing, "GET", "/", fetch("none", "navigate", "document"), 200},
		{"OurOwnScript", showing, "GET", "/", fetch("same-origin", "cors", "empty"), 200},
		{"ImageOfAnotherSite", showing, "GET", "/", fetch("cross-site", "no-cors", "image"), 403},
		{"FrameOfAnotherSite", showing, "GET", "/", fetch("cross-site", "navigate", "iframe"), 403},
		{"ScriptOfAnotherPort", showing, "GET", "/", fetch("same-site", "cors", "empty"), 403},
		{"WriteByALink", writing, "GET", "/look", nil, 405},
		{"NoSuchRun", showing, "GET", "/run?id=none", nil, 404},
		{"NoSuchCollection", showing, "GET", "/collection?run=run+%3C1%3E%26&name=none", nil, 404},
		{"NoStateMachine", showing, "GET", "/execution?id=x", nil, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, got, text := ask(t, test.server, test.method, test.path, test.change)
			if status != test.want {
				t.Errorf("%d, want %d: %s", status, test.want, text)
			}
			if policy := got.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") ||
				strings.Contains(policy, "unsafe") {
				t.Errorf("policy %q", policy)
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Referrer-Policy": "no-referrer"} {
				if got.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, got.Get(name), want)
				}
			}
		})
	}
}

// A page of a run of 10,000 collections reads by pages and batches, and is no larger than its cells and one page of
// rows.
func TestLargeRun(t *testing.T) {
	t.Parallel()
	const collections = 10_000
	db := newDB(collections)
	server := served(t, db, Options{})
	began := time.Now()
	status, _, text := ask(t, server, "GET", "/run?id="+url.QueryEscape("run <1>&"), nil)
	t.Logf("the page of %d collections: %d KB in %s, %d queries, %d batches", collections, len(text)/1024,
		time.Since(began), db.queries.Load(), db.batches.Load())
	if status != 200 {
		t.Fatal(status, text)
	}
	if reads := db.queries.Load() + db.batches.Load(); reads > collections/table.MaxBatch+20 {
		t.Errorf("%d reads, want pages and batches of %d", reads, table.MaxBatch)
	}
	if rows := strings.Count(text, `<th scope="row">`); rows != pageSize {
		t.Errorf("%d rows, want one page of %d", rows, pageSize)
	}
	if elements := strings.Count(text, "<"); elements > 10_000 {
		t.Errorf("%d tags", elements)
	}
	for query, want := range map[string]string{"&waits=manual+action": "2\u202f000 collections",
		"&q=collection-0999":       "page 1 of 1, 10 collections",
		"&status=received&page=20": "page 20 of 20", "&sort=name&page=100": "collection-09999"} {
		if _, _, text := ask(t, server, "GET", "/run?id="+url.QueryEscape("run <1>&")+query,
			nil); !strings.Contains(text, want) {
			t.Errorf("%s does not show %q", query, want)
		}
	}
}

// Its progress is read of a sample.
func TestProgressOfALargeRunIsSampled(t *testing.T) {
	t.Parallel()
	db := newDB(3000)
	server := served(t, db, Options{})
	_, _, text := ask(t, server, "GET", "/progress.json?id="+url.QueryEscape("run <1>&"), nil)
	if want := `"sampled":200,"of":3000`; !strings.Contains(text, want) {
		t.Errorf("%s has no %s", text, want)
	}
	if queries := db.queries.Load(); queries > sampledCollections+20 {
		t.Errorf("%d queries", queries)
	}
}

// What comes from outside is text: names are written so that a browser does not take them for more.
func TestNamesAreText(t *testing.T) {
	t.Parallel()
	db := newDB(1)
	db.Put(tables.Status.At("<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`),
		table.Item{"CollectionStatus": "<b>Sent"})
	server := served(t, db, Options{})
	_, _, text := ask(t, server, "GET", "/run?id="+url.QueryEscape("<script>alert(1)</script>"), nil)
	for _, harm := range []string{"<script>alert", "<img", "<b>Sent"} {
		if strings.Contains(text, harm) {
			t.Errorf("the page holds %s", harm)
		}
	}
	if !strings.Contains(text, "&lt;b&gt;Sent") {
		t.Error("the status is not shown")
	}
}

func TestPoints(t *testing.T) {
	t.Parallel()
	got := points([]int64{100, 105, 100, 110}, 4, true)
	if first, last := got[0], got[len(got)-1]; first != (point{At: 99}) || last != (point{At: 110, Files: 4}) {
		t.Errorf("from %+v to %+v, want from none at 99 to 4 at 110", first, last)
	}
	if scaled := points([]int64{100, 200}, 50, false); scaled[len(scaled)-1].Files != 50 {
		t.Errorf("%+v, want 50 in the end", scaled)
	}
	if many := points([]int64{0, 1_000_000}, 2, true); len(many) > mostPoints+2 {
		t.Errorf("%d points", len(many))
	}
	if none := points(nil, 0, true); len(none) != 0 {
		t.Errorf("%+v of nothing", none)
	}
}
