package e2e

import "testing"

// No message follows these changes, so the stream starts the reconciliation: Sent after the last file, Received that
// the sender itself writes for a collection without files, and Sent over Received and over Success, which is repaired.
func changesBySender(t *testing.T, s *system) {
	r := s.newRun(t)
	const last, empty = "db.changed.last", "db.changed.empty"
	r.put(last, "Exported", 0)
	r.put(empty, "Exported", 0)
	r.handle(r.many(2, last)...)
	r.set(last, "FilesSent", number(2))
	r.wantRow(last, "Exported", 2)
	r.wantRequests()

	r.set(last, "CollectionStatus", text("Sent"))
	r.becomes(last, "Received")
	r.wantRow(last, "Received", 2)
	r.wantRequests(r.request(last))
	r.wantNotifications()
	r.set(empty, "CollectionStatus", text("Received"))
	r.wantNotifications(r.allReceived())

	r.set(last, "CollectionStatus", text("Sent"))
	r.becomes(last, "Received")
	r.handle(r.successFile(last), r.file(last)) // a late file only counts
	r.wantRow(last, "Success", 3)
	r.wantNotifications(r.allReceived())
	r.set(last, "CollectionStatus", text("Sent"))
	r.becomes(last, "Success")
	r.set(empty, "CollectionStatus", text("SUCCESS"))
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRow(last, "Success", 3)
	r.wantRequests(r.request(last))
	r.wantRejected()
}

// The run waits for rows that are then removed: the removal leads to the notifications. A removal after them sends
// nothing.
func rowsRemoved(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b, x, y = "db.removed.a", "db.removed.b", "db.removed.x", "db.removed.y"
	for collection, sent := range map[string]int{a: 1, b: 1, x: 2} {
		r.put(collection, "Sent", sent)
	}
	r.put(y, "Exporting", 0)
	r.handle(r.file(a), r.file(b), r.file(x))
	r.remove(x)
	r.wantNotifications()
	r.remove(y)
	r.wantNotifications(r.allReceived())

	r.handle(r.successFile(a))
	r.wantNotifications(r.allReceived())
	r.remove(b) // it waited for its success file
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRow(a, "Success", 1)
	r.remove(a)
	r.callSweep()
	if err := r.executions.refresh(r.t.Context()); err != nil { // those that it started may not be known yet
		r.t.Fatal(err)
	}
	r.settle(nil)
	r.wantRequests(r.request(a), r.request(b))
	r.wantNotifications(r.allReceived(), r.allSuccessful())
}

// A new export of a collection, which sets its counters back, sends a new request, and both notifications again. The
// success file of the earlier export does not count for it.
func newExport(t *testing.T, s *system) {
	r := s.newRun(t)
	const again, other = "db.again.a", "db.again.b"
	r.put(again, "Sent", 3)
	r.put(other, "Sent", 1)
	r.handle(append(r.many(3, again), r.file(other))...)
	r.handle(r.successFile(again), r.successFile(other))
	requests := []string{r.request(again), r.request(other)}
	notifications := []string{r.allReceived(), r.allSuccessful()}
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.set(again, "CollectionStatus", text("Exporting"))
	r.set(again, "FilesReceived", number(0))
	r.set(again, "FilesSent", number(0))
	r.handle(r.file(again))
	r.wantRow(again, "Exporting", 1)
	r.handle(r.file(again))
	r.set(again, "FilesSent", number(2))
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.set(again, "CollectionStatus", text("Sent"))
	r.becomes(again, "Received")
	r.wantRow(again, "Received", 2)
	requests, notifications = append(requests, r.request(again)), append(notifications, r.allReceived())
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.handle(r.successFile(again))
	r.wantRow(again, "Success", 2)
	r.wantRow(other, "Success", 1)
	r.wantRequests(requests...)
	r.wantNotifications(append(notifications, r.allSuccessful())...)
	r.wantRejected()
}
