package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// What a sweep finds. alert_test.go has its alerts, abandon_test.go the runs that a person ended.

// wantDue examines the run and expects these collections to be reconciled.
func (ts *testStore) wantDue(want ...string) store.Examination {
	ts.Helper()
	var keys []snapshot.CollectionKey
	for _, collection := range want {
		keys = append(keys, key(collection))
	}
	found := ts.examine("sweep")
	if diff := cmp.Diff(keys, found.Reconcile); diff != "" {
		ts.Errorf("to reconcile (-want +got)\n%s", diff)
	}
	return found
}

// wantMalformed expects an error that names an item.
func (ts *testStore) wantMalformed(err error, name string) {
	ts.Helper()
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), name) {
		ts.Errorf("got %v, want an error that names %s", err, name)
	}
}

// reopen begins the next generation, as a request after the notification does.
func (ts *testStore) reopen() {
	ts.Helper()
	ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "b"})
	ts.write(table.Write{Ref: ts.runRef(), Set: map[string]any{"Generation": int64(1)}})
}

func TestExamineFindsNotificationsThatAreDue(t *testing.T) {
	notified := func(ts *testStore) { ts.check("a", "x", both) }
	for name, c := range map[string]struct {
		statuses [2]string
		given    func(ts *testStore)
		due      []string
	}{
		"pending while the owner lives": {[2]string{"Received", "Success"},
			func(ts *testStore) { ts.pending("a", "x", both); ts.pass(store.DefaultLease - time.Second) }, nil},
		"pending and the lease has ended": {[2]string{"Received", "Success"},
			func(ts *testStore) { ts.pending("a", "x", both); ts.pass(store.DefaultLease) }, []string{"a"}},
		"delivered, and the run reopened": {[2]string{"Received", "Success"},
			func(ts *testStore) { notified(ts); ts.reopen() }, []string{"a"}},
		"one of two is delivered": {[2]string{"Success", "Success"},
			func(ts *testStore) { ts.check("a", "x", allReceived) }, []string{"a"}},
		"delivered, and the hint lost": {[2]string{"Received", "Success"},
			func(ts *testStore) { notified(ts); ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "a"}) },
			nil},
		"comes with what is due anyway": {[2]string{"Received", "Received"},
			func(ts *testStore) { ts.row("b", "Received", 1); ts.count(receipt("b", "one")) }, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.register("a")
			ts.row("a", c.statuses[0], 0)
			ts.row("b", c.statuses[1], 0)
			c.given(ts)
			ts.wantDue(c.due...)
		})
	}
}

// A batch has 100 items. Each row comes with its own collection, beyond the first batch too, for the sweep and for
// people.
func TestARunOf120Collections(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c000")
		for i := range 120 {
			ts.row(fmt.Sprintf("c%03d", i), "Sent", 9)
		}
		behind := []string{"c000", "c099", "c100", "c119"}
		for _, collection := range behind {
			ts.countAndDie(collection, 1)
			ts.row(collection, "Sent", 9)
		}
		clear(ts.calls)
		found := ts.wantDue(behind...)
		if len(found.Blockers.Named) != snapshot.MaxNamed || found.Blockers.More != 115 {
			ts.Errorf("%d collections are named and %d more", len(found.Blockers.Named), found.Blockers.More)
		}
		if ts.calls["GetMany"] != 2 {
			ts.Errorf("%d batch reads", ts.calls["GetMany"])
		}
		ts.overwrite("c050", map[string]any{"FilesSent": "fifty"})
		ts.write(table.Write{Ref: ts.collectionRef("c118"), Set: map[string]any{"Pages": "two"}})
		state, err := ts.store.Run(ts.Context(), run)
		if err != nil || state.Run == nil || len(state.Collections) != 120 {
			ts.Fatalf("%d collections, run %+v: %v", len(state.Collections), state.Run, err)
		}
		for i, c := range state.Collections {
			name := fmt.Sprintf("c%03d", i)
			if c.Row.CollectionName != name || (c.Malformed != nil) != (i == 50 || i == 118) ||
				(c.Collection.Counted > 0) != slices.Contains(behind, name) {
				ts.Errorf("%d: %+v, %v", i, c, c.Malformed)
			}
		}
	})
}

// A malformed row blocks its run and is named, and the other rows are reconciled. So does a malformed item of the
// ledger, also in a run that is done otherwise.
func TestExamineWhatIsMalformed(t *testing.T) {
	ts := newStore(t)
	ts.register("a")
	ts.counted("a", "Sent", 1)
	ts.overwrite("b", map[string]any{"CollectionStatus": "Sent", "FilesSent": "two"})
	found := ts.wantDue("a")
	ts.wantMalformed(found.Malformed, `"b"`)
	if named := found.Blockers.Named; len(named) != 2 || named[1].CollectionName != "b" ||
		named[1].Status != "Malformed row" {
		t.Errorf("the run is blocked by %+v", named)
	}
	ts.counted("b", "Success", 1)
	ts.write(table.Write{Ref: ts.collectionRef("b"), Set: map[string]any{"Pages": "two"}})
	ts.wantMalformed(ts.wantDue("a").Malformed, "Pages")
	ts.remove("a")
	found = ts.wantDue()
	ts.wantMalformed(found.Malformed, "Pages")
	if !found.Open {
		t.Errorf("got %+v, want an open run", found)
	}
}

