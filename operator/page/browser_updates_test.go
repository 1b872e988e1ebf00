package page

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"snapshot-status-checker/operator/report"
)

// servedRun is a run in the memory of this process, served to the browser.
type servedRun struct {
	testServer
	db       *countingDB
	rejected atomic.Int64 // messages in the rejected-messages queue
}

func serveRun(t *testing.T) *servedRun {
	t.Helper()
	r := &servedRun{db: newDB(0)}
	r.db.row("still", "db.core.a", "Sent", 1)
	source := newSource(r.db)
	source.Around = func(context.Context, string) (report.Evidence, error) {
		return report.Evidence{Rejected: int(r.rejected.Load())}, nil
	}
	r.testServer = newServer(t, source, Options{})
	return r
}

// streams is the number of open event streams.
func (r *servedRun) streams() (n int) {
	hub := r.pages.hub
	hub.mu.Lock()
	defer hub.mu.Unlock()
	for _, poller := range hub.pollers {
		n += poller.viewers
	}
	return n
}

func (r *servedRun) untilStreams(want int) {
	r.Helper()
	for deadline := time.Now().Add(10 * time.Minute); r.streams() != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("%d streams are open, want %d", r.streams(), want)
		}
	}
}

// open opens the run in a new tab, and marks the document, to notice when it is loaded again.
func (r *servedRun) open() *tab {
	r.Helper()
	b := newTab(r.T, r.URL)
	b.open("/run?id=still")
	b.until("the run is shown", `document.querySelector("#findings article")`)
	b.run(`window.sameDocument = true`)
	return b
}

// untilRejected waits until the same document shows so many rejected messages.
func (b *tab) untilRejected(n int) {
	b.Helper()
	b.until(fmt.Sprint(n, " rejected messages are shown"), fmt.Sprintf(`window.sameDocument &&
		document.querySelector("#findings").innerText.includes("%d messages in the rejected-messages queue")`, n))
}

const live = `document.querySelector("#live").innerText.startsWith("live, every ")`

func TestPageUpdatesWhileVisible(t *testing.T) {
	t.Parallel()
	r := serveRun(t)
	b := r.open()
	b.until("it is live", live)
	r.rejected.Store(2)
	b.untilRejected(2)
	if n := r.streams(); n != 1 {
		t.Errorf("%d streams, want 1", n)
	}
	turn := func(state string) {
		b.run(`Object.defineProperty(document, "visibilityState", {configurable: true, get: () => "` + state +
			`"}); document.dispatchEvent(new Event("visibilitychange"))`)
	}
	turn("hidden")
	r.untilStreams(0)
	r.rejected.Store(3)
	turn("visible")
	b.untilRejected(3)
	r.untilStreams(1)
	b.until("it is live again", live)
}

// Any number of windows is refreshed. When a live one is closed, another becomes live.
func TestFourWindowsAreLive(t *testing.T) {
	t.Parallel()
	r := serveRun(t)
	var windows []*tab
	for range 8 {
		windows = append(windows, r.open())
	}
	r.untilStreams(4) // the browser takes all tabs for visible
	r.rejected.Store(2)
	for _, b := range windows {
		b.untilRejected(2)
	}
	for i, b := range windows {
		if b.number(`(`+live+`) ? 1 : 0`) == 1 {
			b.open("/progress?id=still") // a page without updates
			windows[i] = nil
		}
	}
	for _, b := range windows {
		if b != nil {
			b.until("it is live now", live)
		}
	}
}

// A screen reader reads the badge when it changes, not at each reading.
func TestBadgeIsWrittenOnce(t *testing.T) {
	t.Parallel()
	r := serveRun(t)
	b := r.open()
	b.until("it is live", live)
	b.run(`window.written = 0; window.received = 0;
		new MutationObserver(() => window.written++).observe(document.querySelector("[role=status]"),
			{childList: true, characterData: true, subtree: true});
		document.addEventListener("point", () => window.received++)`)
	r.db.row("still", "db.core.a", "Sent", 2)
	b.until("several updates were received", `window.received >= 3`)
	if n := b.number(`window.written`); n != 0 {
		t.Errorf("the badge was written %d times again", n)
	}
}
