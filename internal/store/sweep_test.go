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

// wantDue examines the run as a sweep and wants these collections to be reconciled.
func (w *world) wantDue(want ...string) {
	w.Helper()
	var due []string
	for _, key := range w.examine("sweep").Reconcile {
		if key.CorrelationID != run {
			w.Errorf("of another run: %+v", key)
		}
		due = append(due, key.CollectionName)
	}
	if diff := cmp.Diff(want, due); diff != "" {
		w.Errorf("to reconcile (-want +got)\n%s", diff)
	}
}

func TestOpenRunsOverPages(t *testing.T) {
	everywhere(t, func(w *world) {
		var want []string
		for i := range 5 {
			id := fmt.Sprintf("run#%d%%", i) // needs escaping in a key
			row := snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: id, CollectionName: "a"}}
			if err := w.store.RegisterRun(w.Context(), row, snapshot.Export{SnapshotType: "full",
				ExportDate: strings.Repeat("x", 300_000)}); err != nil {
				w.Fatal(err)
			}
			want = append(want, id)
		}
		registered := w.now
		w.pass(snapshot.AbandonedAfter)
		runs := w.openRuns()
		if w.calls["Query"] < 2 {
			w.Error("the runs came in one page; the test needs more")
		}
		found, err := w.store.Examine(w.Context(), runs[1], "sweep")
		if err != nil {
			w.Fatal(err)
		}
		w.finish(runs[1], found)
		var got []string
		for _, open := range w.openRuns() {
			got = append(got, open.CorrelationID)
			if open.SnapshotType != "full" || len(open.ExportDate) != 300_000 || !open.RegisteredAt.Equal(registered) {
				w.Errorf("run %s: %s, registered %v", open.CorrelationID, open.SnapshotType, open.RegisteredAt)
			}
		}
		if diff := cmp.Diff(slices.Delete(want, 1, 2), got); diff != "" {
			w.Error(diff)
		}
		if all, err := w.store.Runs(w.Context()); err != nil || len(all) != 5 || !all[1].Abandoned {
			w.Errorf("%d runs, abandoned ones too: %v", len(all), err)
		}
	})
}

func TestExamineFindsWhatIsDue(t *testing.T) {
	moved := func(w *world) { w.counted("a", "Sent", 1); w.reconcile("a", "x") }
	requested := func(w *world) { moved(w); w.deliver(request("a", 0), "x") }
	released := func(w *world) { // FilesSent grew between the entry and the move
		w.counted("a", "Sent", 1)
		w.diesBefore(0, w.isUpdate("row"))
		_, _ = w.store.Reconcile(w.Context(), key("a"), "x")
		w.revives()
		w.row("a", "Sent", 2)
		w.reconcile("a", "x")
		if entry := w.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			w.Fatalf("not released: %+v", entry)
		}
	}
	for name, c := range map[string]struct {
		given func(w *world)
		due   bool
	}{
		"files are missing": {func(w *world) { w.row("a", "Sent", 2); w.count(receipt("a", "one")) },
			false},
		"no files": {func(w *world) { w.row("a", "Sent", 0) }, false},
		"not sent yet": {func(w *world) { w.row("a", "Exported", 1); w.count(receipt("a", "one")) },
			false},
		"received without messages":     {func(w *world) { w.row("a", "Received", 1) }, false},
		"counted but the row is behind": {func(w *world) { w.countAndDie("a", 1); w.row("a", "Sent", 9) }, true},
		"the ledger is new": {func(w *world) {
			w.counted("a", "Sent", 1)
			w.loseLedger("a")
			w.row("a",
				"Sent", 9)
		}, true},
		"complete but Sent":         {func(w *world) { w.counted("a", "Sent", 1) }, true},
		"complete in capitals":      {func(w *world) { w.counted("a", "SENT", 1) }, true},
		"complete by a predecessor": {func(w *world) { w.row("a", "Sent", 1); w.predecessorCounts("a", 1) }, true},
		"Sent over Received":        {func(w *world) { requested(w); w.row("a", "Sent", 1) }, true},
		"received without a request": {func(w *world) { w.counted("a", "Exported", 1); w.row("a", "Received", 1) },
			true},
		"received while the owner lives": {func(w *world) { moved(w); w.pass(store.DefaultLease - time.Second) },
			false},
		"received and the owner died": {func(w *world) { moved(w); w.pass(store.DefaultLease) }, true},
		"received and requested":      {requested, false},
		"an early success file":       {func(w *world) { requested(w); w.count(successFile("a", "success")) }, true},
		"successful": {
			func(w *world) { requested(w); w.count(successFile("a", "success")); w.reconcile("a", "x") }, false},
		"successful and the owner died": {func(w *world) {
			moved(w)
			w.count(successFile("a", "success"))
			w.reconcile("a", "x")
			w.pass(store.DefaultLease)
		}, true},
		"the request was given up, and files are missing": {released, false},
		"the request was given up, and then it was moved by one who died": {func(w *world) {
			released(w)
			w.count(receipt("a", "second"))
			w.diesAfter(2) // of its calls the third is the move
			_, _ = w.store.Reconcile(w.Context(), key("a"), "y")
			w.revives()
			w.wantRow("a", status("Received"))
			w.wantRow("a", received(2))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register("z")
				w.row("z", "Exporting", 0) // keeps the notifications out of it
				c.given(w)
				if c.due {
					w.wantDue("a")
				} else {
					w.wantDue()
				}
			})
		})
	}
}

