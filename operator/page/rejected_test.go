package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/operator/rejected"
)

// fakeQueues answers as SQS does for the rejected-messages queue and the file-received queue.
type fakeQueues struct {
	mu       sync.Mutex
	rejected []rejectedMessage
	hidden   map[string]bool
	sent     int
	fails    string // this action fails, after it took effect
	dead     string // ARN of the dead-letter queue
	read     string // URL of the queue that was received from last
}

type rejectedMessage struct {
	id       string
	received any // the message as SQS delivers it
}

// reject adds a message. A malformed one would be rejected again after a replay.
func (q *fakeQueues) reject(id string, malformed bool) {
	text := `{"correlation_id":"run-1","collection_name":"db.a.b","snapshot_type":"full","export_date":"2020-01-01"}`
	reason := "UNKNOWN_COLLECTION"
	if malformed {
		text, reason = "{}", "FIELD_MISSING"
	}
	attribute := func(value string) any { return map[string]string{"DataType": "String", "StringValue": value} }
	q.rejected = append(q.rejected, rejectedMessage{id, map[string]any{"MessageId": id, "ReceiptHandle": id,
		"Body":       text,
		"Attributes": map[string]string{"SentTimestamp": strconv.Itoa(1_000_000 + len(q.rejected))},
		"MessageAttributes": map[string]any{delivery.AttrIdentity: attribute(id),
			delivery.AttrReasonCode: attribute(reason), delivery.AttrReason: attribute("because")}}})
}

func (q *fakeQueues) Do(r *http.Request) (*http.Response, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var input struct {
		QueueUrl, QueueName string
		Entries             []struct{ Id, ReceiptHandle string }
	}
	if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
		return nil, err
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	done := []any{}
	for _, entry := range input.Entries {
		done = append(done, map[string]string{"Id": entry.Id, "MessageId": "x", "MD5OfMessageBody": "x"})
		switch action {
		case "ChangeMessageVisibilityBatch":
			delete(q.hidden, entry.ReceiptHandle)
		case "DeleteMessageBatch":
			delete(q.hidden, entry.ReceiptHandle)
			q.rejected = slices.DeleteFunc(q.rejected,
				func(m rejectedMessage) bool { return m.id == entry.ReceiptHandle })
		case "SendMessageBatch":
			q.sent++
		}
	}
	if action == q.fails {
		return nil, errors.New("connection reset")
	}
	answer := map[string]any{"Successful": done}
	switch action {
	case "GetQueueAttributes":
		answer["Attributes"] = map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(len(q.rejected)),
			"ApproximateNumberOfMessagesNotVisible": "0", "MaximumMessageSize": "262144", "QueueArn": "arn:received"}
		if q.dead != "" {
			answer["Attributes"].(map[string]string)["RedrivePolicy"] = `{"deadLetterTargetArn":"` + q.dead + `"}`
		}
	case "GetQueueUrl":
		answer["QueueUrl"] = "https://sqs.example/1/" + input.QueueName
	case "ReceiveMessage":
		messages := []any{}
		for _, message := range q.rejected {
			if !q.hidden[message.id] && len(messages) < 10 {
				q.hidden[message.id] = true
				messages = append(messages, message.received)
			}
		}
		answer["Messages"], q.read = messages, input.QueueUrl
	}
	return awsAnswer(r, answer)
}

func (q *fakeQueues) pages(t *testing.T) testPages {
	t.Helper()
	q.hidden = map[string]bool{}
	client := sqs.New(sqs.Options{RetryMaxAttempts: 1, Region: "eu-west-1", HTTPClient: q,
		DisableMessageChecksumValidation: true, Credentials: noCredentials})
	source := newSource(newDB(1))
	source.Rejected = &rejected.Queues{SQS: client, Rejected: "https://sqs.example/1/rejected",
		FileReceived: "https://sqs.example/1/received"}
	return newPages(t, source, Options{AllowWrites: true})
}

// A replay of many messages asks for confirmation first, and takes only the confirmed ones.
func TestReplayOfManyIsConfirmed(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	const good, malformed = 210, 2
	for i := range good + malformed {
		q.reject(fmt.Sprintf("id-%03d", i), i >= good)
	}
	pages := q.pages(t)
	pages.want(pages.get("/rejected"), "The oldest 200 of 212 are shown.", "Replay 210…")
	if got := pages.post("/replay", "reason", ""); got.path != "/replay" || q.sent != 0 {
		t.Errorf("unconfirmed, it leads to %s, and %d are replayed", got.path, q.sent)
	}
	page := pages.get("/replay")
	pages.want(page, "Replay 210 messages?", "Sends 210 of 212 rejected messages", "The others would be rejected again",
		"<button>Replay 210</button>")
	_, until, _ := strings.Cut(page, `name="until" value="`)
	until, _, _ = strings.Cut(until, `"`)
	q.reject("id-later", false)
	got := pages.post("/replay", "until", until)
	if got.notice != "210 of 210 replayed." || q.sent != good || len(q.rejected) != malformed+1 || len(q.hidden) != 0 {
		t.Errorf("%s; %d sent, %d rejected, %d hidden; want the confirmed ones replayed", got.notice, q.sent,
			len(q.rejected), len(q.hidden))
	}
}

