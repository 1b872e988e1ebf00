package store_test

import (
	"fmt"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

const lateAfter = 3 * time.Hour

// lateAfterwards is a run of one collection that a sweep has seen. It is stalled after an hour, and late after the
// duration.
func (ts *testStore) lateAfterwards(late time.Duration) (began time.Time) {
	ts.Helper()
	ts.configure(store.Settings{LateAfter: snapshot.LateAfter{"full": late}})
	ts.register("a")
	ts.row("a", "Sent", 9)
	ts.examine("earlier")
	return ts.now
}

// A run is alerted once when it stalls and once when it is late. If it makes progress and stalls again, it is alerted
// again; its lateness does not change.
func TestEachAlertIsSentOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		began := ts.lateAfterwards(lateAfter)
		ts.pass(time.Hour - time.Second)
		ts.wantAlerts(ts.sweep())
		ts.pass(time.Second)
		ts.wantAlerts(ts.sweep(), alert(snapshot.RunStalled, began))
		ts.wantAlerts(ts.sweep())
		ts.pass(lateAfter - time.Hour - time.Second)
		if found := ts.sweep(); found.Late || len(found.Alerts) > 0 {
			ts.Errorf("late too early: %+v", found)
		}
		ts.pass(time.Second)
		found := ts.sweep()
		ts.wantAlerts(found, alert(snapshot.RunLate, began))
		if !found.Late || !found.Stalled || len(found.Blockers.Named) != 1 {
			ts.Errorf("late and stalled: %+v", found)
		}
		ts.pass(24 * time.Hour)
		if found := ts.sweep(); !found.Late || len(found.Alerts) > 0 {
			ts.Errorf("a day later: %+v", found)
		}
		ts.count(receipt("a", "one"))
		again := ts.now
		ts.wantAlerts(ts.sweep())
		ts.pass(time.Hour)
		ts.wantAlerts(ts.sweep(), alert(snapshot.RunStalled, again))
		ts.wantSent(alert(snapshot.RunStalled, began), alert(snapshot.RunStalled, again),
			alert(snapshot.RunLate, began))
	})
}

// Two alerts of one sweep do not depend on each other.
func TestASweepThatDiesBetweenItsAlerts(t *testing.T) {
	ts := newStore(t)
	began := ts.lateAfterwards(time.Hour)
	stalled, late := alert(snapshot.RunStalled, began), alert(snapshot.RunLate, began)
	ts.pass(time.Hour)
	ts.wantAlerts(ts.examine("first"), stalled, late)
	ts.deliver(stalled, "first") // and dies
	ts.wantAlerts(ts.examine("first"), late)
	ts.pass(store.DefaultLease)
	ts.wantAlerts(ts.examine("second"), late)
	ts.wantAlerts(ts.examine("first"))
}

func TestSweepsAtOnceAlertOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.lateAfterwards(time.Hour)
		ts.pass(time.Hour)
		open := ts.openRun()
		alerts := concurrently(10, func(i int) int {
			found, err := ts.another().Examine(ts.Context(), open, fmt.Sprint(i))
			if err != nil {
				ts.Error(err)
			}
			return len(found.Alerts)
		})
		if alerts != 2 {
			ts.Errorf("%d own the two alerts", alerts)
		}
	})
}

// A run is open while something is left to do for it. Without rows there is nothing.
func TestOpenAndPending(t *testing.T) {
	ts := newStore(t)
	ts.configure(store.Settings{LateAfter: snapshot.LateAfter{"": time.Second}})
	ts.register("a")
	want := func(open, stalled bool, since time.Time) {
		t.Helper()
		found := ts.examine("sweep")
		if found.Open != open || found.Stalled != stalled || found.Late != open || !found.PendingSince.Equal(since) {
			t.Errorf("open %v, late %v, stalled %v, pending since %v; want %v, %v, %v, %v", found.Open, found.Late,
				found.Stalled, found.PendingSince, open, open, stalled, since)
		}
	}
	ts.pass(time.Second)
	want(false, false, time.Time{})
	ts.counted("a", "Sent", 1)
	ts.count(successFile("a", "success"))
	since := ts.now
	ts.reconcile("a", "first")
	ts.pass(2 * time.Hour)
	want(true, false, since)
	ts.pass(time.Hour)
	want(true, true, since)
	ts.sweep()
	want(false, false, time.Time{})
}

// A run is not alerted as late once monitoring was told that it is successful, not even by a sweep that read it before.
func TestASuccessfulRunIsNotLate(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.lateAfterwards(lateAfter)
		ts.row("a", "Success", 9)
		ts.pass(lateAfter)
		open := ts.openRun()
		ts.check("a", "x", both)
		ts.wantAlerts(ts.examineRun(open, "sweep"))
		ts.wantAlerts(ts.examine("sweep"))
	})
}