func TestExamineFindsNotificationsThatAreDue(t *testing.T) {
	pending := func(w *world) { // enqueued by "x" and not delivered
		if _, err := w.store.Check(w.Context(), key("a"), "x", true, both); err != nil {
			w.Fatal(err)
		}
	}
	notified := func(w *world) { w.check("a", "x", true, both) }
	for name, c := range map[string]struct {
		statuses [2]string
		given    func(w *world)
		due      []string
	}{
		"not enqueued": {[2]string{"Received", "Success"}, func(*world) {}, []string{"a"}},
		"pending while the owner lives": {[2]string{"Received", "Success"},
			func(w *world) { pending(w); w.pass(store.DefaultLease - time.Second) }, nil},
		"pending and the owner died": {[2]string{"Received", "Success"},
			func(w *world) { pending(w); w.pass(store.DefaultLease) }, []string{"a"}},
		"delivered": {[2]string{"Received", "Success"}, notified, nil},
		"delivered, and the run reopened": {[2]string{"Received", "Success"},
			func(w *world) { notified(w); w.reopen() }, []string{"a"}},
		"one of two is delivered": {[2]string{"Success", "Success"},
			func(w *world) { w.check("a", "x", true, allReceived) }, []string{"a"}},
		"both are": {[2]string{"Success", "Success"}, notified, nil},
		"delivered, and the hint lost": {[2]string{"Received", "Success"},
			func(w *world) { notified(w); w.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "a"}) }, nil},
		"a row blocks it":            {[2]string{"Received", "Blocked_Topic"}, func(*world) {}, nil},
		"the blocking row is exempt": {[2]string{"Received", "TABLE_UNAVAILABLE"}, func(*world) {}, []string{"a"}},
		"comes with what is due anyway": {[2]string{"Received", "Received"},
			func(w *world) { w.row("b", "Received", 1); w.count(receipt("b", "one")) }, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.exempt = []snapshot.Status{"Table_Unavailable"}
				w.store = w.another()
				w.register("a")
				w.row("a", c.statuses[0], 0)
				w.row("b", c.statuses[1], 0)
				c.given(w)
				w.wantDue(c.due...)
			})
		})
	}
}

// reopen lets the next generation begin, as a request after the notification does.
func (w *world) reopen() {
	w.Helper()
	w.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "b"})
	w.write(table.Write{Ref: w.tables.Ledger.At("run", run), Set: map[string]any{"Generation": int64(1)}})
}

