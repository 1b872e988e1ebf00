package e2e_test

import "testing"

// The run waits for two rows that are then removed: monitoring is notified as if they had never been.
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

// Rows that are removed from a run of which monitoring was notified notify it neither again nor less: a collection that
// is exported again then notifies it as it would have with them.
func rowRemovedAfter(t *testing.T, s *system) {
	r := s.newRun(t)
	names := []string{"db.gone.a", "db.gone.b", "db.gone.c"}
	var requests []string
	for _, collection := range names {
		r.put(collection, "Sent", 1)
		requests = append(requests, r.request(collection))
	}
	r.handle(r.file("db.gone.a"), r.file("db.gone.b"), r.file("db.gone.c"))
	r.handle(r.successFile("db.gone.a"), r.successFile("db.gone.b"), r.successFile("db.gone.c"))
	notifications := []string{r.allReceived(), r.allSuccessful()}
	r.wantNotifications(notifications...)
	r.remove("db.gone.a")
	r.remove("db.gone.b")
	r.wantNotifications(notifications...)
	r.wantRequests(requests...)

	r.set("db.gone.c", "FilesReceived", number(0))
	r.set("db.gone.c", "CollectionStatus", text("Exported"))
	r.handle(r.file("db.gone.c"))
	r.set("db.gone.c", "CollectionStatus", text("Sent"))
	r.becomes("db.gone.c", "Received")
	r.wantRequests(append(requests, r.request("db.gone.c"))...)
	r.wantNotifications(append(notifications, r.allReceived())...)
	r.handle(r.successFile("db.gone.c"))
	r.wantNotifications(append(notifications, r.allReceived(), r.allSuccessful())...)

	// A message for a removed row is rejected; the row that comes back is counted like any other.
	late := r.file("db.gone.a")
	id := r.handle(late)[0]
	r.wantRejected(rejection{id, "UNKNOWN_COLLECTION", late})
	r.wantNoRow("db.gone.a")
}
