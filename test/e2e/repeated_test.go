package e2e_test

import (
	"strings"
	"testing"
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

// The same identity with another content is another message: it counts once.
func oneIdentityTwoContents(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.reused.collection"
	r.put(collection, "Sent", 10)
	first, other, another := r.file(collection), r.file(collection), r.file(collection)
	id, idInBatch := r.id+"-reused", r.id+"-batch"
	batch := delivered(identified(idInBatch, first), identified(idInBatch, another))

	r.handle(envelope(identified(id, first)))
	r.handle(envelope(identified(id, other), identified(r.id+"-good", r.file(collection))))
	r.start(batch)
	r.wantRow(collection, "Sent", 5)

	// Duplicates, also with another spelling of the fields.
	spelled := strings.Replace(first, `"snapshot_type":"full"`, "\n \"snapshot_type\" : \"\\u0066ull\", \"unknown\": 1",
		1)
	if spelled == first {
		t.Fatal("the message is spelled as before: ", first)
	}
	r.handle(envelope(identified(id, first), identified(id, spelled)), envelope(identified(id, other)))
	r.start(batch)
	r.wantRow(collection, "Sent", 5)
	r.wantRejected()
}
