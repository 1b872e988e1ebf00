package store_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// export is a whole export of a collection, executed message by message: Sent, the files and the success file.
func (ts *testStore) export(collection, named string, files int) {
	ts.Helper()
	ts.row(collection, "Sent", int64(files))
	for _, r := range append(receipts(collection, named, files), successFile(collection, named+" success")) {
		ts.countAs(r.Identity, r)
		ts.execute(collection, r.Identity)
	}
	ts.wantRow(collection, status("Success"))
}

func (ts *testStore) exportedAgain(collection, named string, files int) {
	ts.Helper()
	ts.exportAgain(collection)
	ts.export(collection, named, files)
}

// runOf registers the run and makes rows of one file each, before Sent.
func (ts *testStore) runOf(collections ...string) {
	ts.Helper()
	ts.register(collections[0])
	for _, collection := range collections {
		ts.row(collection, "Exporting", 1)
	}
}

// doneAndNotified is a finished run of a, with 3 files, and b, with one.
func doneAndNotified(ts *testStore) {
	ts.Helper()
	ts.runOf("a", "b")
	ts.export("a", "first ", 3)
	ts.wantSent(request("a", 0))
	ts.export("b", "first ", 1)
	ts.wantSent(append(bothOf(0), request("b", 0))...)
}

// A new export makes both notifications due again; a status that only goes back repeats neither.
func TestANewExportIsNotifiedAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.row("a", "Sent", 3) // written over Success
		ts.execute("a", "back")
		ts.wantRow("a", status("Success"))
		ts.wantSent()

		ts.exportAgain("a")
		ts.export("a", "second ", 2)
		ts.wantSent(append(bothOf(1), request("a", 3))...)
		if run := ts.theRun(); run.Generation != 1 || len(run.Reopened) != 1 {
			ts.Errorf("generation %d, reopened %d times", run.Generation, len(run.Reopened))
		}
	})
}

// Two collections are exported again, one after the other or concurrently: the notifications follow the last of them.
func TestTwoNewExports(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	doneAndNotified(ts)
	ts.exportAgain("a")
	ts.exportAgain("b")
	ts.export("a", "second ", 3)
	ts.wantSent(request("a", 3))
	ts.export("b", "second ", 1)
	ts.wantSent(append(bothOf(1), request("b", 1))...) // the run was open already
	ts.exportedAgain("a", "third ", 1)
	ts.wantSent(append(bothOf(2), request("a", 6))...)
}

// Only delivered or enqueued notifications become due again.
func TestANewExportAfterTheFirstNotificationOnly(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a", "b")
		ts.export("a", "first ", 1)
		ts.row("b", "Sent", 1)
		ts.count(receipt("b", "one"))
		ts.execute("b", "e")
		ts.wantSent(request("a", 0), request("b", 0), notification(snapshot.AllReceived, 0))
		ts.exportedAgain("a", "second ", 1)
		ts.wantSent(request("a", 1), notification(snapshot.AllReceived, 1))
		ts.count(successFile("b", "success"))
		ts.execute("b", "e2")
		ts.wantSent(notification(snapshot.AllSuccessful, 1))
	})
}

// A row added after the notification does not retract it. When the row is received, monitoring is notified again.
func TestACollectionThatIsAddedLater(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.row("c", "Exporting", 0)
		ts.execute("a", "any")
		ts.sweep()
		ts.wantSent()
		ts.export("c", "first ", 2)
		ts.wantSent(append(bothOf(1), request("c", 0))...)
	})
}

// Collections that end without a request are not notified again; see the known limits.
func TestACollectionWithoutFilesReopensNothing(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t, "Blocked_Topic")
	doneAndNotified(ts)
	ts.row("c", "Received", 0)
	ts.execute("c", "stream")
	ts.row("d", "Blocked_Topic", 0)
	ts.execute("d", "stream")
	ts.wantSent()
}

// A run's item that is deleted meanwhile is not made again.
func TestReopenMakesNoRun(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.exportAgain("a")
		ts.row("a", "Sent", 1)
		ts.count(receipt("a", "again"))
		ref := ts.tables.Ledger.At("run", run)
		ts.meanwhile(ts.isUpdate("run"), func() { ts.put(ref, nil) })
		ts.reconcile("a", "me")
		if item := ts.item(ref); item != nil {
			ts.Errorf("the run is there again: %v", item)
		}
		ts.wantRow("a", table.Item{"CollectionStatus": "Received"})
	})
}

// A person resets the third export's counter so that its epoch is the second's again, which was notified.
func TestARepeatedEpochReopensNothing(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	doneAndNotified(ts)
	ts.exportedAgain("a", "second ", 2)
	ts.exportedAgain("a", "third ", 1)
	clear(ts.sent)
	ts.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(3)})
	ts.execute("a", "again")
	ts.wantSent(request("a", 3))
	if run := ts.theRun(); run.Generation != 2 || len(run.Reopened) != 2 {
		t.Errorf("generation %d, reopened %d times", run.Generation, len(run.Reopened))
	}
}
