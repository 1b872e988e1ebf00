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

// wantDue examines the run and expects these collections to be reconciled.
func (ts *testStore) wantDue(want ...string) {
	ts.Helper()
	var due []string
	for _, key := range ts.examine("sweep").Reconcile {
		if key.CorrelationID != run {
			ts.Errorf("of another run: %+v", key)
		}
		due = append(due, key.CollectionName)
	}
	if diff := cmp.Diff(want, due); diff != "" {
		ts.Errorf("to reconcile (-want +got)\n%s", diff)
	}
}

func TestOpenRunsOverPages(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		var want []string
		for i := range 5 {
			id := fmt.Sprintf("run#%d%%", i) // needs escaping in a key
			row := snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: id, CollectionName: "a"}}
			if err := ts.store.RegisterRun(ts.Context(), row, snapshot.Export{SnapshotType: "full",
				ExportDate: strings.Repeat("x", 300_000)}); err != nil {
				ts.Fatal(err)
			}
			want = append(want, id)
		}
		registered := ts.now
		ts.pass(snapshot.AbandonedAfter)
		runs := ts.openRuns()
		if ts.calls["Query"] < 2 {
			ts.Error("the runs came in one page; the test needs more")
		}
		found, err := ts.store.Examine(ts.Context(), runs[1], "sweep")
		if err != nil {
			ts.Fatal(err)
		}
		ts.finish(runs[1], found)
		var got []string
		for _, open := range ts.openRuns() {
			got = append(got, open.CorrelationID)
			if open.SnapshotType != "full" || len(open.ExportDate) != 300_000 || !open.RegisteredAt.Equal(registered) {
				ts.Errorf("run %s: %s, registered %v", open.CorrelationID, open.SnapshotType, open.RegisteredAt)
			}
		}
		if diff := cmp.Diff(slices.Delete(want, 1, 2), got); diff != "" {
			ts.Error(diff)
		}
		if all, err := ts.store.Runs(ts.Context()); err != nil || len(all) != 5 || !all[1].Abandoned {
			ts.Errorf("%d runs, abandoned ones too: %v", len(all), err)
		}
	})
}

func TestExamineFindsWhatIsDue(t *testing.T) {
	moved := func(ts *testStore) { ts.counted("a", "Sent", 1); ts.reconcile("a", "x") }
	requested := func(ts *testStore) { moved(ts); ts.deliver(request("a", 0), "x") }
	released := func(ts *testStore) { // FilesSent grew between the entry and the move
		ts.counted("a", "Sent", 1)
		ts.crashesBefore(0, ts.isUpdate("row"))
		_, _ = ts.store.Reconcile(ts.Context(), key("a"), "x")
		ts.recovers()
		ts.row("a", "Sent", 2)
		ts.reconcile("a", "x")
		if entry := ts.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			ts.Fatalf("not released: %+v", entry)
		}
	}
	for name, c := range map[string]struct {
		given func(ts *testStore)
		due   bool
	}{
		"files are missing": {func(ts *testStore) { ts.row("a", "Sent", 2); ts.count(receipt("a", "one")) },
			false},
		"no files": {func(ts *testStore) { ts.row("a", "Sent", 0) }, false},
		"not sent yet": {func(ts *testStore) {
			ts.row("a", "Exported",
				1)
			ts.count(receipt("a", "one"))
		}, false},
		"received without messages":     {func(ts *testStore) { ts.row("a", "Received", 1) }, false},
		"counted but the row is behind": {func(ts *testStore) { ts.countAndDie("a", 1); ts.row("a", "Sent", 9) }, true},
		"the ledger is new": {func(ts *testStore) {
			ts.counted("a", "Sent", 1)
			ts.loseLedger("a")
			ts.row("a", "Sent", 9)
		}, true},
		"complete but Sent":    {func(ts *testStore) { ts.counted("a", "Sent", 1) }, true},
		"complete in capitals": {func(ts *testStore) { ts.counted("a", "SENT", 1) }, true},
		"complete by a predecessor": {func(ts *testStore) { ts.row("a", "Sent", 1); ts.predecessorCounts("a", 1) },
			true},
		"Sent over Received": {func(ts *testStore) { requested(ts); ts.row("a", "Sent", 1) }, true},
		"received without a request": {func(ts *testStore) {
			ts.counted("a", "Exported", 1)
			ts.row("a", "Received", 1)
		}, true},
		"received while the owner lives": {func(ts *testStore) { moved(ts); ts.pass(store.DefaultLease - time.Second) },
			false},
		"received and the lease has ended": {func(ts *testStore) { moved(ts); ts.pass(store.DefaultLease) }, true},
		"received and requested":           {requested, false},
		"an early success file": {func(ts *testStore) { requested(ts); ts.count(successFile("a", "success")) },
			true},
		"successful": {
			func(ts *testStore) { requested(ts); ts.count(successFile("a", "success")); ts.reconcile("a", "x") },
			false},
		"successful and the lease has ended": {func(ts *testStore) {
			moved(ts)
			ts.count(successFile("a", "success"))
			ts.reconcile("a", "x")
			ts.pass(store.DefaultLease)
		}, true},
		"the request was released, and files are missing": {released, false},
		"the request was released, and the mover crashed": {func(ts *testStore) {
			released(ts)
			ts.count(receipt("a", "second"))
			ts.crashesAfter(2) // of its calls the third is the move
			_, _ = ts.store.Reconcile(ts.Context(), key("a"), "y")
			ts.recovers()
			ts.wantRow("a", status("Received"))
			ts.wantRow("a", received(2))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.register("z")
				ts.row("z", "Exporting", 0) // keeps the notifications out of it
				c.given(ts)
				if c.due {
					ts.wantDue("a")
				} else {
					ts.wantDue()
				}
			})
		})
	}
}

