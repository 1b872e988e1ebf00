package e2e_test

import "testing"

// No message follows, so the stream starts the reconciliation.
func sentWrittenLast(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.last.a", "Exported", 0)
	r.put("db.last.b", "EXPORTED", 1)
	r.handle(append(r.many(2, "db.last.a"), r.file("db.last.b"))...)
	r.wantRow("db.last.a", "Exported", 2)
	r.set("db.last.a", "FilesSent", number(2))
	r.wantRequests()

	r.set("db.last.a", "CollectionStatus", text("Sent"))
	r.becomes("db.last.a", "Received")
	r.wantRow("db.last.a", "Received", 2)
	r.wantRequests(r.request("db.last.a"))
	r.wantNotifications()
	r.set("db.last.b", "CollectionStatus", text("SENT"))
	r.becomes("db.last.b", "RECEIVED")
	r.wantRow("db.last.b", "RECEIVED", 1)
	r.wantRequests(r.request("db.last.a"), r.request("db.last.b"))
	r.wantNotifications(r.allReceived())
}

// Sent over Received or Success leads to no request or notification.
func sentWrittenOver(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.over.a", "Sent", 2)
	r.handle(r.many(2, "db.over.a")...)
	r.wantRow("db.over.a", "Received", 2)
	r.set("db.over.a", "CollectionStatus", text("Sent"))
	r.becomes("db.over.a", "Received")
	r.wantRow("db.over.a", "Received", 2)
	r.wantRequests(r.request("db.over.a"))
	r.wantNotifications(r.allReceived())

	r.handle(r.successFile("db.over.a"))
	r.wantRow("db.over.a", "Success", 2)
	for range 2 {
		r.set("db.over.a", "CollectionStatus", text("Sent"))
		r.becomes("db.over.a", "Success")
		r.wantRow("db.over.a", "Success", 2)
		r.wantRequests(r.request("db.over.a"))
		r.wantNotifications(r.allReceived(), r.allSuccessful())
	}
}

// The sender itself moves the last collection of a run, which has no files, to Received.
func receivedBySender(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.others.a", "Sent", 1)
	r.put("db.others.empty", "Exported", 0)
	r.handle(r.file("db.others.a"))
	r.wantNotifications()
	r.set("db.others.empty", "CollectionStatus", text("Received"))
	r.wantNotifications(r.allReceived())
	r.becomes("db.others.empty", "Received")
	r.wantNotifications(r.allReceived())
	r.wantRequests(r.request("db.others.a"))
}

// The success file comes first, Sent last.
func successBeforeSent(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.before.a", "Exported", 2)
	r.handle(r.successFile("db.before.a"))
	r.handle(r.many(2, "db.before.a")...)
	r.wantRow("db.before.a", "Exported", 2)
	r.wantRequests()
	r.wantNotifications()
	r.set("db.before.a", "CollectionStatus", text("Sent"))
	r.becomes("db.before.a", "Success")
	r.wantRow("db.before.a", "Success", 2)
	r.wantRequests(r.request("db.before.a"))
	r.wantUnorderedNotifications(r.allReceived(), r.allSuccessful())
}

func countersSetBack(t *testing.T, s *system) {
	newExport(t, s, func(r *run, collection string) {
		r.set(collection, "CollectionStatus", text("Exporting"))
		r.set(collection, "FilesReceived", number(0))
		r.set(collection, "FilesSent", number(0))
	})
}

func rowReplaced(t *testing.T, s *system) {
	newExport(t, s, func(r *run, collection string) { r.put(collection, "Exporting", 0) })
}

// A new export of a collection sends a new request, and both notifications again. The success file of the earlier
// export does not count for it.
func newExport(t *testing.T, s *system, begin func(r *run, collection string)) {
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

	begin(r, again)
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
