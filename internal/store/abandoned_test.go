package store_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// A run that was done and abandoned, or is old, is reopened: it is looked after like a new one, for as long.
func TestAReopenedRunIsLookedAfter(t *testing.T) {
	for name, age := range map[string]time.Duration{"abandoned": snapshot.AbandonedAfter,
		"old": snapshot.AbandonedAfter - time.Second} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				doneAndNotified(w)
				w.pass(age)
				if w.sweep(); w.isOpen() != (name == "old") {
					w.Fatal("abandoned too early, or not")
				}
				w.exportAgain("b")
				w.row("b", "Sent", 1)
				w.count(receipt("b", "again"))
				clear(w.sent)
				w.reconcile("b", "dead")
				reopened := w.now
				w.pass(snapshot.AbandonedAfter - time.Second)
				w.sweep()
				w.wantSent(request("b", 1), notification(snapshot.AllReceived, 1))
				w.pass(time.Second)
				w.wantAlert(alert(snapshot.RunAbandoned, reopened), w.examineAndFinish("sweep"))
				if w.isOpen() {
					w.Error("not abandoned in the end")
				}
			})
		})
	}
}

// A sweep that read a run as old and done abandons it no more when it is reopened meanwhile.
func TestARunThatIsReopenedIsNotAbandoned(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.pass(snapshot.AbandonedAfter)
		open, found := w.openRun(), w.examine("sweep")
		w.exportAgain("b")
		w.row("b", "Sent", 1)
		w.count(receipt("b", "again"))
		w.reconcile("b", "me")
		w.finish(open, found)
		if !w.isOpen() {
			w.Error("abandoned")
		}
	})
}
