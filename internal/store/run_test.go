package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/memory"
)

// runWith is a run with rows c0, c1, … of these statuses. Its first message was one of c0.
func (ts *testStore) runWith(statuses string) {
	ts.Helper()
	ts.register("c0")
	ts.rows(statuses)
}

func (ts *testStore) rows(statuses string) {
	ts.Helper()
	for i, status := range strings.Fields(statuses) {
		ts.row(fmt.Sprint("c", i), status, 0)
	}
}

// Registering sets the hints to the first message's collection. Repeating it changes neither hints nor run.
func TestRegisterRun(t *testing.T) {
	for status, want := range map[string][2]string{"Sent": {"a", "a"}, "Received": {"", "a"}, "SUCCESS": {"", ""},
		"Blocked_Topic": {"", ""}} {
		t.Run(status, func(t *testing.T) {
			ts := newStore(t)
			ts.configure(store.Settings{Exempt: []snapshot.Status{"Blocked_Topic"}})
			row := snapshot.Row{CollectionKey: key("a"), Status: snapshot.Status(status)}
			ts.ok(ts.store.RegisterRun(t.Context(), row, export))
			first := ts.theRun()
			if got := [2]string{first.Hints[snapshot.AllReceived].Collection,
				first.Hints[snapshot.AllSuccessful].Collection}; got != want {
				t.Errorf("hints %q, want %q", got, want)
			}
			if first.CorrelationID != run || first.Export != export || !first.RegisteredAt.Equal(ts.now) {
				t.Errorf("got %+v", first)
			}
			ts.pass(time.Hour)
			row = snapshot.Row{CollectionKey: key("b"), Status: "Exporting"}
			ts.ok(ts.store.RegisterRun(t.Context(), row, snapshot.Export{SnapshotType: "incremental"}))
			if diff := cmp.Diff(first, ts.theRun()); diff != "" {
				t.Errorf("registered again: %s", diff)
			}
		})
	}
}

// The result and the reads for each state of the hint. The run has c0 to c3; c1 is checked.
func TestHint(t *testing.T) {
	hint := func(collection, by string) snapshot.Hint { return snapshot.Hint{Collection: collection, By: by} }
	const notified, due = "notified", ""
	for name, c := range map[string]struct {
		statuses    string
		hint        snapshot.Hint
		moved       bool
		gets, pages int    // readings: of the run and of single rows, of pages of rows
		want        string // the blocker after it
	}{
		"notified": {"Received Received Received Received", snapshot.Hint{Notified: true},
			true, 1, 0, notified},
		"another blocks, we moved":           {"Sent Received Received Received", hint("c0", "x"), true, 1, 0, "c0"},
		"another was done, we moved":         {"Received Received Received Sent", hint("c0", "x"), true, 1, 0, "c0"},
		"another blocks, we moved nothing":   {"Sent Received Received Received", hint("c0", "x"), false, 2, 0, "c0"},
		"another is done, we moved nothing":  {"Received Received Received Sent", hint("c0", "x"), false, 3, 1, "c3"},
		"another is gone, we moved nothing":  {"Received Received Received Sent", hint("b", "x"), false, 3, 1, "c3"},
		"our own, and a later one blocks":    {"Received Received Received Sent", hint("c1", "x"), true, 2, 1, "c3"},
		"our own, and an earlier one blocks": {"Sent Received Received Received", hint("c1", "x"), true, 2, 2, "c0"},
		"our own, and all are done":          {"Received Received Received Received", hint("c1", "x"), true, 1, 2, due},
		"set by us, to one that is done":     {"Received Received Received Sent", hint("c0", "me"), true, 2, 1, "c3"},
		"set by us, to one that blocks":      {"Sent Received Received Received", hint("c0", "me"), true, 2, 1, "c0"},
		"unknown":                            {"Received Received Sent Received", snapshot.Hint{}, true, 2, 1, "c2"},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newTestStore(t, &memory.DB{}, store.NewTables("status", "ledger"))
			ts.runWith(c.statuses)
			ts.rows(c.statuses) // so that a reading that is not consistent sees them too
			ts.setHint(snapshot.AllReceived, c.hint)
			clear(ts.calls)
			checked, err := ts.store.Check(t.Context(), key("c1"), "me", c.moved, allReceived)
			ts.ok(err)
			if ts.calls["Get"] != c.gets || ts.calls["Query"] != c.pages {
				t.Errorf("%d items and %d pages were read, want %d and %d", ts.calls["Get"], ts.calls["Query"], c.gets,
					c.pages)
			}
			hint := ts.hint(snapshot.AllReceived)
			switch {
			case (len(checked.Pending) > 0) != (c.want == due):
				t.Errorf("pending: %+v", checked.Pending)
			case c.want == notified && !hint.Notified, c.want != notified && c.want != due && hint.Collection != c.want:
				t.Errorf("the hint is %+v, want %q", hint, c.want)
			case c.want != notified && checked.Blocker != c.want:
				t.Errorf("blocked by %q, want %q", checked.Blocker, c.want)
			}
		})
	}
}

