package store_test

import (
	"fmt"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

func (ts *testStore) register(collection string) {
	ts.Helper()
	ts.ok(ts.store.RegisterRun(ts.Context(), snapshot.Row{CollectionKey: key(collection)}, export))
}

func (ts *testStore) reconcile(collection, owner string) store.Reconciled {
	ts.Helper()
	at, err := ts.store.Reconcile(ts.Context(), key(collection), owner)
	ts.ok(err)
	return at
}

// deliver delivers the owner's pending message, as notify does, and records it.
func (ts *testStore) deliver(out snapshot.Outgoing, owner string) (sent bool) {
	ts.Helper()
	sent, err := ts.tryDeliver(out, owner)
	ts.ok(err)
	return sent
}

func (ts *testStore) tryDeliver(out snapshot.Outgoing, owner string) (sent bool, err error) {
	return ts.store.Deliver(ts.Context(), out, owner, func(snapshot.Export) error { ts.sent[out]++; return nil })
}

// execute does an execution's steps for one collection, from check-collection on.
func (ts *testStore) execute(collection, execution string) {
	ts.Helper()
	ts.ok(ts.tryExecute(collection, execution))
}

// tryExecute is execute for an execution that may fail.
func (ts *testStore) tryExecute(collection, execution string) error {
	owner := snapshot.Owner(execution, collection)
	at, err := ts.store.Reconcile(ts.Context(), key(collection), owner)
	if err == nil && at.Pending != nil {
		_, err = ts.tryDeliver(*at.Pending, owner)
	}
	if err == nil {
		_, err = ts.tryCheck(collection, owner, at.Moved(), at.Check)
	}
	return err
}

// check does the steps of check-all and of the notify after it, for a reconciliation that moved the collection.
func (ts *testStore) check(collection, owner string, kinds []snapshot.Kind) store.Checked {
	ts.Helper()
	checked, err := ts.tryCheck(collection, owner, true, kinds)
	ts.ok(err)
	return checked
}

func (ts *testStore) tryCheck(
	collection, owner string, moved bool, kinds []snapshot.Kind,
) (checked store.Checked, err error) {
	checked, err = ts.store.Check(ts.Context(), key(collection), owner, moved, kinds)
	for _, out := range checked.Pending {
		if err == nil {
			_, err = ts.tryDeliver(out, owner)
		}
	}
	return checked, err
}

// pending checks the run without delivering what is pending.
func (ts *testStore) pending(collection, owner string, kinds []snapshot.Kind) []snapshot.Outgoing {
	ts.Helper()
	checked, err := ts.store.Check(ts.Context(), key(collection), owner, true, kinds)
	ts.ok(err)
	return checked.Pending
}

func (ts *testStore) openRuns() []snapshot.Run {
	ts.Helper()
	runs, err := ts.store.OpenRuns(ts.Context())
	ts.ok(err)
	return runs
}

// openRun is the test's run in a sweep's list.
func (ts *testStore) openRun() snapshot.Run {
	ts.Helper()
	runs := ts.openRuns()
	i := slices.IndexFunc(runs, func(open snapshot.Run) bool { return open.CorrelationID == run })
	if i < 0 {
		ts.Fatalf("the run is not among the %d open ones", len(runs))
	}
	return runs[i]
}

func (ts *testStore) isOpen() bool { ts.Helper(); return len(ts.openRuns()) > 0 }

func (ts *testStore) examine(owner string) store.Examination {
	ts.Helper()
	return ts.examineRun(ts.openRun(), owner)
}

// examineRun examines a run that a sweep has listed.
func (ts *testStore) examineRun(open snapshot.Run, owner string) store.Examination {
	ts.Helper()
	found, err := ts.store.Examine(ts.Context(), open, owner)
	ts.ok(err)
	return found
}

// sweep does a whole sweep of the run, with the executions that it starts.
func (ts *testStore) sweep() store.Examination {
	ts.Helper()
	ts.sweeps++
	owner := fmt.Sprint("sweep/", ts.sweeps)
	open, found := ts.openRun(), ts.examine(owner)
	for _, key := range found.Reconcile {
		ts.execute(key.CollectionName, fmt.Sprint("of sweep ", ts.sweeps))
	}
	for _, alert := range found.Alerts {
		ts.deliver(alert, owner)
	}
	ts.ok(ts.store.Finish(ts.Context(), open, found))
	return found
}
