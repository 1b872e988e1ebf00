package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/rejected"
)

// queues answer as SQS does for the queue of kept messages and the file-received queue.
type queues struct {
	mu     sync.Mutex
	kept   []*keptMessage
	hidden map[string]bool
	sent   int
	fails  string // this action, after it was answered if it sends
}

type keptMessage struct{ id, text, reason string }

// keep keeps a message; one that breaks the contract would come back.
func (q *queues) keep(id string, breaks bool) {
	message := &keptMessage{id,
		`{"correlation_id":"run-1","collection_name":"db.a.b","snapshot_type":"full","export_date":"2020-01-01"}`,
		"UNKNOWN_COLLECTION"}
	if breaks {
		message.text, message.reason = "{}", "FIELD_MISSING"
	}
	q.kept = append(q.kept, message)
}

func (q *queues) Do(r *http.Request) (*http.Response, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var asked struct {
		Entries []struct{ Id, ReceiptHandle string }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	done := []any{}
	for _, entry := range asked.Entries {
		done = append(done, map[string]string{"Id": entry.Id, "MessageId": "x", "MD5OfMessageBody": "x"})
		switch action {
		case "ChangeMessageVisibilityBatch":
			delete(q.hidden, entry.ReceiptHandle)
		case "DeleteMessageBatch":
			delete(q.hidden, entry.ReceiptHandle)
			q.kept = slices.DeleteFunc(q.kept, func(m *keptMessage) bool { return m.id == entry.ReceiptHandle })
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
		answer["Attributes"] = map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(len(q.kept)),
			"ApproximateNumberOfMessagesNotVisible": "0", "MaximumMessageSize": "262144"}
	case "ReceiveMessage":
		answer["Messages"] = q.receive()
	}
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

func (q *queues) receive() []any {
	received := []any{}
	for i, message := range q.kept {
		if q.hidden[message.id] || len(received) == 10 {
			continue
		}
		q.hidden[message.id] = true
		text := func(value string) any { return map[string]string{"DataType": "String", "StringValue": value} }
		received = append(received, map[string]any{"MessageId": message.id, "ReceiptHandle": message.id,
			"Body":       message.text,
			"Attributes": map[string]string{"SentTimestamp": strconv.Itoa(1_000_000 + i)},
			"MessageAttributes": map[string]any{delivery.AttrIdentity: text(message.id),
				delivery.AttrReasonCode: text(message.reason), delivery.AttrReason: text("because")}})
	}
	return received
}

func (q *queues) served(t *testing.T) *httptest.Server {
	t.Helper()
	q.hidden = map[string]bool{}
	client := sqs.New(sqs.Options{RetryMaxAttempts: 1, Region: "eu-west-1", HTTPClient: q,
		DisableMessageChecksumValidation: true, Credentials: credentials.NewStaticCredentialsProvider("x", "y", "")})
	return serving(t, Source{Now: time.Now, Store: store.New(newDB(1), tables, store.Settings{}),
		Rejected: &Rejected{Queues: rejected.Queues{SQS: client, Rejected: "https://sqs.example/1/rejected",
			FileReceived: "https://sqs.example/1/received"}}},
		Options{AllowWrites: true})
}

// post sends a form and returns where it leads.
func post(t *testing.T, server *httptest.Server, form url.Values) string {
	t.Helper()
	status, header, text := ask(t, server, "POST", "/replay", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form.Encode())), int64(len(form.Encode()))
	})
	if status != http.StatusSeeOther {
		t.Fatal(status, text)
	}
	return header.Get("Location")
}