// No event repairs a hint at a finished or deleted collection, or one that lacks notified.
func TestExamineRepairsHints(t *testing.T) {
	notified, blocked := snapshot.Hint{Notified: true}, snapshot.Hint{Collection: "b", By: "x"}
	deliver := func(ts *testStore) { ts.check("a", "x", allReceived) }
	nothing := func(*testStore) {}
	for name, c := range map[string]struct {
		statuses   [2]string // of a and b
		given      func(ts *testStore)
		hint, want snapshot.Hint
	}{
		"at one that blocks": {[2]string{"Received", "Sent"}, nothing, blocked, blocked},
		"at one that is done": {[2]string{"Received", "Sent"}, nothing, snapshot.Hint{Collection: "a"},
			snapshot.Hint{}},
		"at one that is exempt": {[2]string{"Exempt", "Sent"}, nothing, snapshot.Hint{Collection: "a"},
			snapshot.Hint{}},
		"at one that is gone": {[2]string{"Received", "Sent"}, nothing, snapshot.Hint{Collection: "c"},
			snapshot.Hint{}},
		"delivered but it says another": {[2]string{"Received", "Received"}, deliver, blocked, notified},
		"notified though a row went back": {[2]string{"Received", "Received"},
			func(ts *testStore) { deliver(ts); ts.row("b", "Sent", 0) }, notified, notified},
		"delivered in another generation": {[2]string{"Received", "Received"},
			func(ts *testStore) { deliver(ts); ts.reopen() }, blocked, snapshot.Hint{}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.configure(store.Settings{Exempt: []snapshot.Status{"Exempt"}})
				ts.register("a")
				ts.row("a", c.statuses[0], 0)
				ts.row("b", c.statuses[1], 0)
				c.given(ts)
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
	ts := newStore(t)
	ts.runWith("Received Sent")
	moved := snapshot.Hint{Collection: "c1", By: "other"}
	ts.meanwhile(ts.updates("run"), func() { ts.setHint(snapshot.AllReceived, moved) })
	ts.examine("sweep")
	if hint := ts.hint(snapshot.AllReceived); hint != moved {
		t.Errorf("the hint is %+v", hint)
	}
}

// A finished run costs one reading of its rows. When they change, the ledger is read again.
func TestASettledRunIsNotReadInTheLedger(t *testing.T) {
	notify := func(ts *testStore) { ts.check("a", "x", both) }
	deliver := func(ts *testStore) { ts.deliver(request("a", 0), "x") }
	reads := func(ts *testStore, want ...int) { // of the ledger's collections, in so many sweeps
		ts.Helper()
		for _, want := range want {
			clear(ts.calls)
			ts.examine("sweep")
			if got := ts.calls["GetMany"]; got != want {
				ts.Errorf("%d readings of the ledger's collections, want %d", got, want)
			}
		}
	}
	for name, c := range map[string]struct{ given, settle func(ts *testStore) }{
		"the request is pending":       {notify, deliver},
		"the notifications are due":    {deliver, notify},
		"the notifications are leased": {func(ts *testStore) { deliver(ts); ts.pending("a", "x", both) }, notify},
		"the row lacks a late file": {func(ts *testStore) {
			notify(ts)
			deliver(ts)
			ts.crashesAt(ts.updates("row"), false)
			_, _ = receive(ts, ts.store, "first", receipt("a", "late"))
			ts.recovers()
		}, func(ts *testStore) { ts.reconcile("a", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.register("a")
			ts.counted("a", "Sent", 1)
			ts.count(successFile("a", "success"))
			ts.reconcile("a", "x")
			c.given(ts)
			reads(ts, 1, 1)
			c.settle(ts)
			reads(ts, 1, 0, 0)
			ts.row("a", "Sent", 1)
			reads(ts, 1)
			ts.reconcile("a", "x")
			reads(ts, 1, 0)
		})
	}
}

func TestProgressIsStored(t *testing.T) {
	ts := newStore(t)
	ts.register("a")
	ts.row("a", "Sent", 9)
	began := ts.now
	ts.examine("sweep")
	first := ts.openRun().Progress
	if first.Sums == "" || !first.Since.Equal(began) || first.Settled {
		t.Errorf("remembered %+v", first)
	}
	ts.pass(time.Minute)
	clear(ts.calls)
	ts.examine("sweep")
	if diff := cmp.Diff(first, ts.openRun().Progress); diff != "" || ts.calls["Update"] > 0 {
		t.Errorf("nothing moved, and %d updates\n%s", ts.calls["Update"], diff)
	}
	ts.count(receipt("a", "one"))
	ts.examine("sweep")
	if second := ts.openRun().Progress; second.Sums == first.Sums || !second.Since.Equal(ts.now) {
		t.Errorf("moved, and remembered %+v", second)
	}
}

// A run that TTL deletes between two steps of a sweep is not made again.
func TestASweepMakesNoRun(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runWith("Sent Received")
		gone := ts.openRun()
		ts.put(ts.runRef(), nil)
		ts.pass(snapshot.AbandonedAfter)
		found := ts.examineRun(gone, "sweep")
		ts.wantAlerts(found)
		ts.ok(ts.store.Finish(ts.Context(), gone, found))
		if item := ts.item(ts.runRef()); item != nil {
			ts.Errorf("made %v", item)
		}
	})
}