// A run that is reopened is open again from then on, even if it was abandoned: it is late again, and abandoned at last.
func TestAReopenedRunIsSweptAgain(t *testing.T) {
	for name, age := range map[string]time.Duration{"abandoned": snapshot.AbandonedAfter,
		"old": snapshot.AbandonedAfter - time.Second} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			doneAndNotified(ts)
			ts.pass(age)
			if ts.sweep(); ts.isOpen() != (name == "old") {
				t.Fatal("abandoned too early, or not")
			}
			ts.configure(store.Settings{LateAfter: snapshot.LateAfter{"full": lateAfter}})
			ts.sentAgain("b", "again")
			ts.execute("b", "again")
			ts.wantSent(request("b", 1), notification(snapshot.AllReceived, 1))
			reopened := ts.now
			ts.wantAlerts(ts.sweep())
			ts.pass(lateAfter - time.Second)
			ts.wantAlerts(ts.sweep(), alert(snapshot.RunStalled, reopened))
			ts.pass(time.Second)
			ts.wantAlerts(ts.sweep(), alert(snapshot.RunLate, reopened))
			ts.pass(snapshot.AbandonedAfter - lateAfter - time.Second)
			ts.wantAlerts(ts.sweep())
			ts.pass(time.Second)
			ts.wantAlerts(ts.sweep(), alert(snapshot.RunAbandoned, reopened))
			if ts.isOpen() {
				t.Error("not abandoned in the end")
			}
		})
	}
}

// A sweep does not abandon a run that is reopened after the sweep read it.
func TestARunThatIsReopenedIsNotAbandoned(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.pass(snapshot.AbandonedAfter)
		open, found := ts.openRun(), ts.examine("sweep")
		ts.sentAgain("b", "again")
		ts.reconcile("b", "me")
		ts.ok(ts.store.Finish(ts.Context(), open, found))
		if !ts.isOpen() {
			ts.Error("abandoned")
		}
	})
}

// examineAndFinish is a sweep that starts no executions and delivers its alerts.
func (ts *testStore) examineAndFinish(owner string) store.Examination {
	ts.Helper()
	open, found := ts.openRun(), ts.examine(owner)
	for _, alert := range found.Alerts {
		ts.deliver(alert, owner)
	}
	ts.ok(ts.store.Finish(ts.Context(), open, found))
	return found
}

func TestARunIsAbandoned(t *testing.T) {
	for name, c := range map[string]struct {
		given func(ts *testStore)
		want  []snapshot.Kind // alerts
	}{
		"unfinished": {func(ts *testStore) { ts.row("a", "Sent", 9) },
			[]snapshot.Kind{snapshot.RunAbandoned}},
		"done": {func(ts *testStore) { ts.row("a", "Success", 9); ts.check("a", "x", both) }, nil},
		"done but not notified": {func(ts *testStore) { ts.row("a", "Success", 9) },
			[]snapshot.Kind{snapshot.RunAbandoned}},
		"without rows": {func(*testStore) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.register("a")
			var last []snapshot.Outgoing
			for _, kind := range c.want {
				last = append(last, alert(kind, ts.now))
			}
			c.given(ts)
			ts.pass(snapshot.AbandonedAfter - time.Second)
			ts.wantAlerts(ts.examineAndFinish("sweep"))
			if !ts.isOpen() {
				t.Fatal("abandoned too early")
			}
			ts.pass(time.Second)
			ts.wantAlerts(ts.examineAndFinish("sweep"), last...)
			ts.register("a") // a message that comes later counts, and opens nothing
			if ts.isOpen() {
				t.Error("not abandoned")
			}
		})
	}
}

// Wherever the process ends on the way to the last alert: the run is abandoned after it, and the alert is the same. The
// alert about lateness does not replace it.
func TestARunIsNotAbandonedBeforeItsLastAlert(t *testing.T) {
	ts := newStore(t)
	began := ts.lateAfterwards(snapshot.AbandonedAfter)
	last, late := alert(snapshot.RunAbandoned, began), alert(snapshot.RunLate, began)
	ts.pass(snapshot.AbandonedAfter)
	ts.wantAlerts(ts.examine("first"), last, late)
	ts.wantAlerts(ts.examineAndFinish("other"))
	if !ts.isOpen() {
		t.Fatal("abandoned while another still has to alert")
	}
	ts.pass(store.DefaultLease)
	ts.wantAlerts(ts.examine("other"), last, late)
	ts.deliver(last, "other") // and ends before Finish
	ts.pass(store.DefaultLease)
	ts.wantAlerts(ts.examineAndFinish("third"), late)
	if ts.isOpen() {
		t.Error("not abandoned although the alert is delivered")
	}
}
