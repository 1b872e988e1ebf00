package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// docs/cutover.md's promises for rows that the predecessor counted. The predecessor adds to FilesReceived
// unconditionally and has no ledger.

// complete finishes the collection: its success file is requested once and received, and it is Success.
func (ts *testStore) complete(collection string, epoch int64) {
	ts.Helper()
	ts.execute(collection, "me")
	ts.wantRow(collection, status("Received"))
	ts.count(successFile(collection, "success of "+collection))
	ts.execute(collection, "other")
	ts.wantRow(collection, status("Success"))
	if n := ts.sent[request(collection, epoch)]; n != 1 {
		ts.Errorf("sent %v, want the request for epoch %d once", ts.sent, epoch)
	}
}

// Each system counts half of the files: none is lost, none counts twice.
func TestTakeoverOfAHalfCountedCollection(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Exported", 5)
	ts.predecessorCounts("a", 3)
	ts.register("a")
	ts.count(receipts("a", "m", 2)...)
	ts.count(receipts("a", "m", 2)...) // delivered again
	ts.wantRow("a", epochs(-3, 5))
	ts.row("a", "Sent", 5)
	ts.complete("a", -3)
}

// Both systems count in any order: the sum is right, and the collection finishes in whatever epoch.
func TestBothCountForAWhile(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 6)
	ts.predecessorCounts("a", 1)
	ts.register("a")
	ts.count(receipt("a", "one"))
	ts.predecessorCounts("a", 2)
	stale := ts.read("a")
	ts.predecessorCounts("a", 1)
	ts.countLate(stale, receipt("a", "two"))
	ts.wantRow("a", epochs(-4, 6))
	ts.complete("a", -4)
}

// A known limit: a message that the predecessor counted and did not delete counts twice. Its collection finishes all
// the same.
func TestAMessageThatBothCounted(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 2)
	ts.predecessorCounts("a", 2) // and went before it checked
	ts.register("a")
	if counts := ts.count(receipt("a", "not deleted")); counts.Row.Over() != 1 {
		t.Errorf("%d files too many are noticed", counts.Row.Over())
	}
	ts.complete("a", -2)
}

// The predecessor counted all files, and then the sender writes Sent. The predecessor does not check again, so this
// system requests the success file, with the Export of the run's first message.
func TestTakeoverOfACollectionThatOnlyLacksSent(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Exported", 3)
		ts.predecessorCounts("a", 3)
		ts.register("another") // by a message of another collection
		ts.execute("a", "me")
		ts.wantRow("a", status("Exported"))
		ts.wantSent()
		ts.row("a", "Sent", 3)
		ts.reconcile("a", "first")
		var got snapshot.Export
		sent, err := ts.store.Deliver(ts.Context(), request("a", -3), "first",
			func(export snapshot.Export) error { got = export; return nil })
		if err != nil || !sent || got != export {
			ts.Errorf("sent %v with %+v, %v, want what the run's first message said", sent, got, err)
		}
		ts.wantRow("a", status("Received"))
		ts.count(successFile("a", "success"))
		ts.execute("a", "other")
		ts.wantRow("a", status("Success"))
	})
}

// A collection that the predecessor moved to Received is not requested again; its success file moves it.
func TestTakeoverOfFinishedCollections(t *testing.T) {
	ts := newStore(t)
	ts.register("received")
	for collection, status := range map[string]string{"received": "Received", "success": "Success"} {
		ts.row(collection, status, 2)
		ts.predecessorCounts(collection, 2)
		ts.reconcile(collection, "me")
		if entry := ts.ledger(collection).Request; entry.Version.Set {
			t.Errorf("%s is requested: %+v", collection, entry)
		}
	}
	ts.count(successFile("received", "success of it"))
	ts.execute("received", "me")
	ts.wantRow("received", table.Item{"CollectionStatus": "Success", "FilesReceived": int64(2)})
}

// The predecessor counts in between, in rows with this system's attributes, perhaps the last file. The count stays
// right, and the collection finishes in the epoch that results.
func TestForwardAgainAfterGoingBack(t *testing.T) {
	ts := newStore(t)
	for _, collection := range []string{"half", "complete"} {
		ts.row(collection, "Exported", 5)
		ts.register(collection)
		ts.count(receipts(collection, "m", 2)...)
		ts.predecessorCounts(collection, 3)
	}
	ts.count(receipts("half", "m", 2)...) // from before, delivered late
	ts.wantRow("half", table.Item{"FilesReceived": int64(5)})
	ts.count(receipt("half", "last"))
	ts.wantRow("half", epochs(-3, 6))
	ts.row("half", "Sent", 6)
	ts.complete("half", -3)
	ts.row("complete", "Sent", 5)
	ts.complete("complete", -3)
}

// The ledger has no message of the run, so a person sends the request (docs/cutover.md). The success file registers the
// run.
func TestTakeoverByItsSuccessFile(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 2)
	ts.predecessorCounts("a", 2)
	ts.register("a")
	ts.count(successFile("a", "success of a"))
	ts.execute("a", "me")
	ts.wantRow("a", table.Item{"CollectionStatus": "Success", "FilesReceived": int64(2)})
}

// Before a run's first message, its collections are another system's. A deployment beside that system, whose stream
// shows every Sent, writes nothing.
func TestRowsOfOthersAreLeftAlone(t *testing.T) {
	for name, given := range map[string]func(ts *testStore){
		"counted by a predecessor": func(ts *testStore) { ts.row("a", "Sent", 3); ts.predecessorCounts("a", 3) },
		"adopted under a ledger that knows nothing of its run": func(ts *testStore) {
			ts.row("a", "Sent", 3)
			ts.overwrite("a", epochs(0, 3))
		},
		"received by others": func(ts *testStore) { ts.row("a", "Received", 3); ts.predecessorCounts("a", 3) },
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			given(ts)
			before := ts.item(ts.rowRef("a"))
			at := ts.reconcile("a", "me")
			if diff := cmp.Diff(before, ts.item(ts.rowRef("a"))); diff != "" || at.Pending != nil || at.Moved() ||
				ts.calls["Update"] > 0 {
				t.Errorf("got %+v by %v\n%s", at, ts.calls, diff)
			}
		})
	}
}

// Forward again with a new ledger: it continues from the rows, and finishes what the predecessor left complete. In
// half, a message comes first; in row only, a reconciliation does.
func TestForwardAgainWithANewLedger(t *testing.T) {
	ts := newStore(t)
	for _, collection := range []string{"complete", "half", "row only"} {
		ts.row(collection, "Sent", 4)
		ts.overwrite(collection, map[string]any{"FilesReceived": int64(3), "SyncedFiles": int64(2),
			"EpochStart": int64(5)})
	}
	ts.predecessorCounts("complete", 1)
	ts.register("half")
	ts.count(receipt("half", "last"))
	ts.wantRow("half", epochs(-3, 4))
	ts.reconcile("row only", "me")
	ts.wantRow("row only", epochs(-3, 3))
	ts.count(receipt("row only", "last"))
	ts.complete("complete", -4)
	ts.complete("half", -3)
	ts.complete("row only", -3)
}

// A known limit of going forward again with the old ledger: a collection that was finished here, exported again, and
// counted whole by the predecessor has the epoch that was finished here. docs/cutover.md says how to avoid it.
func TestForwardAgainTakesOneExportForAnother(t *testing.T) {
	ts := newStore(t)
	ts.register("a")
	ts.counted("a", "Sent", 2)
	ts.complete("a", 0)
	ts.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
	ts.predecessorCounts("a", 2)
	ts.execute("a", "me")
	ts.wantRow("a", status("Success")) // without its new success file
}
