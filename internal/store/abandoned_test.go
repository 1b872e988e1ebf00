package store_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// An abandoned or old run that is reopened is swept again, for another 14 days.
func TestAReopenedRunIsSweptAgain(t *testing.T) {
	for name, age := range map[string]time.Duration{"abandoned": snapshot.AbandonedAfter,
		"old": snapshot.AbandonedAfter - time.Second} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				doneAndNotified(ts)
				ts.pass(age)
				if ts.sweep(); ts.isOpen() != (name == "old") {
					ts.Fatal("abandoned too early, or not")
				}
				ts.exportAgain("b")
				ts.row("b", "Sent", 1)
				ts.count(receipt("b", "again"))
				clear(ts.sent)
				ts.reconcile("b", "first")
				reopened := ts.now
				ts.pass(snapshot.AbandonedAfter - time.Second)
				ts.sweep()
				ts.wantSent(request("b", 1), notification(snapshot.AllReceived, 1))
				ts.pass(time.Second)
				ts.wantAlert(alert(snapshot.RunAbandoned, reopened), ts.examineAndFinish("sweep"))
				if ts.isOpen() {
					ts.Error("not abandoned in the end")
				}
			})
		})
	}
}

// A sweep does not abandon a run that is reopened after the sweep read it.
func TestARunThatIsReopenedIsNotAbandoned(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.pass(snapshot.AbandonedAfter)
		open, found := ts.openRun(), ts.examine("sweep")
		ts.exportAgain("b")
		ts.row("b", "Sent", 1)
		ts.count(receipt("b", "again"))
		ts.reconcile("b", "me")
		ts.finish(open, found)
		if !ts.isOpen() {
			ts.Error("abandoned")
		}
	})
}
