package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// reopen begins the next generation, as a request after the notification does.
func (ts *testStore) reopen() {
	ts.Helper()
	ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "b"})
	ts.write(table.Write{Ref: ts.tables.Ledger.At("run", run), Set: map[string]any{"Generation": int64(1)}})
}

// No event repairs a hint at a finished or deleted collection, or one that lacks notified.
func TestExamineRepairsHints(t *testing.T) {
	notified := snapshot.Hint{Notified: true}
	deliver := func(ts *testStore) { ts.check("a", "x", true, allReceived) }
	for name, c := range map[string]struct {
		statuses   [2]string // of a and b
		given      func(ts *testStore)
		hint, want snapshot.Hint
	}{
		"at one that blocks": {[2]string{"Received", "Sent"}, nil, snapshot.Hint{Collection: "b", By: "x"},
			snapshot.Hint{Collection: "b", By: "x"}},
		"at one that is done": {[2]string{"Received", "Sent"}, nil, snapshot.Hint{Collection: "a", By: "x"},
			snapshot.Hint{}},
		"at one that is exempt": {[2]string{"Blocked_Topic", "Sent"}, nil, snapshot.Hint{Collection: "a"},
			snapshot.Hint{}},
		"at one that is gone": {[2]string{"Received", "Sent"}, nil, snapshot.Hint{Collection: "gone",
			By: "x"}, snapshot.Hint{}},
		"unknown": {[2]string{"Received", "Sent"}, nil, snapshot.Hint{}, snapshot.Hint{}},
		"delivered, and it says another": {[2]string{"Received", "Received"}, deliver, snapshot.Hint{Collection: "b",
			By: "x"}, notified},
		"notified": {[2]string{"Received", "Received"}, deliver, notified, notified},
		"notified, and a row went back": {[2]string{"Received", "Sent"},
			func(ts *testStore) { ts.row("b", "Received", 0); deliver(ts); ts.row("b", "Sent", 0) }, notified,
			notified},
		"delivered in another generation": {[2]string{"Received", "Received"},
			func(ts *testStore) { deliver(ts); ts.reopen() }, snapshot.Hint{Collection: "b"}, snapshot.Hint{}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.exempt = []snapshot.Status{"Blocked_Topic"}
				ts.store = ts.another()
				ts.register("a")
				ts.row("a", c.statuses[0], 0)
				ts.row("b", c.statuses[1], 0)
				if c.given != nil {
					c.given(ts)
				}
				ts.setHint(snapshot.AllReceived, c.hint)
				ts.examine("sweep")
				if diff := cmp.Diff(c.want, ts.hint(snapshot.AllReceived)); diff != "" {
					ts.Errorf("hint (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A hint that changed after the sweep read it is not overwritten.
func TestRepairHoldsNothingThatChanged(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.register("a")
	ts.row("a", "Received", 0)
	ts.row("b", "Sent", 0)
	moved := snapshot.Hint{Collection: "b", By: "other"}
	ts.meanwhile(ts.isUpdate("run"), func() { ts.setHint(snapshot.AllReceived, moved) })
	ts.examine("sweep")
	if hint := ts.hint(snapshot.AllReceived); hint != moved {
		t.Errorf("the hint is %+v", hint)
	}
}