// No event mends a hint at a collection that is done or gone, or one that does not say that monitoring was notified.
func TestExamineRepairsHints(t *testing.T) {
	notified := snapshot.Hint{Notified: true}
	deliver := func(w *world) { w.check("a", "x", true, allReceived) }
	for name, c := range map[string]struct {
		statuses   [2]string // of a and b
		given      func(w *world)
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
			func(w *world) { w.row("b", "Received", 0); deliver(w); w.row("b", "Sent", 0) }, notified, notified},
		"delivered in another generation": {[2]string{"Received", "Received"},
			func(w *world) { deliver(w); w.reopen() }, snapshot.Hint{Collection: "b"}, snapshot.Hint{}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.exempt = []snapshot.Status{"Blocked_Topic"}
				w.store = w.another()
				w.register("a")
				w.row("a", c.statuses[0], 0)
				w.row("b", c.statuses[1], 0)
				if c.given != nil {
					c.given(w)
				}
				w.setHint(snapshot.AllReceived, c.hint)
				w.examine("sweep")
				if diff := cmp.Diff(c.want, w.hint(snapshot.AllReceived)); diff != "" {
					w.Errorf("hint (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// A hint that moved since the sweep read it is left alone.
func TestRepairHoldsNothingThatChanged(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.register("a")
	w.row("a", "Received", 0)
	w.row("b", "Sent", 0)
	moved := snapshot.Hint{Collection: "b", By: "other"}
	w.meanwhile(w.isUpdate("run"), func() { w.setHint(snapshot.AllReceived, moved) })
	w.examine("sweep")
	if hint := w.hint(snapshot.AllReceived); hint != moved {
		t.Errorf("the hint is %+v", hint)
	}
}

// A batch read takes 100 items. Each row is held against its own collection, beyond the first batch too.
func TestExamineARunOf120Collections(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c000")
		for i := range 120 {
			w.row(fmt.Sprintf("c%03d", i), "Sent", 9)
		}
		for _, behind := range []string{"c000", "c099", "c100", "c119"} {
			w.countAndDie(behind, 1)
			w.row(behind, "Sent", 9)
		}
		clear(w.calls)
		found := w.examine("sweep")
		want := []snapshot.CollectionKey{key("c000"), key("c099"), key("c100"), key("c119")}
		if diff := cmp.Diff(want, found.Reconcile); diff != "" {
			w.Error(diff)
		}
		if len(found.Blockers.Named) != snapshot.MaxNamed || found.Blockers.More != 115 {
			w.Errorf("%d collections are named and %d more", len(found.Blockers.Named), found.Blockers.More)
		}
		if w.calls["GetMany"] != 2 {
			w.Errorf("%d batch reads", w.calls["GetMany"])
		}
	})
}

// Whoever wrote it has to mend it. Until then it blocks its run and is named, and its neighbours are reconciled.
func TestExamineAMalformedRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.counted("a", "Sent", 1)
		w.overwrite("b", map[string]any{"CollectionStatus": "Sent", "FilesSent": "two"})
		found := w.examine("sweep")
		if diff := cmp.Diff([]snapshot.CollectionKey{key("a")}, found.Reconcile); diff != "" {
			w.Errorf("to reconcile (-want +got)\n%s", diff)
		}
		if named := found.Blockers.Named; len(named) != 2 || named[1].CollectionName != "b" ||
			named[1].Status != "Malformed row" {
			w.Errorf("the run is blocked by %+v", named)
		}
		var malformed *failure.Malformed
		if !errors.As(found.Malformed, &malformed) || !strings.Contains(found.Malformed.Error(), `"b"`) {
			w.Errorf("got %v, want an error that names the row", found.Malformed)
		}
	})
}

// A run of the ledger that cannot be read keeps no other from being swept.
func TestARunThatCannotBeReadHidesNoOther(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.register("a")
		w.write(table.Write{Ref: w.tables.Ledger.At("run", "another"), Set: map[string]any{"CorrelationId": "another",
			"RegisteredAt": "yesterday"}})
		runs, err := w.store.OpenRuns(w.Context())
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"another"`) {
			w.Errorf("got %v, want an error that names the run", err)
		}
		if len(runs) != 1 || runs[0].CorrelationID != run {
			w.Errorf("got %+v, want the other run", runs)
		}
	})
}
