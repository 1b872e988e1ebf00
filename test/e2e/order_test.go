package e2e_test

import "testing"

// A success file before the last file is remembered, and not counted as a file.
func earlySuccessFile(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.early.a", "Sent", 2)
	r.put("db.early.b", "Exported", 1)
	r.handle(r.successFile("db.early.a"), r.file("db.early.a"))
	r.wantRow("db.early.a", "Sent", 1)
	r.handle(r.successFile("db.early.b"))
	r.wantRequests()
	r.wantNotifications()

	r.handle(r.file("db.early.a"))
	r.wantRow("db.early.a", "Success", 2)
	r.wantRequests(r.request("db.early.a"))
	r.wantNotifications() // the other is not received

	r.set("db.early.b", "CollectionStatus", text("Sent"))
	r.handle(r.file("db.early.b"))
	r.wantRow("db.early.b", "Success", 1)
	r.wantRequests(r.request("db.early.a"), r.request("db.early.b"))
	r.wantUnorderedNotifications(r.allReceived(), r.allSuccessful())
}

// A collection that is not received blocks both notifications, whatever its status is.
func blockingStatuses(t *testing.T, s *system) {
	var messages, successes []string
	var runs []*run
	for _, status := range []string{"Exporting", "Exported", "Export_Failed", "Table_Unavailable", "Blocked_Topic",
		"BLOCKED_TOPIC", "Sent", "Unheard_Of"} {
		r := s.newRun(t)
		r.put("db.blocked.a", "Sent", 1)
		r.put("db.blocked.b", status, 2, item{"FilesReceived": number(1)})
		messages, successes = append(messages, r.file("db.blocked.a")), append(successes, r.successFile("db.blocked.a"))
		runs = append(runs, r)
	}
	one := runs[0]
	one.handle(messages...)
	one.handle(successes...)
	for _, r := range runs {
		r.wantRow("db.blocked.a", "Success", 1)
		r.wantRequests(r.request("db.blocked.a"))
		r.wantNotifications()
	}

	// A receipt does not move what is not Sent.
	one.handle(one.file("db.blocked.b"))
	one.wantRow("db.blocked.b", "Exporting", 2)
	one.wantNotifications()

	// The stream reports that the blocker is done. A duplicate adds nothing.
	late := envelope(identified(one.id+"-late", one.file("db.blocked.a")))
	one.handle(late)
	one.wantNotifications()
	one.set("db.blocked.b", "CollectionStatus", text("Success"))
	one.wantUnorderedNotifications(one.allReceived(), one.allSuccessful())
	one.handle(late)
	one.wantUnorderedNotifications(one.allReceived(), one.allSuccessful())
	one.wantRequests(one.request("db.blocked.a"))
}

func moreReceivedThanSent(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.more.collection", "Exported", 0)
	r.handle(r.many(3, "db.more.collection")...)
	r.set("db.more.collection", "FilesSent", number(2))
	r.set("db.more.collection", "CollectionStatus", text("Sent"))
	r.handle(r.file("db.more.collection"))
	r.wantRow("db.more.collection", "Received", 4)
	r.wantRequests(r.request("db.more.collection"))
	r.wantNotifications(r.allReceived())
}

// A late file counts and changes nothing else.
func lateFiles(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.late.collection", "Sent", 2)
	r.handle(r.many(2, "db.late.collection")...)
	r.wantRow("db.late.collection", "Received", 2)
	r.handle(r.many(2, "db.late.collection")...)
	r.wantRow("db.late.collection", "Received", 4)
	r.handle(r.successFile("db.late.collection"), r.successFile("db.late.collection"))
	r.handle(r.file("db.late.collection"))
	r.wantRow("db.late.collection", "Success", 5)
	r.wantRequests(r.request("db.late.collection"))
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRejected()
}
