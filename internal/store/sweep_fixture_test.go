package store_test

import (
	"fmt"
	"slices"

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
