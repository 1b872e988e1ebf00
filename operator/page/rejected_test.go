package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
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
	read     string // URL of the queue that was read last
}

type rejectedMessage struct{ id, text, reason string }

// reject adds a message. A malformed one would be rejected again after a replay.
func (q *fakeQueues) reject(id string, malformed bool) {
	message := rejectedMessage{id,
		`{"correlation_id":"run-1","collection_name":"db.a.b","snapshot_type":"full","export_date":"2020-01-01"}`,
		"UNKNOWN_COLLECTION"}
	if malformed {
		message.text, message.reason = "{}", "FIELD_MISSING"
	}
	q.rejected = append(q.rejected, message)
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
		answer["Messages"], q.read = q.receive(), input.QueueUrl
	}
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

func (q *fakeQueues) receive() []any {
	received := []any{}
	for i, message := range q.rejected {
		if q.hidden[message.id] || len(received) == 10 {
			continue
		}
		q.hidden[message.id] = true
		text := func(value string) any { return map[string]string{"DataType": "String", "StringValue": value} }
		received = append(received, map[string]any{"MessageId": message.id, "ReceiptHandle": message.id,
			"Body": message.text, "Attributes": map[string]string{"SentTimestamp": strconv.Itoa(1_000_000 + i)},
			"MessageAttributes": map[string]any{delivery.AttrIdentity: text(message.id),
				delivery.AttrReasonCode: text(message.reason), delivery.AttrReason: text("because")}})
	}
	return received
}

func (q *fakeQueues) serve(t *testing.T) testServer {
	t.Helper()
	q.hidden = map[string]bool{}
	client := sqs.New(sqs.Options{RetryMaxAttempts: 1, Region: "eu-west-1", HTTPClient: q,
		DisableMessageChecksumValidation: true, Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")})
	source := newSource(newDB(1))
	source.Rejected = &rejected.Queues{SQS: client, Rejected: "https://sqs.example/1/rejected",
		FileReceived: "https://sqs.example/1/received"}
	return newServer(t, source, Options{AllowWrites: true})
}

// replay sends the form, and returns the path of the page that it leads to, and its notice.
func (s testServer) replay(form url.Values) (path, notice string) {
	s.Helper()
	status, header, text := s.send("POST", "/replay", form, nil)
	target, err := url.Parse(header.Get("Location"))
	if status != http.StatusSeeOther || err != nil {
		s.Fatal(status, err, text)
	}
	return target.Path, target.Query().Get("notice")
}

// A replay of many messages asks for confirmation first, and takes only the confirmed ones.
func TestReplayOfManyIsConfirmed(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	const good, malformed = 210, 2
	for i := range good + malformed {
		q.reject(fmt.Sprintf("id-%03d", i), i >= good)
	}
	server := q.serve(t)
	wants := map[string][]string{
		"/rejected": {"The oldest 200 of 212 are shown.", "Replay 210…"},
		"/replay": {"Replay 210 messages?", "Sends 210 of 212 rejected messages", "The others would be rejected again",
			"<button>Replay 210</button>"},
	}
	for path, wants := range wants {
		text := server.get(path)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
	if path, _ := server.replay(url.Values{"reason": {""}}); path != "/replay" || q.sent != 0 {
		t.Errorf("unconfirmed, it leads to %s, and %d are replayed", path, q.sent)
	}
	_, until, _ := strings.Cut(server.get("/replay"), `name="until" value="`)
	until, _, _ = strings.Cut(until, `"`)
	q.reject("id-later", false)
	_, notice := server.replay(url.Values{"until": {until}})
	if notice != "210 of 210 replayed." || q.sent != good || len(q.rejected) != malformed+1 || len(q.hidden) != 0 {
		t.Errorf("%s; %d sent, %d rejected, %d hidden; want the confirmed ones replayed", notice, q.sent,
			len(q.rejected), len(q.hidden))
	}
}

// A message that would be rejected again is replayed only if the person insists.
func TestReplayOfMalformedMessageIsForced(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	q.reject("id-malformed", true)
	q.reject("id-good", false)
	server := q.serve(t)
	if n := strings.Count(server.get("/rejected"), `name="force" value="yes" required`); n != 1 {
		t.Errorf("the choice is offered for %d messages, want the malformed one", n)
	}
	for _, c := range []struct {
		form   url.Values
		notice string
		sent   int
	}{
		{url.Values{"identity": {"id-malformed"}}, "Not replayed: it would be rejected again: ", 0},
		{url.Values{"identity": {"id-malformed"}, "force": {"yes"}}, "1 of 1 replayed.", 1},
		{url.Values{"identity": {"id-good"}}, "1 of 1 replayed.", 2},
	} {
		if _, notice := server.replay(c.form); !strings.HasPrefix(notice, c.notice) || q.sent != c.sent {
			t.Errorf("%v: %s, %d sent", c.form, notice, q.sent)
		}
	}
	if len(q.rejected) != 0 {
		t.Errorf("%d are still rejected", len(q.rejected))
	}
}

// The notice says what took effect although a call failed.
func TestReplayReportsFailures(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"SendMessageBatch":             "0 of 2 replayed. One of the errors: ",
		"DeleteMessageBatch":           "0 of 2 replayed. One of the errors: ",
		"ChangeMessageVisibilityBatch": "2 of 2 replayed. 1 of 1 ",
		"GetQueueAttributes":           "",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{fails: action}
			q.reject("id-1", false)
			q.reject("id-2", false)
			q.reject("id-3", true)
			server, form := q.serve(t), url.Values{"until": {"9999999999"}}
			if want == "" { // the queue was not read
				if status, _, text := server.send("POST", "/replay", form, nil); status != 502 || q.sent != 0 {
					t.Errorf("%d, %d sent: %s", status, q.sent, text)
				}
				return
			}
			_, notice := server.replay(form)
			safe := strings.HasSuffix(notice, ". Trying again is safe: each message counts once.")
			if !strings.HasPrefix(notice, want) || !strings.Contains(notice, "connection reset") ||
				safe != strings.HasPrefix(want, "0") {
				t.Errorf("%s, want %s", notice, want)
			}
		})
	}
}
