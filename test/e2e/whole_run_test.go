package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Several collections, all formats and spellings of flags, shuffled and sent concurrently.
func wholeRun(t *testing.T, s *system) {
	r := s.newRun(t)
	for collection, sent := range map[string]int{"db.core.agent": 3, "db.core.claim": 6, `db.odd."<&>"`: 2} {
		r.put(collection, "Sent", sent, item{"FilesReceived": number(0)})
	}
	r.put("core.plain", "SENT", 1) // in any case; without FilesReceived
	inStrings := fields{"shutdown_flag": "False", "reprocess_files": "TRUE", "is_success_file": "false"}
	booleans := fields{"shutdown_flag": true, "reprocess_files": false, "is_success_file": false,
		"something": "unknown"}
	claim := r.many(6, "db.core.claim", inStrings)
	odd := r.many(2, `db.odd."<&>"`, fields{"filename": absent, "file_name": "from-the-real-producer"})
	messages := append(r.many(3, "db.core.agent"),
		r.file("core.plain", booleans),
		claim[0], claim[1],
		envelope(object(claim[2])),
		envelope(escaped(claim[3]), object(claim[4]), object(odd[0])),
		envelope(object(envelope(escaped(claim[5])))), // a replayed envelope
		odd[1],
	)
	shuffle(messages)
	r.handle(messages...)

	r.wantRow("db.core.agent", "Received", 3)
	r.wantRow("db.core.claim", "Received", 6)
	r.wantRow("core.plain", "RECEIVED", 1)
	r.wantRow(`db.odd."<&>"`, "Received", 2)
	requests := []string{
		r.request("db.core.agent"),
		r.flaggedRequest("db.core.claim", false, true),
		r.flaggedRequest("core.plain", true, false),
		r.request(`db.odd."<&>"`),
	}
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived())

	successes := []string{
		r.successFile("db.core.agent"), r.successFile(`db.odd."<&>"`),
		r.file("db.core.claim", inStrings, fields{"is_success_file": "True"}),
		envelope(object(r.file("core.plain", booleans, fields{"is_success_file": true}))),
	}
	shuffle(successes)
	r.handle(successes...)
	r.wantRow("db.core.agent", "Success", 3)
	r.wantRow("db.core.claim", "Success", 6)
	r.wantRow("core.plain", "SUCCESS", 1)
	r.wantRow(`db.odd."<&>"`, "Success", 2)
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRejected()

	seen := map[string]bool{"": true}
	for _, m := range append(r.sentNotifications(), r.sentRequests()...) {
		if id := m.attributes["event_id"]; seen[id] {
			t.Errorf("event_id %q is missing or not unique: %s", id, m.text)
		} else {
			seen[id] = true
		}
	}
}

// Many executions complete the run at the same moment.
func fortyAtOnce(t *testing.T, s *system) {
	r := s.newRun(t)
	const collections = 40
	var messages, successes, requests []string
	for i := range collections {
		name := fmt.Sprintf("db.forty.collection%02d", i)
		r.put(name, "Sent", 1)
		messages = append(messages, r.file(name))
		successes = append(successes, fmt.Sprintf(`{"messageId": "%s-%d", "body": %s}`, r.id, i,
			encode(r.successFile(name))))
		requests = append(requests, r.request(name))
	}
	r.handle(messages...)
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived())

	// Concurrently in one execution, and in two.
	r.start(delivered(successes[:25]...), delivered(successes[15:collections-1]...))
	r.wantNotifications(r.allReceived())
	// The last one comes many times at once, so that all of these check a run that is done.
	r.start(slices.Repeat([]string{delivered(successes[collections-1])}, 15)...)
	for i := range collections {
		r.wantRow(fmt.Sprintf("db.forty.collection%02d", i), "Success", 1)
	}
	r.wantRequests(requests...)
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRejected()
}

func shuffle(messages []string) {
	rand.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
}

// Only the status, the count of received files and new attributes change.
func rowsOfOthers(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.shared.row", "Sent", 2, item{
		"FilesExported": number(2), "ExportDate": text(exportDate), "TimeToExist": number(4102444800),
		"Nested":   &types.AttributeValueMemberM{Value: item{"Flag": &types.AttributeValueMemberBOOL{Value: true}}},
		"Nothing":  &types.AttributeValueMemberNULL{Value: true},
		"Counters": &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
	})
	r.put("db.shared.neighbour", "Exporting", 0)
	before, neighbour := r.row("db.shared.row"), r.row("db.shared.neighbour")
	r.handle(append(r.many(2, "db.shared.row"), r.successFile("db.shared.row"))...)
	r.wantRow("db.shared.row", "Success", 2)

	after := r.row("db.shared.row")
	for name := range after {
		if _, old := before[name]; !old {
			delete(after, name)
		}
	}
	before["CollectionStatus"], after["CollectionStatus"] = nil, nil
	if diff := cmp.Diff(before, after, attributes); diff != "" {
		t.Errorf("attributes of others (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(neighbour, r.row("db.shared.neighbour"), attributes); diff != "" {
		t.Errorf("row of a collection without messages (-before +after)\n%s", diff)
	}
}

// attributes ignores unexported fields of the SDK's values.
var attributes = cmp.Options{
	cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{},
		types.AttributeValueMemberM{},
		types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberNS{}),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
}
