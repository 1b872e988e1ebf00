package store_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// export is a whole export of a collection, executed message by message: it is sent, its files come, and its success
// file.
func (w *world) export(collection, named string, files int) {
	w.Helper()
	w.row(collection, "Sent", int64(files))
	for _, r := range append(receipts(collection, named, files), successFile(collection, named+" success")) {
		w.countAs(r.Identity, r)
		w.execute(collection, r.Identity)
	}
	w.wantRow(collection, status("Success"))
}

func (w *world) exportedAgain(collection, named string, files int) {
	w.Helper()
	w.exportAgain(collection)
	w.export(collection, named, files)
}

// runOf registers the run and makes rows of one file each that are not sent yet.
func (w *world) runOf(collections ...string) {
	w.Helper()
	w.register(collections[0])
	for _, collection := range collections {
		w.row(collection, "Exporting", 1)
	}
}

// doneAndNotified is a run of a, with 3 files, and b, with one, that is done.
func doneAndNotified(w *world) {
	w.Helper()
	w.runOf("a", "b")
	w.export("a", "first ", 3)
	w.wantSent(request("a", 0))
	w.export("b", "first ", 1)
	w.wantSent(append(bothOf(0), request("b", 0))...)
}

// A new export makes both notifications due again, and one that only went back repeats nothing.
func TestANewExportIsNotifiedAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.row("a", "Sent", 3) // written over Success
		w.execute("a", "back")
		w.wantRow("a", status("Success"))
		w.wantSent()

		w.exportAgain("a")
		w.export("a", "second ", 2)
		w.wantSent(append(bothOf(1), request("a", 3))...)
		if run := w.theRun(); run.Generation != 1 || len(run.Reopened) != 1 {
			w.Errorf("generation %d, reopened %d times", run.Generation, len(run.Reopened))
		}
	})
}

// Two collections are exported again, one after the other or at once: the notifications come for the last of them.
func TestTwoNewExports(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	doneAndNotified(w)
	w.exportAgain("a")
	w.exportAgain("b")
	w.export("a", "second ", 3)
	w.wantSent(request("a", 3))
	w.export("b", "second ", 1)
	w.wantSent(append(bothOf(1), request("b", 1))...) // the run was open already
	w.exportedAgain("a", "third ", 1)
	w.wantSent(append(bothOf(2), request("a", 6))...)
}

// Only what monitoring was notified of becomes due again.
func TestANewExportAfterTheFirstNotificationOnly(t *testing.T) {
	everywhere(t, func(w *world) {
		w.runOf("a", "b")
		w.export("a", "first ", 1)
		w.row("b", "Sent", 1)
		w.count(receipt("b", "one"))
		w.execute("b", "e")
		w.wantSent(request("a", 0), request("b", 0), notification(snapshot.AllReceived, 0))
		w.exportedAgain("a", "second ", 1)
		w.wantSent(request("a", 1), notification(snapshot.AllReceived, 1))
		w.count(successFile("b", "success"))
		w.execute("b", "e2")
		w.wantSent(notification(snapshot.AllSuccessful, 1))
	})
}

// A row added after the notification retracts nothing. When it is received, monitoring is notified again.
func TestACollectionThatIsAddedLater(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.row("c", "Exporting", 0)
		w.execute("a", "any")
		w.sweep()
		w.wantSent()
		w.export("c", "first ", 2)
		w.wantSent(append(bothOf(1), request("c", 0))...)
	})
}

// Collections that end without a request of ours are not told again; see the known limits.
func TestACollectionWithoutFilesReopensNothing(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t, "Blocked_Topic")
	doneAndNotified(w)
	w.row("c", "Received", 0)
	w.execute("c", "stream")
	w.row("d", "Blocked_Topic", 0)
	w.execute("d", "stream")
	w.wantSent()
}

// Two reopen at once: one generation.
func TestTwoReopenAtOnce(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	doneAndNotified(w)
	for _, collection := range []string{"a", "b"} {
		w.exportAgain(collection)
		w.row(collection, "Sent", 1)
		w.count(receipt(collection, "again"))
	}
	w.atOnce(func() { w.execute("a", "a1") }, func() { w.execute("b", "b1") }, func() { w.execute("a", "a2") })
	if run := w.theRun(); run.Generation != 1 {
		t.Errorf("generation %d", run.Generation)
	}
	w.sweep()
	w.pass(2 * store.DefaultLease)
	w.sweep()
	w.wantSent(request("a", 3), request("b", 1), notification(snapshot.AllReceived, 1))
}

// The run was read as not notified, and is notified before the request is enqueued: whoever notified saw every row in
// the wanted status, so this collection was read before it was set back. It is moved again, and notified again.
func TestARequestThatMeetsANotification(t *testing.T) {
	t.Parallel()
	for n := range 12 {
		w := newMemoryWorld(t)
		w.runOf("a", "b")
		w.export("a", "first ", 1)
		w.row("b", "Sent", 1)
		w.count(receipt("b", "first"))
		calls := 0
		// b's first execution stops before its n-th call; meanwhile a is exported again
		w.before = func(tabletest.Call) error {
			if calls == n {
				calls = 1000
				w.exportAgain("a")
				w.row("a", "Sent", 1)
				w.count(receipt("a", "again"))
				w.execute("a", "again")
			}
			calls++
			return nil
		}
		w.execute("b", "first")
		w.revives()
		for range 3 {
			w.pass(2 * store.DefaultLease)
			w.sweep()
		}
		last := notification(snapshot.AllReceived, w.theRun().Generation)
		if w.sent[last] != 1 {
			t.Errorf("before call %d: the last generation, %d, was delivered %d times", n, last.Version, w.sent[last])
		}
		for out, times := range w.sent {
			if times != 1 {
				t.Errorf("before call %d: %+v was delivered %d times", n, out, times)
			}
		}
	}
}