func TestExamineFindsNotificationsThatAreDue(t *testing.T) {
	pending := func(ts *testStore) { // enqueued by "x" and not delivered
		if _, err := ts.store.Check(ts.Context(), key("a"), "x", true, both); err != nil {
			ts.Fatal(err)
		}
	}
	notified := func(ts *testStore) { ts.check("a", "x", true, both) }
	for name, c := range map[string]struct {
		statuses [2]string
		given    func(ts *testStore)
		due      []string
	}{
		"not enqueued": {[2]string{"Received", "Success"}, func(*testStore) {}, []string{"a"}},
		"pending while the owner lives": {[2]string{"Received", "Success"},
			func(ts *testStore) { pending(ts); ts.pass(store.DefaultLease - time.Second) }, nil},
		"pending and the lease has ended": {[2]string{"Received", "Success"},
			func(ts *testStore) { pending(ts); ts.pass(store.DefaultLease) }, []string{"a"}},
		"delivered": {[2]string{"Received", "Success"}, notified, nil},
		"delivered, and the run reopened": {[2]string{"Received", "Success"},
			func(ts *testStore) { notified(ts); ts.reopen() }, []string{"a"}},
		"one of two is delivered": {[2]string{"Success", "Success"},
			func(ts *testStore) { ts.check("a", "x", true, allReceived) }, []string{"a"}},
		"both are": {[2]string{"Success", "Success"}, notified, nil},
		"delivered, and the hint lost": {[2]string{"Received", "Success"},
			func(ts *testStore) { notified(ts); ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "a"}) },
			nil},
		"a row blocks it":            {[2]string{"Received", "Blocked_Topic"}, func(*testStore) {}, nil},
		"the blocking row is exempt": {[2]string{"Received", "TABLE_UNAVAILABLE"}, func(*testStore) {}, []string{"a"}},
		"comes with what is due anyway": {[2]string{"Received", "Received"},
			func(ts *testStore) { ts.row("b", "Received", 1); ts.count(receipt("b", "one")) }, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.exempt = []snapshot.Status{"Table_Unavailable"}
				ts.store = ts.another()
				ts.register("a")
				ts.row("a", c.statuses[0], 0)
				ts.row("b", c.statuses[1], 0)
				c.given(ts)
				ts.wantDue(c.due...)
			})
		})
	}
}

