package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Several collections, all formats and spellings of flags, shuffled and sent concurrently.
func wholeRun(t *testing.T, s *system) {
	r := s.newRun(t)
	for collection, sent := range map[string]int{"db.core.agent": 3, "db.core.claim": 6, "core.plain": 1,
		`db.odd."<&>"`: 2} {
		r.put(collection, "Sent", sent, item{"FilesReceived": number(0)})
	}
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
	r.wantRow("core.plain", "Received", 1)
	r.wantRow(`db.odd."<&>"`, "Received", 2)
	requests := []string{
		r.request("db.core.agent"),
		r.flaggedRequest("db.core.claim", false, true),
		r.flaggedRequest("core.plain", true, false),
		r.request(`db.odd."<&>"`),
	}
	r.wantRequests(requests...)
	r.wantGroups(map[string]string{
		"db.core.agent": "db_core_agent", "db.core.claim": "db_core_claim", "core.plain": "core_plain",
		`db.odd."<&>"`: `db_odd_"<&>"`,
	})
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
	r.wantRow("core.plain", "Success", 1)
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

// The rows fill more than one page of 1 MB, and the blocker is on the last.
func manyPages(t *testing.T, s *system) {
	r := s.newRun(t)
	filler := item{"Remarks": text(strings.Repeat("x", 60_000))}
	for i := range 25 {
		r.put(fmt.Sprintf("db.pages.collection%02d", i), "Received", 1, filler, item{"FilesReceived": number(1)})
	}
	r.put("db.pages.a", "Sent", 1, filler)
	r.put("db.pages.z", "Sent", 1, filler)

	r.handle(r.file("db.pages.a"))
	r.wantRow("db.pages.a", "Received", 1)
	r.wantRequests(r.request("db.pages.a"))
	r.wantNotifications() // db.pages.z is not received

	r.handle(r.file("db.pages.z"))
	r.wantRow("db.pages.z", "Received", 1)
	r.wantRequests(r.request("db.pages.a"), r.request("db.pages.z"))
	r.wantNotifications(r.allReceived())
}

func oddNames(t *testing.T, s *system) {
	r := s.newRun(t)
	names := []string{
		"db.with blanks.in it", "db.коллекция.данных", "db.コレクション.データ", "db.tab\tand\nline.break",
		"db." + strings.Repeat("l", 126), "db." + strings.Repeat("l", 127), "db." + strings.Repeat("n", 1021),
	}
	var messages, requests []string
	for _, name := range names {
		r.put(name, "Sent", 1)
		messages = append(messages, r.file(name))
		requests = append(requests, r.request(name))
	}
	r.put("db.long.enough", "Sent", 1)
	longest := "db." + strings.Repeat("m", 125)
	r.put(longest, "Sent", 1)
	r.handle(append(messages, r.file("db.long.enough"), r.file(longest))...)

	for _, name := range names {
		r.wantRow(name, "Received", 1)
	}
	r.wantRequests(append(requests, r.request("db.long.enough"), r.request(longest))...)
	r.wantNotifications(r.allReceived())
	r.wantGroups(map[string]string{"db.long.enough": "db_long_enough", longest: "db_" + strings.Repeat("m", 125)})
}

func byHand(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.hand.a", "Sent", 3)
	bad := r.file("db.hand.a", fields{"export_date": absent})
	ended := r.start(
		r.file("db.hand.a"),
		envelope(object(r.file("db.hand.a")), escaped(r.file("db.hand.a"))),
		bad,
		envelope(escaped(bad), object(bad)),
	)
	r.wantRow("db.hand.a", "Received", 3)
	r.wantRequests(r.request("db.hand.a"))
	r.wantNotifications(r.allReceived())
	for i, want := range []int{0, 0, 1, 2} {
		got := 0
		for _, m := range r.rejectedMessages() {
			if strings.HasPrefix(m.attributes["identity"], *ended[i].ExecutionArn) &&
				m.attributes["reason_code"] == "FIELD_MISSING" {
				got++
			}
		}
		if got != want {
			t.Errorf("execution %d: rejected %d messages, want %d", i, got, want)
		}
	}
}

func shuffle(messages []string) {
	rand.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
}
