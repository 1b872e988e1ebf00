package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

// Wherever the process ends, the run is abandoned or not at all, and abandoning it again does not change the time.
func TestAbandonAfterEveryCrash(t *testing.T) {
	abandon := func(ts *testStore) error {
		_, err := ts.store.Abandon(ts.Context(), run, "one")
		return err
	}
	everyCrash(t, hangs, abandon, func(ts *testStore) {
		first := ts.theRun().ByHand.At
		ts.pass(time.Minute)
		if first.IsZero() {
			ts.wantEnded(false)
			first = ts.now
		}
		if again := ts.abandon("one"); !again.At.Equal(first) {
			ts.Errorf("the time is %v, want %v", again.At, first)
		}
		ts.wantEnded(true)
	})
}

// Several people at once: one time, one reason, no error.
func TestAbandonAtOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				if _, err := ts.another().Abandon(ts.Context(), run, fmt.Sprint(i)); err != nil {
					ts.Error(err)
				}
			})
		}
		group.Wait()
		ts.wantEnded(true)
	})
}

// beforeUpdate calls do once, before the next update of the run.
func (ts *testStore) beforeUpdate(do func()) {
	done := false
	ts.before = func(call tabletest.Call) error {
		if call.Operation == "Update" && ts.part(call.Refs[0]) == "run" && !done {
			done = true
			do()
		}
		return nil
	}
}

// A message that comes between reading the rows and writing the abandonment is noticed by the next sweep.
func TestAMessageWhileARunIsAbandoned(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		ts.beforeUpdate(func() { ts.count(receipt("c", "late")) })
		if _, err := ts.store.Abandon(ts.Context(), run, "hopeless"); err != nil {
			ts.Fatal(err)
		}
		ts.before = nil
		ts.wantEnded(false)
	})
}

// The sweep takes up only the abandonment that it read, not the one that a person made since.
func TestASweepTakesUpOnlyWhatItRead(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		ts.abandon("one")
		ts.count(receipt("c", "late"))
		ts.beforeUpdate(func() {
			if _, err := ts.another().Abandon(ts.Context(), run, "two"); err != nil {
				ts.Error(err)
			}
		})
		open := ts.openRun()
		found, err := ts.store.Examine(ts.Context(), open, "sweep")
		ts.before = nil
		if err != nil || found.Open || len(found.Alerts)+len(found.Reconcile) > 0 {
			ts.Errorf("%v, %+v", err, found)
		}
		ts.wantEnded(true)
	})
}

// A sweep that listed the run before a person ended it sends no alert. Nor does its retry.
func TestASweepAlertsNoRunThatWasEndedMeanwhile(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		open := ts.openRun()
		ts.abandon("hopeless")
		for range 2 {
			found, err := ts.store.Examine(ts.Context(), open, "sweep")
			if err != nil || len(found.Alerts) > 0 {
				ts.Errorf("%v, alerts %+v", err, found.Alerts)
			}
			open = ts.openRun()
		}
	})
}

// A run that is taken up while a sweep abandons it by its age is not abandoned without an alert.
func TestATakenUpRunIsNotAbandonedSilently(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		ts.abandon("hopeless")
		ts.pass(snapshot.AbandonedAfter)
		open, found := ts.openRun(), ts.examine("sweep")
		ts.resume()
		ts.finish(open, found)
		if !ts.isOpen() {
			ts.Fatal("abandoned silently")
		}
		found = ts.examineAndFinish("another")
		if len(found.Alerts) == 0 || found.Alerts[0].Kind != snapshot.RunAbandoned || ts.isOpen() {
			ts.Errorf("alerts %+v", found.Alerts)
		}
	})
}