// Another check changes the hint after it was read: it is not overwritten.
func TestTheHintMovesMeanwhile(t *testing.T) {
	ts := newStore(t)
	ts.runWith("Received Sent Received Sent")
	ts.meanwhile(ts.updates("run"),
		func() { ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c3", By: "other"}) })
	if checked := ts.check("c0", "me", allReceived); checked.Blocker != "c3" ||
		ts.hint(snapshot.AllReceived).Collection != "c3" {
		t.Errorf("got %+v, hint %+v", checked, ts.hint(snapshot.AllReceived))
	}
}

// The only blocker is on the last page.
func TestCheckReadsEveryPage(t *testing.T) {
	ts := newStore(t)
	ts.runWith(strings.Repeat("Received ", 40))
	ts.row("last", "Sent", 0)
	if checked := ts.check("c0", "me", allReceived); checked.Blocker != "last" || ts.calls["Query"] < 2 {
		t.Errorf("got %+v after %d pages", checked, ts.calls["Query"])
	}
	ts.wantSent()
	ts.row("last", "Received", 0)
	ts.check("last", "me", allReceived)
	ts.wantSent(notification(snapshot.AllReceived, 0))
}

// A malformed row blocks its run with an error, unless another row of its page blocks it.
func TestCheckOfAMalformedRow(t *testing.T) {
	ts := newTestStore(t, &memory.DB{}, store.NewTables("status", "ledger"))
	ts.runWith("Received Received Sent")
	ts.overwrite("c1", map[string]any{"FilesSent": "two"})
	if checked := ts.check("c0", "me", allReceived); checked.Blocker != "c2" {
		t.Errorf("got %+v, want c2 to block", checked)
	}
	ts.row("c2", "Received", 0)
	ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c0"})
	_, err := ts.tryCheck("c0", "me", true, allReceived)
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"c1"`) {
		t.Errorf("got %v, want an error that names the row", err)
	}
	ts.wantSent()
}

// An enqueued notification is delivered even if a row has gone back meanwhile.
func TestAnEnqueuedNotificationIsDeliveredAfterARowWentBack(t *testing.T) {
	ts := newStore(t)
	ts.runWith("Success Success")
	ts.pending("c0", "me", both)
	ts.row("c1", "Received", 0)
	ts.check("c0", "me", both)
	ts.wantSent(bothOf(0)...)
}

// A run without rows notifies nothing, nor does one without messages.
func TestNothingToNotify(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Success", 1)
	ts.check("a", "me", both) // the run is not registered
	ts.register("a")
	ts.remove("a")
	ts.check("a", "me", both)
	ts.execute("a", "removal")
	ts.sweep()
	ts.wantSent()
}
