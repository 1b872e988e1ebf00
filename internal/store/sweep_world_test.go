package store_test

import (
	"fmt"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

func (w *world) openRuns() []snapshot.Run {
	w.Helper()
	runs, err := w.store.OpenRuns(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return runs
}

// openRun is the world's run as a sweep finds it.
func (w *world) openRun() snapshot.Run {
	w.Helper()
	runs := w.openRuns()
	i := slices.IndexFunc(runs, func(open snapshot.Run) bool { return open.CorrelationID == run })
	if i < 0 {
		w.Fatalf("the run is not among the %d open ones", len(runs))
	}
	return runs[i]
}

func (w *world) examine(owner string) store.Examination {
	w.Helper()
	found, err := w.store.Examine(w.Context(), w.openRun(), owner)
	if err != nil {
		w.Fatal(err)
	}
	return found
}

// sweep is a whole sweep of the run, with the executions that it starts. It returns what it found.
func (w *world) sweep() store.Examination {
	w.Helper()
	w.sweeps++
	owner := fmt.Sprint("sweep/", w.sweeps)
	open, found := w.openRun(), w.examine(owner)
	for _, key := range found.Reconcile {
		w.execute(key.CollectionName, fmt.Sprint("of sweep ", w.sweeps))
	}
	if found.Alert != nil {
		w.deliver(*found.Alert, owner)
	}
	w.finish(open, found)
	return found
}

func (w *world) finish(open snapshot.Run, found store.Examination) {
	w.Helper()
	if err := w.store.Finish(w.Context(), open, found); err != nil {
		w.Fatal(err)
	}
}
