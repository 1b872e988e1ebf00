package page

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/operator/report"
)

// countingDB is a table that counts what is read of it.
type countingDB struct {
	*memory.DB
	queries, batches atomic.Int64
	mu               sync.Mutex
	queried          map[string]int // queries by partition
}

func (c *countingDB) Query(ctx context.Context, query table.Query) (table.Page, error) {
	c.queries.Add(1)
	c.mu.Lock()
	c.queried[query.Partition]++
	c.mu.Unlock()
	return c.DB.Query(ctx, query)
}

func (c *countingDB) queriesOf(partition string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queried[partition]
}

func (c *countingDB) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	c.batches.Add(1)
	return c.DB.GetMany(ctx, reads)
}

// row writes a row of 10 files sent.
func (c *countingDB) row(run, collection, status string, received int) {
	c.Put(tables.Status.At(run, collection), table.Item{"CollectionStatus": status, "FilesSent": int64(10),
		"FilesReceived": int64(received)})
}

var tables = store.NewTables("status", "ledger")

const runID = "run <1>&"

func collectionName(i int) string { return fmt.Sprintf("db.core.collection-%05d", i) }

// newDB holds a run of so many collections.
func newDB(collections int) *countingDB {
	db := &countingDB{DB: &memory.DB{}, queried: map[string]int{}}
	statuses := []string{"Sent", "Exporting", "Received", "Success", "Table_Unavailable"}
	for i := range collections {
		db.row(runID, collectionName(i), statuses[i%len(statuses)], i%10)
	}
	return db
}

func newSource(db table.DB) Source {
	return Source{Stack: "test", Now: time.Now, Settings: report.Settings{StalledAfter: time.Hour},
		Store:     store.New(db, tables, store.Settings{}),
		Reconcile: func(context.Context, []snapshot.CollectionKey) error { return nil }}
}

// testServer serves pages in this process.
type testServer struct {
	*httptest.Server
	*testing.T
	pages *Server
}

func newServer(t *testing.T, source Source, options Options) testServer {
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
	return testServer{server, t, pages}
}

// send sends a request, with a form if it is not nil, and follows no redirect.
func (s testServer) send(
	method, path string, form url.Values, change func(*http.Request),
) (status int, header http.Header, text string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(request)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// get returns a page.
func (s testServer) get(path string, pairs ...any) string {
	s.Helper()
	status, _, text := s.send("GET", link(path, pairs...), nil, nil)
	if status != http.StatusOK {
		s.Fatal(status, text)
	}
	return text
}

// The page of a run of 10,000 collections reads by pages and batches. Its size is bounded by the cells and one page of
// rows, its progress by a sample.
func TestLargeRunIsBounded(t *testing.T) {
	t.Parallel()
	const collections = 10_000
	db := newDB(collections)
	server := newServer(t, newSource(db), Options{})
	began := time.Now()
	text := server.get("/run", "id", runID)
	t.Logf("the page of %d collections: %d KB in %s, %d queries, %d batches", collections, len(text)/1024,
		time.Since(began), db.queries.Load(), db.batches.Load())
	if reads := db.queries.Load() + db.batches.Load(); reads > collections/table.MaxBatch+20 {
		t.Errorf("%d reads, want pages and batches of %d", reads, table.MaxBatch)
	}
	if rows := strings.Count(text, `<th scope="row">`); rows != rowsPerPage {
		t.Errorf("%d rows, want one page of %d", rows, rowsPerPage)
	}
	if elements := strings.Count(text, "<"); elements > 10_000 {
		t.Errorf("%d tags", elements)
	}
	for _, c := range []struct {
		query []any
		want  string
	}{
		{[]any{"waits_for", report.ForManualAction}, "2\u202f000 collections"},
		{[]any{"name", "collection-0999"}, "page 1 of 1, 10 collections"},
		{[]any{"status", "received", "page", 20}, "page 20 of 20"},
		{[]any{"sort", "name", "page", 100}, "collection-09999"},
	} {
		if !strings.Contains(server.get("/run", append(c.query, "id", runID)...), c.want) {
			t.Errorf("%v does not show %q", c.query, c.want)
		}
	}
	before := db.queries.Load()
	if text, want := server.get("/progress.json", "id", runID), `"sampled":200,"of":10000`; !strings.Contains(text,
		want) {
		t.Errorf("%s has no %s", text, want)
	}
	if queries := db.queries.Load() - before; queries > sampledCollections+100 {
		t.Errorf("%d queries for the progress", queries)
	}
}

func TestNamesFromOutsideAreEscaped(t *testing.T) {
	t.Parallel()
	db := newDB(1)
	db.row("<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "<b>Sent", 0)
	text := newServer(t, newSource(db), Options{}).get("/run", "id", "<script>alert(1)</script>")
	for _, harm := range []string{"<script>alert", "<img", "<b>Sent"} {
		if strings.Contains(text, harm) {
			t.Errorf("the page contains %s", harm)
		}
	}
	if !strings.Contains(text, "&lt;b&gt;Sent") {
		t.Error("the status is not shown")
	}
}

func TestPointsOfProgress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		moments     []int64
		received    int64
		exact       bool
		first, last point
	}{
		"all messages": {[]int64{100, 105, 100, 110}, 4, true, point{At: 99}, point{At: 110, Files: 4}},
		"a sample":     {[]int64{100, 200}, 50, false, point{At: 99}, point{At: 200, Files: 50}},
		"a long time":  {[]int64{0, 1_000_000}, 2, true, point{At: -1}, point{At: 1_000_000, Files: 2}},
	} {
		got := points(c.moments, c.received, c.exact)
		if first, last := got[0], got[len(got)-1]; first != c.first || last != c.last || len(got) > maxPoints+2 {
			t.Errorf("%s: %d points from %+v to %+v, want %+v to %+v", name, len(got), first, last, c.first, c.last)
		}
	}
	if none := points(nil, 0, true); len(none) != 0 {
		t.Errorf("%+v of no messages", none)
	}
}

