package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/report"
)

const live = `document.querySelector("#live").innerText.startsWith("live, every ")`

// servedPages are pages of the memory of this process, served to the browser.
type servedPages struct {
	testPages
	address  string
	streams  atomic.Int64 // open event streams
	rejected atomic.Int64 // messages in the rejected-messages queue
}

func servePages(t *testing.T, db *countingDB) *servedPages {
	t.Helper()
	s := &servedPages{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" {
			s.streams.Add(1)
			defer s.streams.Add(-1)
		}
		s.handler.ServeHTTP(w, r)
	}))
	source := newSource(db)
	source.Local = true // a change is noticed in two seconds
	source.Around = func(context.Context, string) (report.Evidence, error) {
		return report.Evidence{Rejected: int(s.rejected.Load())}, nil
	}
	s.testPages = newPages(t, source, Options{Hosts: HostsOf(server.Listener.Addr(), nil)})
	server.Start()
	t.Cleanup(server.Close)
	s.address = server.URL
	return s
}

// openRun opens the run in a new tab, and marks the document, to notice when it is loaded again.
func (s *servedPages) openRun() *tab {
	s.Helper()
	b := newTab(s.T, s.address)
	// what waits 10 seconds waits one
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `const wait = setTimeout; setTimeout = (run, ms) => wait(run, ms / 10)`})
	b.must(err)
	b.open(link("/run", "id", runID))
	b.until("the run is shown", `document.querySelector("#findings article")`)
	b.run(`window.sameDocument = true`)
	return b
}

func (s *servedPages) untilStreams(want int64) {
	s.Helper()
	localtest.Await(s.T, fmt.Sprint(want, " open streams"), func() bool { return s.streams.Load() == want })
}

// untilRejected waits until the same document shows so many rejected messages.
func (b *tab) untilRejected(n int) {
	b.Helper()
	b.until(fmt.Sprint(n, " rejected messages are shown"), fmt.Sprintf(`window.sameDocument &&
		document.querySelector("#findings").innerText.includes("%d messages in the rejected-messages queue")`, n))
}

// A screen reader reads the badge when it changes, not at each reading.
func TestPageUpdatesWhileVisible(t *testing.T) {
	t.Parallel()
	db := newDB(1)
	s := servePages(t, db)
	b := s.openRun()
	b.until("it is live", live)
	b.run(`window.written = 0; window.received = 0;
		new MutationObserver(() => window.written++).observe(document.querySelector("[role=status]"),
			{childList: true, characterData: true, subtree: true});
		document.addEventListener("point", () => window.received++)`)
	db.row(runID, collectionName(0), "Sent", 2)
	b.until("several updates were received", `window.received >= 3`)
	if n := evaluate[int](b, `window.written`); n != 0 {
		t.Errorf("the badge was written %d times again", n)
	}
	s.rejected.Store(2)
	b.untilRejected(2)
	s.untilStreams(1)
	turn := func(state string) {
		b.run(`Object.defineProperty(document, "visibilityState", {configurable: true, get: () => "` + state +
			`"}); document.dispatchEvent(new Event("visibilitychange"))`)
	}
	turn("hidden")
	s.untilStreams(0)
	s.rejected.Store(3)
	turn("visible")
	b.untilRejected(3)
	s.untilStreams(1)
	b.until("it is live again", live)
}

// Any number of windows is refreshed. When a live one is closed, another becomes live.
func TestFourWindowsAreLive(t *testing.T) {
	t.Parallel()
	s := servePages(t, newDB(1))
	var windows []*tab
	for range 6 {
		windows = append(windows, s.openRun())
	}
	s.untilStreams(4) // the browser takes all tabs for visible
	s.rejected.Store(2)
	for _, b := range windows {
		b.untilRejected(2)
	}
	var updated, waiting []*tab
	for _, b := range windows {
		if evaluate[bool](b, live) {
			updated = append(updated, b)
		} else {
			waiting = append(waiting, b)
		}
	}
	if len(updated) != 4 {
		t.Errorf("%d windows are live, want 4", len(updated))
	}
	for _, b := range updated {
		b.open(link("/progress", "id", runID)) // a page without updates
	}
	for _, b := range waiting {
		b.until("it is live now", live)
	}
}

// The browser holds a bounded number of elements. Updates work as in a small run.
func TestLargeRunIsUsableInABrowser(t *testing.T) {
	t.Parallel()
	const collections = 10_000
	db := newDB(collections)
	began := time.Now()
	b := servePages(t, db).openRun()
	b.until("it is live", live)
	elements := evaluate[int](b, `document.querySelectorAll("*").length`)
	t.Logf("%d collections: complete after %d ms in the browser, live after %s, %d elements", collections,
		evaluate[int](b, `Math.round(performance.getEntriesByType("navigation")[0].domComplete)`), time.Since(began),
		elements)
	if elements > 10_000 {
		t.Errorf("the page has %d elements", elements)
	}
	db.row(runID, collectionName(5000), "Unknown_Status", 1)
	b.untilText("#rows tbody tr", "Unknown_Status") // the most urgent comes first
}

func TestKeyboardReachesFilterAndCollections(t *testing.T) {
	t.Parallel()
	b := servePages(t, newDB(3)).openRun()
	b.until("it is live", live)
	b.press("/")
	b.until("a slash focuses the filter", `document.activeElement.name === "name"`)
	b.run(`document.querySelector(".heat a").focus()`)
	b.press(kb.ArrowRight + kb.ArrowRight)
	b.until("arrow keys move within the heat map",
		`document.activeElement.title.startsWith("db.core.collection-00002")`)
	b.press(kb.Enter)
	b.until("Enter opens the collection", `location.pathname === "/collection" &&
		document.querySelector("h1")?.innerText.startsWith("db.core.collection-00002")`)
}
