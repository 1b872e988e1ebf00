package e2e_test

import "testing"

// again sets a collection's counter back and exports it again: one file for each of the row's FilesSent, and a success
// file.
func (r *run) again(collection string, files int) {
	r.t.Helper()
	r.set(collection, "FilesReceived", number(0))
	r.set(collection, "CollectionStatus", text("Sent"))
	r.complete(collection, files)
}

// complete sends what is missing to a row that is Sent.
func (r *run) complete(collection string, files int) {
	r.t.Helper()
	r.handle(r.many(files, collection)...)
	r.wantRow(collection, "Received", files)
	r.handle(r.successFile(collection))
	r.wantRow(collection, "Success", files)
}

// both is the notifications that a run got before, and both of them again.
func (r *run) both(before ...string) []string {
	return append(before, r.allReceived(), r.allSuccessful())
}

// wantSilence calls the sweep and compares what came out with what had come out before.
func (r *run) wantSilence(requests, notifications []string) {
	r.t.Helper()
	r.callSweep()
	if err := r.executions.refresh(r.t.Context()); err != nil { // or those that it started may not be known yet
		r.t.Fatal(err)
	}
	r.settle(nil)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)
}

// A row whose later export monitoring was notified of is removed. What it had counted is missed in no later
// notification.
func exportedAgainAfterRemoval(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b = "db.vanish.a", "db.vanish.b"
	r.put(a, "Sent", 3)
	r.put(b, "Sent", 1)
	r.handle(append(r.many(3, a), r.file(b))...)
	r.handle(r.successFile(a), r.successFile(b))
	requests, notifications := []string{r.request(a), r.request(b)}, r.both()
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.again(a, 3)
	requests, notifications = append(requests, r.request(a)), r.both(notifications...)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.remove(a)
	r.wantNotifications(notifications...)

	r.again(b, 1)
	requests, notifications = append(requests, r.request(b)), r.both(notifications...)
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.remove(b)
	r.wantSilence(requests, notifications)
	r.wantRejected()
}

// A row of which another system counted files is removed: that the rest sum up to another number notifies nobody.
func removedAfterOthersCounted(t *testing.T, s *system) {
	r := s.newRun(t)
	const a, b = "db.sum.a", "db.sum.b"
	r.put(a, "Sent", 4, item{"FilesReceived": number(3)})
	r.put(b, "Sent", 1)
	r.handle(r.file(a), r.file(b))
	r.wantRow(a, "Received", 4)
	r.wantRow(b, "Received", 1)
	r.handle(r.successFile(a), r.successFile(b))
	requests, notifications := []string{r.request(a), r.request(b)}, r.both()
	r.wantRequests(requests...)
	r.wantNotifications(notifications...)

	r.remove(a)
	r.wantSilence(requests, notifications)
	r.wantRow(b, "Success", 1)
	r.wantNoRow(a)
}

// A run id is used again when all rows are gone, for a collection that it had before and for another one: monitoring is
// notified as of any run, once.
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

	r.remove(c)
	r.remove(a)
	r.put(b, "Sent", 1)
	r.complete(b, 1)
	r.wantRequests(append(requests, r.request(b))...)
	r.wantNotifications(r.both(notifications...)...)
	r.wantRejected()
}

// A collection that is added to a run of which monitoring was notified retracts nothing; when it is received, and
// successful, monitoring is notified again of what it had been notified of.
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