func TestReconcileStartsWithWhatWaits(t *testing.T) {
	t.Parallel()
	db := newDB(0)
	for name, status := range map[string]string{"waits/a": "Sent", "waits/b": "Success", "waits/c": "Exporting",
		"done/a": "Success"} {
		run, collection, _ := strings.Cut(name, "/")
		db.row(run, collection, status, 0)
	}
	for name, c := range map[string]struct {
		run, collection string
		status          int
		reconciled      []string
		notice          string
	}{
		"a run that waits":         {"waits", "", 303, []string{"a", "c"}, "Reconciling 2 collections."},
		"one collection":           {"waits", "b", 303, []string{"b"}, "Reconciling 1 collection."},
		"a run that is done":       {"done", "", 303, nil, "Nothing to reconcile."},
		"a collection that exists": {"done", "a", 303, []string{"a"}, "Reconciling 1 collection."},
		"an unknown collection":    {"waits", "d", 404, nil, ""},
		"an unknown run":           {"none", "", 404, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var reconciled []string
			source := newSource(db)
			source.Reconcile = func(_ context.Context, keys []snapshot.CollectionKey) error {
				for _, key := range keys {
					reconciled = append(reconciled, key.CollectionName)
				}
				return nil
			}
			server := newServer(t, source, Options{AllowWrites: true})
			status, header, _ := server.send("POST", "/reconcile", url.Values{"run": {c.run},
				"collection": {c.collection}}, nil)
			slices.Sort(reconciled)
			target, err := url.Parse(header.Get("Location"))
			if diff := cmp.Diff(c.reconciled, reconciled); diff != "" || status != c.status || err != nil ||
				target.Query().Get("notice") != c.notice {
				t.Errorf("%s; %d, %s", diff, status, target)
			}
		})
	}
}

// Malformed runs do not hide the others.
func TestMalformedRunsAreNamed(t *testing.T) {
	t.Parallel()
	db := newDB(1)
	for run, registered := range map[string]any{runID: int64(1000), "half": int64(1000), "broken": "yesterday"} {
		db.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": registered})
	}
	db.row("half", "db.a", "Sent", 1)
	db.Put(tables.Ledger.At("collection#half#db.a", "collection"), table.Item{"Counted": "many"})
	status, _, text := newServer(t, newSource(db), Options{}).send(http.MethodGet, "/", nil, nil)
	for _, want := range []string{"run &lt;1&gt;&amp;", "Some runs cannot be read: ", "RegisteredAt", "half"} {
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("status %d, without %q:\n%s", status, want, text)
		}
	}
}