// The page says how many it does not show. Putting back many asks first, says how many, and takes those that it asked
// about.
func TestManyArePutBackWhenThatIsConfirmed(t *testing.T) {
	t.Parallel()
	q := &queues{}
	const good, broken = 210, 2
	for i := range good + broken {
		q.keep(fmt.Sprintf("id-%03d", i), i >= good)
	}
	server := q.served(t)
	shows := func(path string, wants ...string) (text string) {
		t.Helper()
		_, _, text = ask(t, server, "GET", path, nil)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		return text
	}
	shows("/rejected", "The oldest 200 of 212 are shown.", "Put back 210…")
	asks := shows("/replay", "Put back 210 messages?",
		"go 210 of 212 that are kept. The others would be rejected again", "<button>Put back 210</button>")
	if to := post(t, server, url.Values{"many": {"yes"}}); to != "/replay" || q.sent != 0 {
		t.Errorf("unconfirmed, it leads to %s, and %d are put back", to, q.sent)
	}
	_, until, _ := strings.Cut(asks, `name="until" value="`)
	until, _, _ = strings.Cut(until, `"`)
	q.keep("id-later", false)
	to := post(t, server, url.Values{"until": {until}})
	if !strings.Contains(to, url.QueryEscape("210 of 210 put back.")) || q.sent != good || len(q.kept) != broken+1 {
		t.Errorf("leads to %s; %d sent, %d are kept; want those that were confirmed", to, q.sent, len(q.kept))
	}
	if len(q.hidden) != 0 {
		t.Errorf("%d are hidden", len(q.hidden))
	}
}

// A message that would be rejected again is put back if one says so, and not without.
func TestComesBackIsAChoice(t *testing.T) {
	t.Parallel()
	q := &queues{}
	q.keep("id-broken", true)
	q.keep("id-good", false)
	server := q.served(t)
	_, _, text := ask(t, server, "GET", "/rejected", nil)
	if n := strings.Count(text, `name="as_is" value="yes" required`); n != 1 {
		t.Errorf("the choice is offered for %d messages, want the broken one", n)
	}
	if to := post(t, server, url.Values{"identity": {"id-broken"}}); !strings.Contains(to, "not+put+back") ||
		q.sent != 0 {
		t.Errorf("leads to %s, %d are put back", to, q.sent)
	}
	if to := post(t, server, url.Values{"identity": {"id-broken"}, "as_is": {"yes"}}); !strings.Contains(to,
		"1+of+1+put+back") || q.sent != 1 {
		t.Errorf("leads to %s, %d are put back; want it", to, q.sent)
	}
	if to := post(t, server, url.Values{"identity": {"id-good"}}); !strings.Contains(to, "1+of+1+put+back") ||
		len(q.kept) != 0 {
		t.Errorf("leads to %s, %d are kept", to, len(q.kept))
	}
}

// Whatever fails, the page says what was put back, and that trying again is safe.
func TestPuttingBackSaysWhatTookEffect(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"SendMessageBatch": "0 of 2 put back. Of the others, one: it may have been put back, and is " +
			"still kept here; it counts once if it is put back again",
		"DeleteMessageBatch": "0 of 2 put back. Of the others, one: it was put back and counts once, but " +
			"is still kept here",
		"ChangeMessageVisibilityBatch": "2 of 2 put back. 1 of 1 messages that were read could not be given back",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			q := &queues{fails: action}
			q.keep("id-1", false)
			q.keep("id-2", false)
			q.keep("id-3", true)
			server := q.served(t)
			to := post(t, server, url.Values{"until": {"9999999999"}})
			if said, err := url.ParseQuery(strings.TrimPrefix(to, "/rejected?")); err != nil ||
				!strings.Contains(said.Get("said"), want) {
				t.Errorf("%s (%v), want %s", said.Get("said"), err, want)
			}
		})
	}
}

// Nothing was put back if the queues could not be asked.
func TestNothingIsPutBack(t *testing.T) {
	t.Parallel()
	q := &queues{fails: "GetQueueAttributes"}
	q.keep("id-1", false)
	server := q.served(t)
	form := url.Values{"identity": {"id-1"}}.Encode()
	status, _, text := ask(t, server, "POST", "/replay", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
	})
	if status != http.StatusBadGateway || q.sent != 0 {
		t.Errorf("%d, %d sent: %s", status, q.sent, text)
	}
}
