package e2e

import (
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func oneIdentityManyTimes(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.repeated.collection"
	r.put(collection, "Sent", 3)
	a, b, c := r.file(collection), r.file(collection), r.file(collection)
	idA, idB, idC := r.id+"-a", r.id+"-b", r.id+"-c"

	// In one batch, and in several concurrent ones.
	fiveTimes := envelope(identified(idA, a), identified(idA, a), identified(idA, a), identified(idA, a),
		identified(idA, a))
	r.handle(fiveTimes, fiveTimes, fiveTimes)
	r.wantRow(collection, "Sent", 1)

	// As Pipes delivers them, concurrently.
	batch := delivered(identified(idB, b), identified(idB, b), identified(idA, a), identified(idB, b))
	r.start(batch, batch, batch, delivered(identified(idA, a)), delivered(identified(idB, b)))
	r.wantRow(collection, "Sent", 2)
	r.wantRequests()

	// Many executions complete the collection at once.
	last := envelope(identified(idC, c), identified(idC, c), identified(idA, a))
	r.handle(last, last, last, last, fiveTimes)
	r.wantRow(collection, "Received", 3)
	r.wantRequests(r.request(collection))
	r.wantNotifications(r.allReceived())

	// The success file too.
	success := r.successFile(collection)
	successes := envelope(identified(r.id+"-s", success), identified(r.id+"-s", success))
	r.handle(successes, successes, last)
	r.wantRow(collection, "Success", 3)

	// Later.
	r.handle(fiveTimes, last, successes)
	r.start(batch)
	r.wantRow(collection, "Success", 3)
	r.wantRequests(r.request(collection))
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRejected()
}

// Each bad message and each bad record of an envelope is rejected unchanged, with its reason, and does not stop the
// good ones.
func badMessages(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.bad.messages"
	r.put(collection, "Sent", 100)
	with := func(field string, value any) string { return r.file(collection, fields{field: value}) }
	bad := map[string]snapshot.Reason{
		`{"collection_name": "db.other",` + r.file(collection)[1:]: snapshot.ReasonRepeatedKey,
		"not JSON at all":  snapshot.ReasonNotJSON,
		`["` + r.id + `"]`: snapshot.ReasonNotAnObject,
		`{"Records": []}`:  snapshot.ReasonNoRecords,
		with("collection_name", strings.Repeat("é", 513)):     snapshot.ReasonFieldTooLong,
		with("collection_name", "db.no.row"):                  snapshot.ReasonUnknownCollection,
		" { \"odd\" :\t\"Кириллица </b> \\u00e9 \\/ é\"}\r\n": snapshot.ReasonFieldMissing,
		with("snapshot_type", 7):                              snapshot.ReasonFieldNotString,
		with("shutdown_flag", "yes"):                          snapshot.ReasonFlagInvalid,
	}
	records := map[string]snapshot.Reason{
		`{"body": ""}`: snapshot.ReasonNoBody,
		`{"messageId": ["a"], "body": ` + r.file(collection) + `}`: snapshot.ReasonIdentityInvalid,
	}
	messages, envelopes := []string{r.file(collection)}, []string{escaped(r.file(collection))}
	for text, reason := range bad {
		messages = append(messages, text)
		records[escaped(text)] = reason
	}
	for record := range records {
		envelopes = append(envelopes, record, object(r.file(collection)))
	}
	messages = append(messages, envelope(envelopes...))
	ids := r.handle(messages...)
	var want []rejection
	for i, text := range messages[1 : len(messages)-1] {
		want = append(want, rejection{ids[i+1], bad[text], text})
	}
	for i, record := range envelopes {
		if reason, isBad := records[record]; isBad {
			want = append(want, rejection{fmt.Sprint(ids[len(ids)-1], "/", i), reason, record})
		}
	}
	r.wantRejected(want...)
	r.wantRow(collection, "Sent", 2+len(records))
	if row := r.row("db.no.row"); len(row) > 0 {
		t.Errorf("a row was created: %v", row)
	}
	r.wantRequests()
	r.wantNotifications()
}

// A row that cannot be read: its messages are rejected, those of its neighbour count. They are replayed when the row is
// repaired.
func brokenRow(t *testing.T, s *system) {
	r := s.newRun(t)
	const good, broken = "db.good.row", "db.broken.row"
	r.put(good, "Sent", 1)
	r.put(broken, "Sent", 0, item{"FilesSent": text("two")})
	plain, record := r.file(broken), object(r.file(broken))
	ids := r.handle(plain, envelope(object(r.file(good)), record))
	inside := ids[1] + "/1"
	r.wantRejected(rejection{ids[0], snapshot.ReasonNotCounted, plain},
		rejection{inside, snapshot.ReasonNotCounted, record})
	for _, m := range r.rejectedMessages() {
		if !strings.Contains(m.attributes["reason"], "FilesSent") {
			t.Errorf("the reason does not say what is wrong: %q", m.attributes["reason"])
		}
	}
	r.wantRow(good, "Received", 1)
	r.wantRequests(r.request(good))
	r.wantNotifications()

	r.set(broken, "FilesSent", number(2))
	first := envelope(identified(ids[0], plain))
	r.handle(first, first)
	r.wantRow(broken, "Sent", 1)
	r.handle(first, envelope(identified(inside, record)))
	r.wantRow(broken, "Received", 2)
	r.wantRequests(r.request(good), r.request(broken))
	r.sweep(2, 1) // the check of the run failed at the broken row and was left to the sweep
	r.wantNotifications(r.allReceived())
}
