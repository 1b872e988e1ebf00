package page

import (
	"context"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// The page of a run of 10,000 collections reads by pages and batches. Its size is bounded by the cells and one page of
// rows, its progress by a sample.
func TestLargeRunIsBounded(t *testing.T) {
	t.Parallel()
	const collections = 10_000
	db := newDB(collections)
	pages := newPages(t, newSource(db), Options{})
	text := pages.get("/run", "id", runID)
	t.Logf("the page of %d collections: %d KB, %d calls", collections, len(text)/1024, db.calls)
	if limit := collections/table.MaxBatch + 20; db.calls > limit {
		t.Errorf("%d calls, want %d at most: pages and batches of %d", db.calls, limit, table.MaxBatch)
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
		if !strings.Contains(pages.get("/run", append(c.query, "id", runID)...), c.want) {
			t.Errorf("%v does not show %q", c.query, c.want)
		}
	}
	before := db.calls
	pages.want(pages.get("/progress.json", "id", runID), `"sampled":200,"of":10000`)
	if calls := db.calls - before; calls > sampledCollections+100 {
		t.Errorf("%d calls for the progress", calls)
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

func TestNamesFromOutsideAreEscaped(t *testing.T) {
	t.Parallel()
	db := newDB(0)
	db.row("<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "<b>Sent", 0)
	pages := newPages(t, newSource(db), Options{})
	text := pages.get("/run", "id", "<script>alert(1)</script>")
	for _, harm := range []string{"<script>alert", "<img", "<b>Sent"} {
		if strings.Contains(text, harm) {
			t.Errorf("the page contains %s", harm)
		}
	}
	pages.want(text, "&lt;b&gt;Sent")
}

// Malformed runs do not hide the others, also if they become so while the others are read.
func TestMalformedRunsAreNamed(t *testing.T) {
	t.Parallel()
	db := newDB(1)
	db.register(runID, time.Now())
	db.register("half", time.Now())
	spoil := func(run string) {
		db.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": "yesterday"})
	}
	spoil("broken")
	db.register("spoiled", time.Now())
	db.row("half", "db.a", "Sent", 1)
	db.Put(tables.Ledger.At("collection#half#db.a", "collection"), table.Item{"Counted": "many"})
	source := newSource(db)
	source.Now = func() time.Time { spoil("spoiled"); return time.Now() }
	pages := newPages(t, source, Options{})
	page := pages.get("/")
	if rows := strings.Count(page, `<th scope="row">`); rows != 2 {
		t.Errorf("%d runs are listed, want 2", rows)
	}
	pages.want(page, "run &lt;1&gt;&amp;", "Some runs cannot be read: ", "RegisteredAt", "half", "spoiled")
}

// Suggested commands act on the page's deployment when they are pasted, with any id. Unknown statuses are quoted.
func TestSuggestedCommandsCanBePasted(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		if id == "" {
			continue // no key is empty
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(0)
			for i, status := range []string{"Sent", "Sent ", "Exported", "Blocked_Topic", "Export_Failed"} {
				db.row(id, id+strings.Repeat("x", i), status, 1)
			}
			source := newSource(db)
			source.Command = "snapshot-status --stack=x-prod"
			source.Around = func(context.Context, string) (report.Evidence, error) {
				return report.Evidence{Waiting: 1, Rejected: 1, Failed: []report.Failure{{At: time.Now()}}}, nil
			}
			pages := newPages(t, source, Options{})
			run, collection := pages.get("/run", "id", id), pages.get("/collection", "run", id, "name", id)
			calls := operatortest.Pasted(t, append(suggestions(run), suggestions(collection)...)...)
			if len(calls) < 5 {
				t.Errorf("only %d suggestions: %q", len(calls), calls)
			}
			for _, arguments := range calls {
				if arguments[0] != "--stack=x-prod" || !operatortest.Names(arguments, id) {
					t.Errorf("not about the stack, or run %q: %q", id, arguments)
				}
			}
			pages.want(run, "<td>&#34;Sent &#34;</td>", `<option value="&#34;Sent &#34;">`, "status Export_Failed")
			only := pages.get("/run", "id", id, "status", `"Sent "`)
			if rows := strings.Count(only, "<tr><th") - 1; rows != 1 {
				t.Errorf("%d rows have the unknown status, want 1", rows)
			}
		})
	}
}

// suggestions returns the commands on a page.
func suggestions(page string) (commands []string) {
	for _, code := range regexp.MustCompile(`(?s)<code>(.*?)</code>`).FindAllStringSubmatch(page, -1) {
		text := html.UnescapeString(code[1])
		if at := strings.Index(text, "snapshot-status "); at >= 0 {
			commands = append(commands, text[at:])
		}
	}
	return commands
}