// Whoever dies at any call of the last execution of a run: the sweeps finish it, and nobody misses a message.
func TestAnExecutionThatDiesIsFinishedBySweeps(t *testing.T) {
	for name, given := range map[string]func(w *world){
		"the last file, after an early success file": func(w *world) {
			w.runOf("a", "b")
			w.export("a", "first ", 1)
			w.row("b", "Sent", 1)
			w.count(receipt("b", "one"), successFile("b", "success"))
		},
		// of as many files, between two sweeps: the run's sums are those of a run that was done
		"a new export": func(w *world) {
			doneAndNotified(w)
			w.sweep()
			w.exportAgain("b")
			w.row("b", "Sent", 1)
			w.count(receipt("b", "again"), successFile("b", "success again"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generation := int64(0)
			if name == "a new export" {
				generation = 1
			}
			everyDeath(t, func(w *world) { given(w); clear(w.sent) },
				func(w *world) error { return tryExecute(w, "b", "dead") }, func(w *world) {
					for range 4 {
						w.pass(2 * store.DefaultLease)
						w.sweep()
					}
					w.wantRow("b", status("Success"))
					for _, out := range append(bothOf(generation), request("b", generation)) {
						if n := w.sent[out]; n < 1 || n > 2 { // twice if it died between sending and marking
							t.Errorf("%+v was delivered %d times", out, n)
						}
					}
					if len(w.sent) != 3 {
						t.Errorf("delivered %v", w.sent)
					}
					clear(w.sent)
					w.sweep()
					w.wantSent()
				})
		})
	}
}

// tryExecute is execute of an execution that may die.
func tryExecute(w *world, collection, execution string) error {
	owner := snapshot.Owner(execution, collection)
	at, err := w.store.Reconcile(w.Context(), key(collection), owner)
	if err != nil {
		return err
	}
	send := func(out snapshot.Outgoing) error {
		_, err := w.store.Deliver(w.Context(), out, owner, func(snapshot.Export) error { w.sent[out]++; return nil })
		return err
	}
	if at.Pending != nil {
		if err := send(*at.Pending); err != nil {
			return err
		}
	}
	checked, err := w.store.Check(w.Context(), key(collection), owner, at.Moved, at.Check)
	for _, out := range checked.Pending {
		if err == nil {
			err = send(out)
		}
	}
	return err
}

// Reopening is remembered in the run's item. A table that is gone meanwhile is not made anew.
func TestReopenMakesNoRun(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.exportAgain("a")
		w.row("a", "Sent", 1)
		w.count(receipt("a", "again"))
		ref := w.tables.Ledger.At("run", run)
		w.meanwhile(w.isUpdate("run"), func() { w.put(ref, nil) })
		w.reconcile("a", "me")
		if item := w.item(ref); item != nil {
			w.Errorf("the run is there again: %v", item)
		}
		w.wantRow("a", table.Item{"CollectionStatus": "Received"})
	})
}

// A reconciliation that is slow reads the collection before it is requested, and the run after monitoring was notified
// of it: what was notified had its request before, so nothing is due again.
func TestASlowReconciliationReopensNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		w.runOf("a")
		w.counted("a", "Sent", 1)
		readsRun := func(call tabletest.Call) bool { return call.Operation == "Get" && w.part(call.Refs[0]) == "run" }
		w.meanwhile(readsRun, func() {
			w.before = nil
			w.execute("a", "fast")
		})
		w.execute("a", "slow")
		w.wantSent(request("a", 0), notification(snapshot.AllReceived, 0))
		if run := w.theRun(); run.Generation != 0 {
			w.Errorf("generation %d", run.Generation)
		}
	})
}

// A person sets the counter of the third export to what makes it the second again: that was notified.
func TestAnEpochThatComesAgainReopensNothing(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	doneAndNotified(w)
	w.exportedAgain("a", "second ", 2)
	w.exportedAgain("a", "third ", 1)
	clear(w.sent)
	w.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(3)})
	w.execute("a", "again")
	w.wantSent(request("a", 3))
	if run := w.theRun(); run.Generation != 2 || len(run.Reopened) != 2 {
		t.Errorf("generation %d, reopened %d times", run.Generation, len(run.Reopened))
	}
}

// The run is reopened after all of its rows were read as successful: what was found is of a generation that is over.
func TestARunThatIsReopenedWhileItIsRead(t *testing.T) {
	everywhere(t, func(w *world) {
		w.runOf("a")
		w.counted("a", "Sent", 1)
		w.execute("a", "first")
		w.count(successFile("a", "success"))
		w.reconcile("a", "second")
		clear(w.sent)
		w.meanwhile(w.isUpdate("run"), func() {
			w.exportAgain("a")
			w.row("a", "Sent", 1)
			w.count(receipt("a", "again"))
			w.reconcile("a", "third")
		})
		w.check("a", "second", true, both)
		if w.sent[notification(snapshot.AllSuccessful, 0)] > 0 {
			w.Error("monitoring was notified of a generation that is over")
		}
	})
}
