package page

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The page of the dead letters shows them without a reason, and replays one, or many after a confirmation. It leads
// back to itself.
func TestDeadLettersPage(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{dead: "arn:aws:sqs:eu-west-1:1:dead"}
	q.reject("id-malformed", true)
	for _, id := range []string{"id-1", "id-2", "id-3"} {
		q.reject(id, false)
	}
	server := q.serve(t)
	for path, wants := range map[string][]string{
		"/dead-letters": {"<h1>Dead letters</h1>", "dead letter</span> <span class=\"id\">id-malformed</span>",
			"A replay would be rejected: FIELD_MISSING", "Replay 3…", "replay although it would be rejected</label>"},
		"/dead-letters?run=run-1": {"<h1>Dead letters of <span class=\"id\">run-1</span></h1>", "All dead letters"},
		"/dead-letters?run=run-2": {"No message matches."},
		"/replay?dead_letters=yes": {"Sends 3 of 4 dead letters", "<a href=\"/dead-letters\">Dead letters</a>",
			`name="dead_letters" value="yes"`},
	} {
		text := server.get(path)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if strings.Contains(text, "UNKNOWN_COLLECTION") {
			t.Errorf("%s shows a reason", path)
		}
	}
	dead := func(pairs ...string) url.Values {
		form := url.Values{"dead_letters": {"yes"}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return form
	}
	for _, c := range []struct {
		form         url.Values
		path, notice string
		sent         int
	}{
		{dead(), "/replay", "", 0},
		{dead("identity", "id-malformed"), "/dead-letters", "Not replayed: it would be rejected: FIELD_MISSING", 0},
		{dead("identity", "id-2"), "/dead-letters", "1 of 1 replayed.", 1},
		{dead("until", "9999999999"), "/dead-letters", "2 of 2 replayed.", 3},
		{dead("identity", "id-malformed", "force", "yes"), "/dead-letters", "1 of 1 replayed.", 4},
	} {
		path, notice := server.replay(c.form)
		if path != c.path || !strings.HasPrefix(notice, c.notice) || q.sent != c.sent {
			t.Errorf("%v: %s on %s, %d sent", c.form, notice, path, q.sent)
		}
	}
	if q.read != "https://sqs.example/1/dead" || len(q.rejected) != 0 || len(q.hidden) != 0 {
		t.Errorf("read %s; %d messages are left, %d hidden", q.read, len(q.rejected), len(q.hidden))
	}
}

// The rejected messages and the dead letters are not taken for each other.
func TestQueuesHaveTheirOwnPages(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{dead: "arn:aws:sqs:eu-west-1:1:dead"}
	q.reject("id-1", false)
	server := q.serve(t)
	for path, queue := range map[string]string{"/rejected": "rejected", "/dead-letters": "dead",
		"/dead-letters?run=run-1": "dead"} {
		text := server.get(path)
		if dead := queue == "dead"; strings.Contains(text, "UNKNOWN_COLLECTION") == dead {
			t.Errorf("%s shows the other queue", path)
		}
	}
	if _, notice := server.replay(url.Values{"identity": {"id-1"}}); notice != "1 of 1 replayed." ||
		q.read != "https://sqs.example/1/rejected" {
		t.Errorf("%s; read %s", notice, q.read)
	}
	q.dead = ""
	q.reject("id-2", false)
	status, _, text := server.send("POST", "/replay", url.Values{"dead_letters": {"yes"}, "identity": {"id-2"}}, nil)
	if status != http.StatusNotFound || !strings.Contains(text, "has no dead-letter queue") || q.sent != 1 {
		t.Errorf("without a dead-letter queue: %d, %d sent: %s", status, q.sent, text)
	}
}
