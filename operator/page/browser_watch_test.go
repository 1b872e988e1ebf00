package page_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/operator/page"
	"snapshot-status-checker/operator/report"
)

// watched serves the pages of a run in a table of this process, beside which so many messages are kept.
type watched struct {
	db      memory.DB
	tables  store.Tables
	kept    atomic.Int64
	streams atomic.Int64 // that are open
	address string
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{tables: store.NewTables("status", "ledger")}
	w.row(1)
	source := page.Source{Stack: "test", Now: time.Now, Settings: report.Settings{StalledAfter: time.Hour},
		Store: store.New(&w.db, w.tables, store.Settings{}),
		Around: func(context.Context, string) (report.Around, error) {
			return report.Around{Kept: int(w.kept.Load())}, nil
		}}
	server := httptest.NewUnstartedServer(nil)
	pages, err := page.New(t.Context(), source, page.Options{Hosts: page.HostsOf(server.Listener.Addr(), nil),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	handler := pages.Handler()
	server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			w.streams.Add(1)
			defer w.streams.Add(-1)
		}
		handler.ServeHTTP(rw, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	w.address = server.URL
	return w
}

func (w *watched) row(files int) {
	w.db.Put(w.tables.Status.At("still", "db.core.a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(1000),
		"FilesReceived": int64(files)})
}

// open opens the run in a tab of its own.
func (w *watched) open(t *testing.T) *tab {
	t.Helper()
	b := newTab(t, w.address)
	b.open("/run?id=still")
	b.until("the run is shown", `document.querySelector("#findings article")`)
	b.must(b.evaluate(`window.sameDocument = true`))
	return b
}

// shows waits until a page says that so many messages are kept, without being loaded again.
func (b *tab) shows(kept string) {
	b.Helper()
	b.until(kept+" are kept", `window.sameDocument && document.querySelector("#findings").innerText.includes("`+kept+
		` messages in the rejected-messages queue")`)
}

const (
	live      = `document.querySelector("#live").innerText.startsWith("live, every ")`
	following = `(` + live + `) ? 1 : 0`
)

// What stands around a run is seen to change, and a page that is not seen holds nothing open.
func TestPageFollowsWhileItIsSeen(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	b := w.open(t)
	b.until("it is live", live)
	w.kept.Store(2)
	b.shows("2")
	if n := w.streams.Load(); n != 1 {
		t.Errorf("%d streams", n)
	}
	turn := func(state string) {
		b.must(b.evaluate(`Object.defineProperty(document, "visibilityState", {configurable: true, get: () => "` +
			state + `"}); document.dispatchEvent(new Event("visibilitychange"))`))
	}
	turn("hidden")
	w.until(t, 0)
	w.kept.Store(3)
	turn("visible")
	b.shows("3")
	w.until(t, 1)
	b.until("it is live again", live)
}

// until waits until so many streams are open.
func (w *watched) until(t *testing.T, streams int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); w.streams.Load() != streams; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams are open, want %d", w.streams.Load(), streams)
		}
	}
}

// However many windows of a browser show pages, all of them load, and are renewed; when one is closed, another follows.
func TestManyWindows(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	var windows []*tab
	for range 8 {
		windows = append(windows, w.open(t))
	}
	w.until(t, 4) // all are seen, as far as the browser knows
	w.kept.Store(2)
	for _, b := range windows {
		b.shows("2")
	}
	for i, b := range windows { // that follow; the others have to take their places
		if b.number(following) == 1 {
			b.open("/progress?id=still") // which follows nothing
			windows[i] = nil
		}
	}
	for _, b := range windows {
		if b != nil {
			b.until("it follows now", live)
		}
	}
}

// Whoever hears the page hears that it is live once, not each time that it is read.
func TestBadgeIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	b := w.open(t)
	b.until("it is live", live)
	b.must(b.evaluate(`window.testSaid = 0; window.testHeard = 0;
		new MutationObserver(() => window.testSaid++).observe(document.querySelector("[role=status]"), {childList: true, characterData: true, subtree: true});
		document.addEventListener("point", () => window.testHeard++)`))
	w.row(2)
	b.until("it was read several times", `window.testHeard >= 3`)
	if n := b.number(`window.testSaid`); n != 0 {
		t.Errorf("the badge was written %d times anew", n)
	}
}
