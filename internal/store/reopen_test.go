package store_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// A new export after monitoring was notified, and rows that TTL or a person deletes.

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

func (ts *testStore) wantReopened(times int) {
	ts.Helper()
	if run := ts.theRun(); run.Generation != int64(times) || len(run.Reopened) != times {
		ts.Errorf("generation %d, reopened %d times, want %d", run.Generation, len(run.Reopened), times)
	}
}

// A new export makes both notifications due again; a status that only goes back repeats neither.
func TestANewExportIsNotifiedAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.row("a", "Sent", 3) // written over Success
		ts.execute("a", "back")
		ts.wantRow("a", status("Success"))
		ts.wantSent()
		ts.exportedAgain("a", "second ", 2)
		ts.wantSent(append(bothOf(1), request("a", 3))...)
		ts.wantReopened(1)
	})
}

// A row added after the notification does not retract it. When the row is received, monitoring is notified again,
// unless it ends without a request: see the known limits.
func TestACollectionThatIsAddedLater(t *testing.T) {
	ts := newStore(t)
	ts.configure(store.Settings{Exempt: []snapshot.Status{"Blocked_Topic"}})
	doneAndNotified(ts)
	ts.row("c", "Received", 0)
	ts.execute("c", "stream")
	ts.row("d", "Blocked_Topic", 0)
	ts.execute("d", "stream")
	ts.row("c", "Exporting", 0)
	ts.execute("a", "any")
	ts.sweep()
	ts.wantSent()
	ts.export("c", "first ", 2)
	ts.wantSent(append(bothOf(1), request("c", 0))...)
}

// A person resets the third export's counter so that its epoch is the second's again, which was notified.
func TestARepeatedEpochReopensNothing(t *testing.T) {
	ts := newStore(t)
	doneAndNotified(ts)
	ts.exportedAgain("a", "second ", 2)
	ts.exportedAgain("a", "third ", 1)
	clear(ts.sent)
	ts.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(3)})
	ts.execute("a", "again")
	ts.wantSent(request("a", 3))
	ts.wantReopened(2)
}

// A run's item that is deleted meanwhile is not made again.
func TestReopenMakesNoRun(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.sentAgain("a", "again")
		ts.meanwhile(ts.updates("run"), func() { ts.put(ts.runRef(), nil) })
		ts.reconcile("a", "me")
		if item := ts.item(ts.runRef()); item != nil {
			ts.Errorf("the run is there again: %v", item)
		}
		ts.wantRow("a", status("Received"))
	})
}

// A process may end at any call of a run's last execution: the sweeps finish the run and deliver every message. The new
// export has as many files as the one before, so the run's sums are the same at both sweeps.
func TestSweepsFinishACrashedExecution(t *testing.T) {
	everyCrash(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.sweep()
		ts.sentAgain("b", "again")
		ts.count(successFile("b", "success again"))
	}, func(ts *testStore) error { return ts.tryExecute("b", "first") }, func(ts *testStore) {
		for range 4 {
			ts.pass(2 * store.DefaultLease)
			ts.sweep()
		}
		ts.wantRow("b", status("Success"))
		for _, out := range append(bothOf(1), request("b", 1)) {
			if n := ts.sent[out]; n < 1 || n > 2 { // twice if it crashed between sending and marking
				t.Errorf("%+v was delivered %d times", out, n)
			}
			delete(ts.sent, out)
		}
		ts.sweep()
		ts.wantSent()
	})
}

// The blocker's row is deleted before monitoring was notified: the others are all rows, and monitoring is notified
// once.
func TestTheBlockerIsDeleted(t *testing.T) {
	for name, event := range map[string]func(ts *testStore){
		"and the stream says so": func(ts *testStore) { ts.execute("a", "removal") },
		"and a sweep finds it":   func(ts *testStore) { ts.sweep() },
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.runOf("a", "b", "c")
			ts.export("b", "first ", 1)
			ts.export("c", "first ", 1)
			ts.wantSent(request("b", 0), request("c", 0))
			ts.remove("a")
			event(ts)
			ts.wantSent(bothOf(0)...)
			ts.sweep()
			ts.wantSent()
		})
	}
}

// The run is reopened after all its rows were read as successful: the result belongs to the previous generation.
func TestARunThatIsReopenedWhileItIsRead(t *testing.T) {
	ts := newStore(t)
	ts.runOf("a")
	ts.counted("a", "Sent", 1)
	ts.execute("a", "first")
	ts.count(successFile("a", "success"))
	ts.reconcile("a", "second")
	clear(ts.sent)
	ts.meanwhile(ts.updates("run"), func() { ts.sentAgain("a", "again"); ts.reconcile("a", "third") })
	ts.check("a", "second", both)
	if ts.sent[notification(snapshot.AllSuccessful, 0)] > 0 {
		t.Error("monitoring was notified of a generation that is over")
	}
}

// a is exported again and monitoring is notified again. Its row is deleted, and b is exported again: the generation
// does not depend on the rows that exist.
func TestADeletedRowPreventsNoNotification(t *testing.T) {
	ts := newStore(t)
	doneAndNotified(ts)
	ts.exportedAgain("a", "second ", 3)
	ts.wantSent(append(bothOf(1), request("a", 3))...)
	ts.remove("a")
	ts.execute("a", "removal") // as the stream says
	ts.sweep()
	ts.wantSent()
	ts.exportedAgain("b", "second ", 1)
	ts.wantSent(append(bothOf(2), request("b", 1))...)
}

// The predecessor counted three of a's four files. a's row is deleted after monitoring was notified.
func TestADeletedRowRepeatsNoNotification(t *testing.T) {
	ts := newStore(t)
	ts.runOf("a", "b")
	ts.row("a", "Sent", 4)
	ts.predecessorCounts("a", 3)
	ts.count(receipt("a", "one"))
	ts.execute("a", "e1")
	ts.count(successFile("a", "success"))
	ts.execute("a", "e2")
	ts.export("b", "first ", 1)
	ts.wantSent(append(bothOf(0), request("a", -3), request("b", 0))...)
	ts.remove("a")
	ts.execute("a", "removal")
	ts.execute("b", "any")
	ts.pass(2 * store.DefaultLease)
	ts.sweep()
	ts.wantSent()
}

// A correlation id that is used again: for other collections, or for the same rows, made again.
func TestAReusedCorrelationID(t *testing.T) {
	ts := newStore(t)
	doneAndNotified(ts)
	ts.remove("a")
	ts.remove("b")
	ts.register("c") // changes nothing
	ts.row("c", "Exporting", 0)
	ts.row("d", "Exporting", 0)
	ts.export("c", "m", 1)
	ts.wantSent(request("c", 0))
	ts.export("d", "m", 1)
	ts.wantSent(append(bothOf(1), request("d", 0))...)
	ts.replace("c", "Exporting", 0)
	ts.replace("d", "Exporting", 0)
	ts.export("c", "second ", 2)
	ts.wantSent(request("c", 1))
	ts.export("d", "second ", 2)
	ts.wantSent(append(bothOf(2), request("d", 1))...)
}
