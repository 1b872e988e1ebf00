package store_test

import (
	"fmt"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

func (ts *testStore) openRuns() []snapshot.Run {
	ts.Helper()
	runs, err := ts.store.OpenRuns(ts.Context())
	if err != nil {
		ts.Fatal(err)
	}
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

func (ts *testStore) examine(owner string) store.Examination {
	ts.Helper()
	found, err := ts.store.Examine(ts.Context(), ts.openRun(), owner)
	if err != nil {
		ts.Fatal(err)
	}
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
	ts.finish(open, found)
	return found
}

func (ts *testStore) finish(open snapshot.Run, found store.Examination) {
	ts.Helper()
	if err := ts.store.Finish(ts.Context(), open, found); err != nil {
		ts.Fatal(err)
	}
}

// wantOneOwner expects the due alert to have one owner at a time: the first sweep, and another after its lease.
func (ts *testStore) wantOneOwner(alert *snapshot.Outgoing) {
	ts.Helper()
	ts.wantAlert(alert, ts.examine("first"))
	ts.wantAlert(nil, ts.examine("second"))
	ts.wantAlert(alert, ts.examine("first"))
	ts.pass(store.DefaultLease - time.Second)
	ts.wantAlert(nil, ts.examine("second"))
	ts.pass(time.Second)
	ts.wantAlert(alert, ts.examine("second"))
	ts.wantAlert(nil, ts.examine("first"))
}
