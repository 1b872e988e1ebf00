package store_test

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/store"
)

// Rows that TTL or a person deletes, and new ones.

// a is exported again and monitoring is notified again. a's row is deleted, and b is exported again: the generation
// does not depend on the rows that exist.
func TestADeletedRowPreventsNoNotification(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.exportedAgain("a", "second ", 3)
		ts.wantSent(append(bothOf(1), request("a", 3))...)
		ts.remove("a")
		ts.execute("a", "removal") // as the stream says
		ts.sweep()
		ts.wantSent()
		ts.exportedAgain("b", "second ", 1)
		ts.wantSent(append(bothOf(2), request("b", 1))...)
	})
}

// The predecessor counted three of a's four files. a's row is deleted after monitoring was notified.
func TestADeletedRowRepeatsNoNotification(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a", "b")
		ts.row("a", "Sent", 4)
		ts.predecessorCounts("a", 3)
		ts.count(receipt("a", "one"))
		ts.execute("a", "e1")
		ts.count(successFile("a", "success"))
		ts.execute("a", "e2")
		ts.export("b", "first ", 1)
		ts.wantSent(append(bothOf(0), request("a", -3), request("b", 0))...)
		ts.remove("a")
		for i := range 3 {
			ts.execute("a", fmt.Sprint("removal ", i))
			ts.execute("b", fmt.Sprint("any ", i))
			ts.sweep()
			ts.pass(2 * store.DefaultLease)
		}
		ts.wantSent()
	})
}

// The blocker's row is deleted before monitoring was notified: the others are all rows, and monitoring is notified
// once.
func TestTheBlockerIsDeleted(t *testing.T) {
	for name, event := range map[string]func(ts *testStore){
		"and the stream says so": func(ts *testStore) { ts.execute("a", "removal") },
		"and a sweep finds it":   func(ts *testStore) { ts.sweep() },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.runOf("a", "b", "c")
				ts.export("b", "first ", 1)
				ts.export("c", "first ", 1)
				ts.wantSent(request("b", 0), request("c", 0))
				ts.remove("a")
				event(ts)
				ts.wantSent(bothOf(0)...)
				ts.sweep()
				ts.wantSent()
			})
		})
	}
}

// All rows are deleted: a run without rows notifies nothing, before or after a notification.
func TestAllRowsAreDeleted(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.runOf("a")
	ts.count(receipt("a", "one"))
	ts.remove("a")
	ts.execute("a", "removal")
	ts.sweep()
	ts.wantSent()

	ts = newMemoryStore(t)
	doneAndNotified(ts)
	ts.remove("a")
	ts.remove("b")
	ts.execute("a", "removal")
	ts.sweep()
	ts.wantSent()
}

// A correlation id that is used again for other collections.
func TestAReusedCorrelationID(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.remove("a")
		ts.remove("b")
		ts.register("c") // changes nothing
		ts.row("c", "Exporting", 0)
		ts.row("d", "Exporting", 0)
		ts.export("c", "m", 1)
		ts.wantSent(request("c", 0))
		ts.export("d", "m", 1)
		ts.wantSent(append(bothOf(1), request("d", 0))...)
	})
}

// The exporter makes the same rows again under the same correlation id.
func TestAllRowsAreReplaced(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.replace("a", "Exporting", 0)
		ts.replace("b", "Exporting", 0)
		ts.export("a", "second ", 2)
		ts.wantSent(request("a", 3))
		ts.export("b", "second ", 2)
		ts.wantSent(append(bothOf(1), request("b", 1))...)
	})
}
