package store_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// Two concurrent reopenings begin one generation.
func TestTwoReopenAtOnce(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	doneAndNotified(ts)
	for _, collection := range []string{"a", "b"} {
		ts.exportAgain(collection)
		ts.row(collection, "Sent", 1)
		ts.count(receipt(collection, "again"))
	}
	ts.atOnce(func() { ts.execute("a", "a1") }, func() { ts.execute("b", "b1") }, func() { ts.execute("a", "a2") })
	if run := ts.theRun(); run.Generation != 1 {
		t.Errorf("generation %d", run.Generation)
	}
	ts.sweep()
	ts.pass(2 * store.DefaultLease)
	ts.sweep()
	ts.wantSent(request("a", 3), request("b", 1), notification(snapshot.AllReceived, 1))
}

// The run is notified between reading it and enqueuing the request. Every row was then read in the wanted status, so
// this collection was read before its reset. It is moved and notified again.
func TestARequestThatMeetsANotification(t *testing.T) {
	t.Parallel()
	for n := range 12 {
		ts := newMemoryStore(t)
		ts.runOf("a", "b")
		ts.export("a", "first ", 1)
		ts.row("b", "Sent", 1)
		ts.count(receipt("b", "first"))
		calls := 0
		// b's first execution pauses before its n-th call while a is exported again
		ts.before = func(tabletest.Call) error {
			if calls == n {
				calls = 1000
				ts.exportAgain("a")
				ts.row("a", "Sent", 1)
				ts.count(receipt("a", "again"))
				ts.execute("a", "again")
			}
			calls++
			return nil
		}
		ts.execute("b", "first")
		ts.recovers()
		for range 3 {
			ts.pass(2 * store.DefaultLease)
			ts.sweep()
		}
		last := notification(snapshot.AllReceived, ts.theRun().Generation)
		if ts.sent[last] != 1 {
			t.Errorf("before call %d: the last generation, %d, was delivered %d times", n, last.Version, ts.sent[last])
		}
		for out, times := range ts.sent {
			if times != 1 {
				t.Errorf("before call %d: %+v was delivered %d times", n, out, times)
			}
		}
	}
}

// A process may end at any call of a run's last execution: the sweeps finish the run and deliver every message.
func TestSweepsFinishACrashedExecution(t *testing.T) {
	for name, given := range map[string]func(ts *testStore){
		"the last file, after an early success file": func(ts *testStore) {
			ts.runOf("a", "b")
			ts.export("a", "first ", 1)
			ts.row("b", "Sent", 1)
			ts.count(receipt("b", "one"), successFile("b", "success"))
		},
		// of as many files, between two sweeps: the sums are the same as before
		"a new export": func(ts *testStore) {
			doneAndNotified(ts)
			ts.sweep()
			ts.exportAgain("b")
			ts.row("b", "Sent", 1)
			ts.count(receipt("b", "again"), successFile("b", "success again"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generation := int64(0)
			if name == "a new export" {
				generation = 1
			}
			everyCrash(t, func(ts *testStore) { given(ts); clear(ts.sent) },
				func(ts *testStore) error { return tryExecute(ts, "b", "first") }, func(ts *testStore) {
					for range 4 {
						ts.pass(2 * store.DefaultLease)
						ts.sweep()
					}
					ts.wantRow("b", status("Success"))
					for _, out := range append(bothOf(generation), request("b", generation)) {
						if n := ts.sent[out]; n < 1 || n > 2 { // twice if it crashed between sending and marking
							t.Errorf("%+v was delivered %d times", out, n)
						}
					}
					if len(ts.sent) != 3 {
						t.Errorf("delivered %v", ts.sent)
					}
					clear(ts.sent)
					ts.sweep()
					ts.wantSent()
				})
		})
	}
}

// tryExecute is execute for an execution that may fail.
func tryExecute(ts *testStore, collection, execution string) error {
	owner := snapshot.Owner(execution, collection)
	at, err := ts.store.Reconcile(ts.Context(), key(collection), owner)
	if err != nil {
		return err
	}
	send := func(out snapshot.Outgoing) error {
		_, err := ts.store.Deliver(ts.Context(), out, owner, func(snapshot.Export) error { ts.sent[out]++; return nil })
		return err
	}
	if at.Pending != nil {
		if err := send(*at.Pending); err != nil {
			return err
		}
	}
	checked, err := ts.store.Check(ts.Context(), key(collection), owner, at.Moved(), at.Check)
	for _, out := range checked.Pending {
		if err == nil {
			err = send(out)
		}
	}
	return err
}

// A slow reconciliation reads the collection before its request, and the run after monitoring was notified. A notified
// collection had its request before, so nothing is due again.
func TestASlowReconciliationReopensNothing(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a")
		ts.counted("a", "Sent", 1)
		readsRun := func(call tabletest.Call) bool { return call.Operation == "Get" && ts.part(call.Refs[0]) == "run" }
		ts.meanwhile(readsRun, func() {
			ts.before = nil
			ts.execute("a", "fast")
		})
		ts.execute("a", "slow")
		ts.wantSent(request("a", 0), notification(snapshot.AllReceived, 0))
		if run := ts.theRun(); run.Generation != 0 {
			ts.Errorf("generation %d", run.Generation)
		}
	})
}

// The run is reopened after all its rows were read as successful: the result belongs to the previous generation.
func TestARunThatIsReopenedWhileItIsRead(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a")
		ts.counted("a", "Sent", 1)
		ts.execute("a", "first")
		ts.count(successFile("a", "success"))
		ts.reconcile("a", "second")
		clear(ts.sent)
		ts.meanwhile(ts.isUpdate("run"), func() {
			ts.exportAgain("a")
			ts.row("a", "Sent", 1)
			ts.count(receipt("a", "again"))
			ts.reconcile("a", "third")
		})
		ts.check("a", "second", true, both)
		if ts.sent[notification(snapshot.AllSuccessful, 0)] > 0 {
			ts.Error("monitoring was notified of a generation that is over")
		}
	})
}
