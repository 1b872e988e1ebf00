package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

const lateAfter = 3 * time.Hour

// lateRun is a run of one collection that is late in a second. It was alerted as stalled.
func lateRun(ts *testStore) (late *snapshot.Outgoing) {
	ts.Helper()
	ts.late = snapshot.LateAfter{"full": lateAfter}
	ts.store = ts.another()
	ts.register("a")
	ts.row("a", "Sent", 9)
	late = alert(snapshot.RunLate, ts.now)
	ts.sweep()
	ts.pass(lateAfter - time.Second)
	ts.sweep()
	clear(ts.sent)
	return late
}

func TestALateRunIsAlertedOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		late := lateRun(ts)
		if found := ts.sweep(); found.Late {
			ts.Error("late too early")
		}
		ts.pass(time.Second)
		found := ts.sweep()
		ts.wantAlert(late, found)
		if !found.Late || !found.Stalled || len(found.Blockers.Named) != 1 {
			ts.Errorf("late and stalled: %+v", found)
		}
		for range 3 {
			ts.pass(store.DefaultLease)
			found := ts.sweep()
			ts.wantAlert(nil, found)
			if !found.Late {
				ts.Error("not late any more")
			}
		}
		ts.count(receipt("a", "one")) // progress does not change it
		ts.wantAlert(nil, ts.sweep())
		ts.wantSent(*late)
	})
}

// A run that stands still until its deadline has both alerts in one sweep. They have different owners afterwards only
// if one of them was not delivered.
func TestLateAndStalledAreIndependent(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.late = snapshot.LateAfter{"": time.Hour}
		ts.store = ts.another()
		ts.register("a")
		ts.row("a", "Sent", 9)
		stalled, late := alert(snapshot.RunStalled, ts.now), alert(snapshot.RunLate, ts.now)
		ts.examine("first")
		ts.pass(time.Hour)
		ts.wantAlerts(ts.examine("first"), *stalled, *late)
		ts.deliver(*stalled, "first") // and dies
		ts.wantAlerts(ts.examine("first"), *late)
		ts.pass(store.DefaultLease)
		ts.wantAlerts(ts.examine("second"), *late)
		ts.deliver(*late, "second")
		ts.pass(2 * store.DefaultLease)
		ts.wantAlerts(ts.examine("third"))
		ts.wantSent(*stalled, *late)
	})
}

// Wherever a sweep dies between the write and the delivery, another sweep sends the same alert after the lease.
func TestALateAlertHasOneOwner(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		late := lateRun(ts)
		ts.pass(time.Second)
		ts.wantOneOwner(late)
	})
}

func TestSweepsAtOnceAlertLatenessOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		lateRun(ts)
		ts.pass(time.Second)
		open := ts.openRun()
		found := make([]store.Examination, 10)
		var group sync.WaitGroup
		for i := range found {
			group.Go(func() {
				var err error
				if found[i], err = ts.another().Examine(ts.Context(), open, fmt.Sprint(i)); err != nil {
					ts.Error(err)
				}
			})
		}
		group.Wait()
		alerts := 0
		for _, one := range found {
			alerts += len(one.Alerts)
		}
		if alerts != 1 {
			ts.Errorf("%d own the alert", alerts)
		}
	})
}

// A run is not alerted as late once monitoring was told that it is successful, not even by a sweep that read it before.
func TestASuccessfulRunIsNotLate(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.late = snapshot.LateAfter{"full": lateAfter}
		ts.store = ts.another()
		ts.register("a")
		ts.row("a", "Success", 9)
		ts.pass(lateAfter)
		open := ts.openRun()
		ts.check("a", "x", true, both)
		found, err := ts.store.Examine(ts.Context(), open, "sweep")
		if err != nil {
			ts.Fatal(err)
		}
		ts.wantAlert(nil, found)
		found = ts.sweep()
		ts.wantAlert(nil, found)
		if found.Late {
			ts.Error("late, although it is successful")
		}
		ts.sweep()             // settles it
		ts.row("b", "Sent", 1) // added after the notification: it begins no deadline before it is requested
		found = ts.sweep()
		ts.wantAlert(nil, found)
		if found.Late {
			ts.Error("late, although monitoring knows that it was successful")
		}
	})
}

// The next generation has a deadline and an alert of its own. A settled run is not missed.
func TestAReopenedRunIsLateAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		late := lateRun(ts)
		ts.pass(time.Second)
		ts.wantAlert(late, ts.sweep())
		ts.row("a", "Success", 9)
		ts.check("a", "x", true, both)
		ts.sweep()
		ts.sweep() // settled
		ts.row("b", "Sent", 1)
		ts.count(receipt("b", "one"))
		ts.execute("b", "again")
		reopened := ts.now
		ts.sweep()
		ts.pass(lateAfter - time.Second)
		ts.wantAlert(alert(snapshot.RunStalled, reopened), ts.sweep())
		ts.pass(time.Second)
		ts.wantAlert(alert(snapshot.RunLate, reopened), ts.sweep())
	})
}

func TestARunWithoutRowsIsNotLate(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		lateRun(ts)
		ts.pass(time.Second)
		ts.put(ts.tables.Status.At(run, "a"), nil)
		if found := ts.sweep(); found.Late || len(found.Alerts) > 0 {
			ts.Errorf("late: %+v", found)
		}
	})
}

// The last alert and the one about lateness do not replace each other.
func TestALateRunIsAbandoned(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.late = snapshot.LateAfter{"": snapshot.AbandonedAfter}
		ts.store = ts.another()
		ts.register("a")
		ts.row("a", "Sent", 9)
		began := ts.now
		ts.pass(snapshot.AbandonedAfter)
		ts.wantAlerts(ts.examineAndFinish("sweep"), *alert(snapshot.RunAbandoned, began),
			*alert(snapshot.RunLate, began))
		if ts.isOpen() {
			ts.Error("not abandoned")
		}
	})
}
