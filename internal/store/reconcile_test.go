package store_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// Which step a collection needs is decided in package snapshot, and tested there.

// A collection with no step to take is left alone; its status says for which notifications the run is to be checked.
func TestWhatToCheckTheRunFor(t *testing.T) {
	for status, want := range map[string][]snapshot.Kind{"Sent": nil, "Exported": nil, "Received": allReceived,
		"RECEIVED": allReceived, "Success": both, "Blocked_Topic": both, "TABLE_UNAVAILABLE": nil} {
		ts := newStore(t)
		ts.configure(store.Settings{Exempt: []snapshot.Status{"Blocked_Topic"}})
		ts.row("a", status, 0)
		before := ts.item(ts.rowRef("a"))
		at := ts.reconcile("a", "me")
		if diff := cmp.Diff(want, at.Check); diff != "" || at.Moved() || at.Pending != nil || ts.ledger("a").Known {
			t.Errorf("%s: %+v (-want +got)\n%s", status, at, diff)
		}
		if diff := cmp.Diff(before, ts.item(ts.rowRef("a"))); diff != "" {
			t.Errorf("%s: the row changed\n%s", status, diff)
		}
	}
}

// A process may end at any call, before or after it took effect: another reconciliation finishes the work, and so does
// a retry of the same one. The request is sent once.
func TestTheNextReconciliationFinishesTheWork(t *testing.T) {
	for name, given := range map[string]func(ts *testStore){
		"complete":            func(ts *testStore) { ts.counted("a", "Sent", 2) },
		"in capitals":         func(ts *testStore) { ts.counted("a", "SENT", 2) },
		"the row lacks files": func(ts *testStore) { ts.countAndDie("a", 2) },
		"with an early success file": func(ts *testStore) {
			ts.counted("a", "Sent", 2)
			ts.count(successFile("a", "success"))
		},
		"after a reset": func(ts *testStore) { ts.counted("a", "Sent", 2); ts.sentAgain("a", "new") },
		"of a predecessor": func(ts *testStore) {
			ts.register("b")
			ts.row("a", "Sent", 2)
			ts.predecessorCounts("a", 2)
		},
		"of a lost ledger": func(ts *testStore) { ts.register("b"); ts.counted("a", "Sent", 2); ts.loseLedger("a") },
		"after monitoring was notified": func(ts *testStore) {
			ts.register("a")
			ts.counted("a", "Sent", 2)
			ts.execute("a", "earlier")
			ts.wantSent(request("a", 0), notification(snapshot.AllReceived, 0))
			ts.sentAgain("a", "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, next := range []string{"me", "other"} {
				everyCrash(t, given, func(ts *testStore) error {
					_, err := ts.store.Reconcile(ts.Context(), key("a"), "me")
					return err
				}, func(ts *testStore) {
					if next == "other" {
						ts.pass(store.DefaultLease) // for what the first one enqueued
					}
					at := ts.reconcile("a", next)
					if at.Pending == nil || at.Pending.Kind != snapshot.SuccessFileRequest ||
						!ts.deliver(*at.Pending, next) {
						t.Errorf("%s does not deliver the request: %+v", next, at)
					}
					want, special := map[string]string{"with an early success file": "Success",
						"in capitals": "RECEIVED"}[name]
					if !special {
						want = "Received"
					}
					ts.wantRow("a", status(want))
					if again := ts.reconcile("a", "third"); again.Pending != nil || again.Moved() {
						t.Errorf("again: %+v", again)
					}
					if run := ts.theRun(); name == "after monitoring was notified" &&
						(run.Generation != 1 || len(run.Reopened) != 1 || run.Hints[snapshot.AllReceived].Notified) {
						t.Errorf("run %+v", run)
					}
				})
			}
		})
	}
}

// countAndDie makes a row and counts files, and the process ends before it syncs the row.
func (ts *testStore) countAndDie(collection string, files int) {
	ts.Helper()
	ts.row(collection, "Sent", int64(files))
	ts.crashesAt(nth(2, ts.updates("row")), false) // after the adoption
	_, err := receive(ts, ts.store, "first", receipts(collection, "m", files)...)
	ts.recovers()
	if err == nil || ts.ledger(collection).Counted != int64(files) {
		ts.Fatalf("crashed elsewhere: %v", err)
	}
}

