package store_test

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/store"
)

// Rows that TTL or a person deletes, and others that come.

// Case 1a of the cases from outside: a is exported again and monitoring is notified again, a's row is deleted, and b is
// exported again. The generation does not follow from rows that can vanish.
func TestARowThatVanishesSilencesNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.exportedAgain("a", "second ", 3)
		w.wantSent(append(bothOf(1), request("a", 3))...)
		w.remove("a")
		w.execute("a", "removal") // as the stream says
		w.sweep()
		w.wantSent()
		w.exportedAgain("b", "second ", 1)
		w.wantSent(append(bothOf(2), request("b", 1))...)
	})
}

// Case 1b: others counted three of a's four files before. Its row is deleted after monitoring was notified.
func TestARowThatVanishesNotifiesNobodyAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		w.runOf("a", "b")
		w.row("a", "Sent", 4)
		w.predecessorCounts("a", 3)
		w.count(receipt("a", "one"))
		w.execute("a", "e1")
		w.count(successFile("a", "success"))
		w.execute("a", "e2")
		w.export("b", "first ", 1)
		w.wantSent(append(bothOf(0), request("a", -3), request("b", 0))...)
		w.remove("a")
		for i := range 3 {
			w.execute("a", fmt.Sprint("removal ", i))
			w.execute("b", fmt.Sprint("any ", i))
			w.sweep()
			w.pass(2 * store.DefaultLease)
		}
		w.wantSent()
	})
}

// The row that the run waits for is deleted before monitoring was notified: the others are all, and that is told once.
func TestTheBlockerVanishes(t *testing.T) {
	for name, event := range map[string]func(w *world){
		"and the stream says so": func(w *world) { w.execute("a", "removal") },
		"and a sweep finds it":   func(w *world) { w.sweep() },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.runOf("a", "b", "c")
				w.export("b", "first ", 1)
				w.export("c", "first ", 1)
				w.wantSent(request("b", 0), request("c", 0))
				w.remove("a")
				event(w)
				w.wantSent(bothOf(0)...)
				w.sweep()
				w.wantSent()
			})
		})
	}
}

// Every row vanishes: a run without rows notifies nobody, before and after it was notified.
func TestAllRowsVanish(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.runOf("a")
	w.count(receipt("a", "one"))
	w.remove("a")
	w.execute("a", "removal")
	w.sweep()
	w.wantSent()

	w = newMemoryWorld(t)
	doneAndNotified(w)
	w.remove("a")
	w.remove("b")
	w.execute("a", "removal")
	w.sweep()
	w.wantSent()
}

// A run id that is used again, for other collections: the ledger knows the run, and its rows are others.
func TestARunIDThatIsUsedAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.remove("a")
		w.remove("b")
		w.register("c") // changes nothing
		w.row("c", "Exporting", 0)
		w.row("d", "Exporting", 0)
		w.export("c", "m", 1)
		w.wantSent(request("c", 0))
		w.export("d", "m", 1)
		w.wantSent(append(bothOf(1), request("d", 0))...)
	})
}

// The same rows are made anew, as the exporter does under a run id that it uses again.
func TestAllRowsAreReplaced(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.replace("a", "Exporting", 0)
		w.replace("b", "Exporting", 0)
		w.export("a", "second ", 2)
		w.wantSent(request("a", 3))
		w.export("b", "second ", 2)
		w.wantSent(append(bothOf(1), request("b", 1))...)
	})
}
