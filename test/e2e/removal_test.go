package e2e_test

import "testing"

// The run waits for two rows that are then removed: the removal leads to the notifications.
func rowRemovedBefore(t *testing.T, s *system) {
	r := s.newRun(t)
	for _, collection := range []string{"db.removed.a", "db.removed.b"} {
		r.put(collection, "Sent", 1)
	}
	r.put("db.removed.x", "Sent", 2)
	r.put("db.removed.y", "Exporting", 0)
	r.handle(r.file("db.removed.a"), r.file("db.removed.b"), r.file("db.removed.x"))
	requests := []string{r.request("db.removed.a"), r.request("db.removed.b")}
	r.wantRequests(requests...)
	r.remove("db.removed.x")
	r.wantNotifications()
	r.remove("db.removed.y")
	r.wantNotifications(r.allReceived())

	r.handle(r.successFile("db.removed.a"))
	r.wantNotifications(r.allReceived())
	r.remove("db.removed.b") // it waited for its success file
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRequests(requests...)
	r.wantNoRow("db.removed.x")
	r.wantRow("db.removed.a", "Success", 1)
}

// Removals after the notifications send nothing, whatever the removed rows had counted. A collection that is exported
// again leads to both notifications again. Row a was counted by another system in part, row b is exported twice.
func rowsRemovedAfter(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b, c = "db.gone.a", "db.gone.b", "db.gone.c"
	r.put(a, "Sent", 4, item{"FilesReceived": number(3)})
	r.put(b, "Sent", 3)
	r.put(c, "Sent", 1)
	r.handle(append(r.many(3, b), r.file(a), r.file(c))...)
	r.wantRow(a, "Received", 4)
	r.handle(r.successFile(a), r.successFile(b), r.successFile(c))
	requests, notifications := []string{r.request(a), r.request(b), r.request(c)}, r.both()
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)
	r.remove(a)
	r.wantNotifications(notifications...)

	r.exportAgain(b, 3)
	requests, notifications = append(requests, r.request(b)), r.both(notifications...)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)
	r.remove(b)
	r.wantNotifications(notifications...)

	r.exportAgain(c, 1)
	requests, notifications = append(requests, r.request(c)), r.both(notifications...)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	late := r.file(a)
	id := r.handle(late)[0]
	r.wantRejected(rejection{id, "UNKNOWN_COLLECTION", late})
	r.wantNoRow(a)
	r.callSweep()
	if err := r.executions.refresh(r.t.Context()); err != nil { // or those that it started may not be known yet
		r.t.Fatal(err)
	}
	r.settle(nil)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)
	r.wantRow(c, "Success", 1)
}

// All rows are removed, and the run id is used again for an old and a new collection: monitoring is notified once more.
func runIDUsedAgain(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b, c = "db.reuse.a", "db.reuse.b", "db.reuse.c"
	r.put(a, "Sent", 2)
	r.put(b, "Sent", 1)
	r.handle(append(r.many(2, a), r.file(b))...)
	r.handle(r.successFile(a), r.successFile(b))
	requests, notifications := []string{r.request(a), r.request(b)}, r.both()
	r.wantNotifications(notifications...)
	r.remove(a)
	r.remove(b)
	r.wantNotifications(notifications...)

	r.put(c, "Exporting", 0)
	r.put(a, "Sent", 1)
	r.complete(a, 1)
	requests = append(requests, r.request(a))
	r.wantRequests(requests...)
	r.wantNotifications(notifications...) // c is not received
	r.put(c, "Sent", 2)
	r.complete(c, 2)
	requests, notifications = append(requests, r.request(c)), r.both(notifications...)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)
	r.wantRejected()
}

// A collection is added after monitoring was notified. When it is received, and successful, monitoring gets the
// notifications that it had before again.
func collectionsAddedLater(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b, c = "db.added.a", "db.added.b", "db.added.c"
	r.put(a, "Sent", 1)
	r.handle(r.file(a))
	requests, notifications := []string{r.request(a)}, []string{r.allReceived()}
	r.wantNotifications(notifications...)

	r.put(b, "Exporting", 0)
	r.start(`{"reconcile": [` + r.element(a) + `, ` + r.element(b) + `]}`)
	r.wantNotifications(notifications...)
	r.put(b, "Sent", 2)
	r.complete(b, 2)
	requests, notifications = append(requests, r.request(b)), append(notifications, r.allReceived())
	r.wantRequests(requests...)
	r.wantNotifications(notifications...) // a is not successful
	r.handle(r.successFile(a))
	notifications = append(notifications, r.allSuccessful())
	r.wantNotifications(notifications...)

	r.put(c, "Exporting", 0)
	r.start(`{"reconcile": [` + r.element(a) + `, ` + r.element(c) + `]}`)
	r.wantNotifications(notifications...)
	r.put(c, "Sent", 1)
	r.complete(c, 1)
	r.wantRequests(append(requests, r.request(c))...)
	r.wantNotifications(r.both(notifications...)...)
}

// exportAgain sets a collection's counter back and exports as many files again.
func (r *run) exportAgain(collection string, files int) {
	r.t.Helper()
	r.set(collection, "FilesReceived", number(0))
	r.set(collection, "CollectionStatus", text("Sent"))
	r.complete(collection, files)
}

// complete sends the files and the success file of a row that is Sent.
func (r *run) complete(collection string, files int) {
	r.t.Helper()
	r.handle(r.many(files, collection)...)
	r.wantRow(collection, "Received", files)
	r.handle(r.successFile(collection))
	r.wantRow(collection, "Success", files)
}

// both appends both notifications to those of before.
func (r *run) both(before ...string) []string {
	return append(before, r.allReceived(), r.allSuccessful())
}