func TestReconcileSyncsTheRow(t *testing.T) {
	ts := newStore(t)
	ts.countAndDie("a", 2)
	ts.wantRow("a", received(0))
	ts.reconcile("a", "me")
	ts.wantRow("a", table.Item{"FilesReceived": int64(2), "SyncedFiles": int64(2), "CollectionStatus": "Received"})
}

func TestAnEarlySuccessFileTakesEffectAfterTheMove(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 1)
	ts.count(successFile("a", "success"))
	ts.reconcile("a", "early")
	ts.wantRow("a", status("Sent"))
	ts.count(receipt("a", "one"))
	at := ts.reconcile("a", "me")
	ts.wantRow("a", status("Success"))
	if at.Pending == nil {
		t.Error("the request was forgotten over the early success file")
	}
	want := []store.Move{{From: "Sent", To: "Received"}, {From: "Received", To: "Success"}}
	if diff := cmp.Diff(want, at.Moves); diff != "" {
		t.Errorf("moves (-want +got)\n%s", diff)
	}
}

// A move is conditional on every value that it depends on. A success file of the epoch before moves nothing.
func TestMoveHoldsNothingThatChanged(t *testing.T) {
	for from, changes := range map[string][]table.Item{
		"Sent":     {status("Exporting"), {"FilesSent": int64(5)}, {"FilesReceived": int64(0)}},
		"Received": {{"FilesReceived": int64(0)}, {"EpochStart": int64(1)}, epochs(1, 0)},
	} {
		for _, change := range changes {
			ts := newStore(t)
			ts.counted("a", "Sent", 1)
			if from == "Received" {
				ts.reconcile("a", "first")
				ts.deliver(request("a", 0), "first")
				ts.count(successFile("a", "success"))
			}
			ts.meanwhile(ts.updates("row"), func() { ts.overwrite("a", change) })
			want := status(from)
			maps.Copy(want, change)
			if at := ts.reconcile("a", "me"); at.Moved() {
				t.Errorf("from %s, after %v was written: %+v", from, change, at)
			}
			ts.wantRow("a", want)
		}
	}
}

// A deleted row lets its run be checked if it is the blocker.
func TestADeletedRow(t *testing.T) {
	ts := newStore(t)
	if at := ts.reconcile("a", "me"); at.Row != nil || at.Check != nil {
		t.Errorf("of no run: %+v", at)
	}
	ts.register("a")
	if diff := cmp.Diff(both, ts.reconcile("a", "me").Check); diff != "" {
		t.Errorf("the run waits for it: %s", diff)
	}
	if at := ts.reconcile("b", "me"); at.Check != nil {
		t.Errorf("the run waits for another: %+v", at)
	}
	ts.row("b", "Received", 0)
	ts.check("a", "me", allReceived)
	if diff := cmp.Diff([]snapshot.Kind{snapshot.AllSuccessful}, ts.reconcile("a", "me").Check); diff != "" {
		t.Errorf("monitoring is notified of the first: %s", diff)
	}
}

// FilesSent grows between the entry and the move: the owner releases its lease, and the owner that moves the collection
// later delivers at once.
func TestTheRequestIsReleasedWhenFilesSentGrows(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.meanwhile(ts.updates("row"), func() { ts.row("a", "Sent", 2) })
		if at := ts.reconcile("a", "first"); at.Pending != nil || at.Moved() {
			ts.Errorf("got %+v", at)
		}
		if entry := ts.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			ts.Errorf("the request is %+v, want it released", entry)
		}
		ts.count(receipt("a", "second"))
		at := ts.reconcile("a", "second")
		ts.wantRow("a", status("Received"))
		if at.Pending == nil || !ts.deliver(*at.Pending, "second") {
			ts.Errorf("got %+v, want the request to be the second's", at)
		}
		ts.wantSent(request("a", 0))
	})
}