// A batch has 100 items. Each row is compared with its own collection, beyond the first batch too.
func TestExamineARunOf120Collections(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c000")
		for i := range 120 {
			ts.row(fmt.Sprintf("c%03d", i), "Sent", 9)
		}
		for _, behind := range []string{"c000", "c099", "c100", "c119"} {
			ts.countAndDie(behind, 1)
			ts.row(behind, "Sent", 9)
		}
		clear(ts.calls)
		found := ts.examine("sweep")
		want := []snapshot.CollectionKey{key("c000"), key("c099"), key("c100"), key("c119")}
		if diff := cmp.Diff(want, found.Reconcile); diff != "" {
			ts.Error(diff)
		}
		if len(found.Blockers.Named) != snapshot.MaxNamed || found.Blockers.More != 115 {
			ts.Errorf("%d collections are named and %d more", len(found.Blockers.Named), found.Blockers.More)
		}
		if ts.calls["GetMany"] != 2 {
			ts.Errorf("%d batch reads", ts.calls["GetMany"])
		}
	})
}

// A malformed row blocks its run and is named, and the other rows are reconciled.
func TestExamineAMalformedRow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.counted("a", "Sent", 1)
		ts.overwrite("b", map[string]any{"CollectionStatus": "Sent", "FilesSent": "two"})
		found := ts.examine("sweep")
		if diff := cmp.Diff([]snapshot.CollectionKey{key("a")}, found.Reconcile); diff != "" {
			ts.Errorf("to reconcile (-want +got)\n%s", diff)
		}
		if named := found.Blockers.Named; len(named) != 2 || named[1].CollectionName != "b" ||
			named[1].Status != "Malformed row" {
			ts.Errorf("the run is blocked by %+v", named)
		}
		var malformed *failure.Malformed
		if !errors.As(found.Malformed, &malformed) || !strings.Contains(found.Malformed.Error(), `"b"`) {
			ts.Errorf("got %v, want an error that names the row", found.Malformed)
		}
	})
}

// So does a malformed item of the ledger, also in a run that is done otherwise.
func TestExamineAMalformedCollection(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.counted("a", "Sent", 1)
		ts.counted("b", "Success", 1)
		ts.write(table.Write{Ref: ts.collectionRef("b"), Set: map[string]any{"Pages": "two"}})
		found := ts.examine("sweep")
		if diff := cmp.Diff([]snapshot.CollectionKey{key("a")}, found.Reconcile); diff != "" {
			ts.Errorf("to reconcile (-want +got)\n%s", diff)
		}
		var malformed *failure.Malformed
		if !errors.As(found.Malformed, &malformed) || !strings.Contains(found.Malformed.Error(), "Pages") {
			ts.Errorf("got %v, want an error that names the item", found.Malformed)
		}
		state, err := ts.store.Run(ts.Context(), run)
		if err != nil || state.Collections[0].Malformed != nil || state.Collections[1].Malformed == nil {
			ts.Errorf("people read %+v, %v", state.Collections, err)
		}
		ts.remove("a")
		if found := ts.examine("sweep-2"); !found.Open || len(found.Reconcile) > 0 || found.Malformed == nil {
			ts.Errorf("got %+v, want an open run with nothing to reconcile", found)
		}
	})
}

// A malformed run does not prevent the others from being swept.
func TestAMalformedRunHidesNoOther(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 1)
		ts.register("a")
		ts.write(table.Write{Ref: ts.tables.Ledger.At("run", "another"), Set: map[string]any{"CorrelationId": "another",
			"RegisteredAt": "yesterday"}})
		runs, err := ts.store.OpenRuns(ts.Context())
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"another"`) {
			ts.Errorf("got %v, want an error that names the run", err)
		}
		if len(runs) != 1 || runs[0].CorrelationID != run {
			ts.Errorf("got %+v, want the other run", runs)
		}
	})
}