// Each queue has its page, which leads back to itself. A message that would be rejected again is replayed only if the
// person insists.
func TestReplayOfEachQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, deadLetters, url, reason string
		shows, showsOfRun, asks        []string
		refuses                        string
	}{
		"rejected": {
			path: "/rejected", url: "https://sqs.example/1/rejected", reason: "UNKNOWN_COLLECTION",
			shows: []string{"<title>Rejected messages · ", "<h1>Rejected messages</h1>",
				"A replay would be rejected again: FIELD_MISSING",
				"Replay 3…",
				"replay although it would be rejected again</label>"},
			showsOfRun: []string{`<h1>Rejected messages of <span class="id">run-1</span></h1>`,
				"All rejected messages"},
			asks:    []string{"Sends 3 of 4 rejected messages", `<a href="/rejected">Rejected messages</a>`},
			refuses: "Not replayed: it would be rejected again: FIELD_MISSING",
		},
		"dead letters": {
			path: "/dead-letters", deadLetters: "yes", url: "https://sqs.example/1/dead", reason: "dead letter",
			shows: []string{"<title>Dead letters · ", "<h1>Dead letters</h1>",
				"A replay would be rejected: FIELD_MISSING", "Replay 3…",
				"replay although it would be rejected</label>"},
			showsOfRun: []string{`<h1>Dead letters of <span class="id">run-1</span></h1>`, "All dead letters"},
			asks: []string{"Sends 3 of 4 dead letters", `<a href="/dead-letters">Dead letters</a>`,
				`name="dead_letters" value="yes"`},
			refuses: "Not replayed: it would be rejected: FIELD_MISSING",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{dead: "arn:aws:sqs:eu-west-1:1:dead"}
			q.reject("id-malformed", true)
			for _, id := range []string{"id-1", "id-2", "id-3"} {
				q.reject(id, false)
			}
			pages := q.pages(t)
			page := pages.get(c.path)
			pages.want(page, append(c.shows, c.reason+`</span> <span class="id">id-1`)...)
			if n := strings.Count(page, `name="force" value="yes" required`); n != 1 {
				t.Errorf("the choice to insist is offered for %d messages, want the malformed one", n)
			}
			pages.want(pages.get(c.path, "run", "run-1"), c.showsOfRun...)
			pages.want(pages.get(c.path, "run", "run-2"), "No message matches.")
			pages.want(pages.get("/replay", "dead_letters", c.deadLetters), c.asks...)
			for _, replay := range []struct {
				form   []string
				notice string
				sent   int
			}{
				{[]string{"identity", "id-malformed"}, c.refuses, 0},
				{[]string{"identity", "id-2"}, "1 of 1 replayed.", 1},
				{[]string{"until", "9999999999", "force", "yes"}, "2 of 2 replayed.", 3},
				{[]string{"identity", "id-malformed", "force", "yes"}, "1 of 1 replayed.", 4},
				{[]string{"identity", "id-2"}, "Nothing was replayed: the message is gone, or another reader", 4},
			} {
				got := pages.post("/replay", append(replay.form, "dead_letters", c.deadLetters)...)
				if got.path != c.path || !strings.HasPrefix(got.notice, replay.notice) || q.sent != replay.sent {
					t.Errorf("%v: %s on %s, %d sent; want %+v", replay.form, got.notice, got.path, q.sent, replay)
				}
			}
			pages.want(pages.get(c.path), "The queue is empty.")
			if q.read != c.url || len(q.rejected) != 0 || len(q.hidden) != 0 {
				t.Errorf("read %s; %d messages are left, %d hidden", q.read, len(q.rejected), len(q.hidden))
			}
		})
	}
}

func TestNoDeadLetterQueue(t *testing.T) {
	t.Parallel()
	pages := (&fakeQueues{}).pages(t)
	got := pages.post("/replay", "dead_letters", "yes", "identity", "id-1")
	if got.status != http.StatusNotFound || !strings.Contains(got.text, "has no dead-letter queue") {
		t.Errorf("%d: %s", got.status, got.text)
	}
}

// The notice says what took effect although a call failed.
func TestReplayReportsFailures(t *testing.T) {
	t.Parallel()
	const safe = ". Trying again is safe: each message counts once."
	for action, c := range map[string]struct {
		status      int
		begins, end string // of the notice
	}{
		"SendMessageBatch":   {303, "0 of 2 replayed. One of the errors: ", "connection reset" + safe},
		"DeleteMessageBatch": {303, "0 of 2 replayed. One of the errors: ", "connection reset" + safe},
		"ChangeMessageVisibilityBatch": {303, "2 of 2 replayed. 1 of 1 messages could not be made visible again: ",
			"connection reset; they become visible by themselves within 1m0.3s."},
		"GetQueueAttributes": {502, "", ""}, // the queue was not read
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{fails: action}
			q.reject("id-1", false)
			q.reject("id-2", false)
			q.reject("id-3", true)
			got := q.pages(t).post("/replay", "until", "9999999999")
			if got.status != c.status || !strings.HasPrefix(got.notice, c.begins) ||
				!strings.HasSuffix(got.notice, c.end) || got.status == 502 && q.sent != 0 {
				t.Errorf("%d, %d sent: %s; want %+v", got.status, q.sent, got.notice, c)
			}
		})
	}
}
