package rejected

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

const good = `{"correlation_id":"run-1","collection_name":"db.a.b","snapshot_type":"full","export_date":"2020-01-01"}`

// An envelope is read as the rejected message, with its identity. SQS takes it, whatever the text.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	for _, text := range []string{good, " {\r\n\t\"correlation_id\": \"\\u00e9\\\\ </b> & é \U0001F600\u2028\" }\n",
		strings.Replace(good, "run-1", "run-\uFFFF", 1), "\"oh",
		`{"messageId": "id-1", "body": {"correlation_id": "x"} }`} {
		envelope := (&Message{Identity: "id-1", Text: text}).Envelope()
		got := snapshot.Unwrap([]byte(envelope), "execution")
		if len(got) != 1 || got[0].Identity != "id-1" || strings.ContainsAny(envelope, "\uFFFE\uFFFF") {
			t.Errorf("%s is read as %+v, want one message with the identity id-1", envelope, got)
		}
		if text == good && got[0].Message.CorrelationID != "run-1" {
			t.Errorf("got %+v", got[0])
		}
	}
}

func TestRejectedAgain(t *testing.T) {
	t.Parallel()
	const noIdentity = "it has no identity of its own: a replay might count twice"
	with := func(identity, text string) Message { return Message{Identity: identity, Text: text} }
	of := func(records string) string { return `{"Records":[` + records + `]}` }
	for name, test := range map[string]struct {
		message Message
		by      snapshot.CountBy
		want    string
	}{
		"Good": {with("id", good), snapshot.ByMessage, ""},
		"Several": {with("id", of(`{"body":`+good+`},{"messageId":"id/x","body":`+good+`}`)), snapshot.ByMessage,
			""},
		"AReplay": {with("sqs-2", (&Message{Identity: "id", Text: good}).Envelope()), snapshot.ByMessage, ""},
		"TooMany": {with("id", of(strings.Repeat(`{"body":1},`, 3000)+`{"body":1}`)), snapshot.ByMessage,
			"TOO_MANY_RECORDS: the envelope has 3001 records, at most 3000 are allowed; none was counted"},
		"Broken":     {with("id", `{}`), snapshot.ByMessage, "FIELD_MISSING: required field correlation_id is missing"},
		"NoIdentity": {with("", good), snapshot.ByMessage, noIdentity},
		"LongIdentity": {with(strings.Repeat("x", snapshot.MaxIdentity+1), good), snapshot.ByMessage,
			noIdentity},
		"NoFile": {with("id", good), snapshot.ByFile,
			"FIELD_MISSING: field filename is missing; it is required because " +
				"files are counted by name (countBy=file)"},
		"File": {with("id", strings.Replace(good, "}", `,"filename":"x"}`, 1)), snapshot.ByFile, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.message.rejectedAgain(test.by); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRunsOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		good:                                {"run-1"},
		`{"correlation_id": 7}`:             {},
		`"{\"correlation_id\": \"run-3\"}"`: {"run-3"},
		`not JSON`:                          {},
		`[1]`:                               {},
		`{"body": "{\"correlation_id\": \"run-4\"}"}`: {"run-4"},
		`{"Records": [{"body": {"correlation_id": "a"}}, {"body": "{\"correlation_id\": \"b\"}"}, ` +
			`{"body": {"correlation_id": "a"}}]}`: {"a", "b"},
		strings.Repeat(`{"body":`, 20) + good +
			strings.Repeat(`}`, 20): {},
	} {
		if diff := cmp.Diff(want, runsOf([]byte(text), 0)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	all := make(batch, 23)
	for size, want := range map[int][]int{1: {10, 10, 3}, mostPerBatch / 10: {10, 10, 3},
		mostPerBatch/10 + 1: {9, 9, 5}, mostPerBatch: slices.Repeat([]int{1}, 23)} {
		var got []int
		for _, batch := range batches(all, func(*Outcome) int { return size }) {
			got = append(got, len(batch))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of %d bytes: %s", size, diff)
		}
	}
}

// delivered is what increment counts of a message that the file-received queue delivers.
func delivered(t *testing.T, id, text string) (digests []string) {
	t.Helper()
	input, err := json.Marshal([]map[string]string{{"messageId": id, "body": text}})
	if err != nil {
		t.Fatal(err)
	}
	groups, _, rejected := snapshot.GroupByCollection(snapshot.Unwrap(input, "execution-of-"+id))
	for _, group := range groups {
		for _, receipt := range group.Receipts {
			digests = append(digests, receipt.Identity+" "+fmt.Sprintf("%x", receipt.Digest))
		}
	}
	for _, receipt := range rejected {
		digests = append(digests, receipt.Identity+" "+string(receipt.Rejection.Reason))
	}
	return digests
}

// A dead letter may have been counted by the execution that failed. Its replay brings the same identities and digests,
// so what was counted is a duplicate; also if the replay becomes a dead letter again, and again. Its text stays what
// the first replay sent: each escape of an escape would make it longer, until the queue refuses it.
func TestAReplayedDeadLetterHasTheIdentitiesOfItsFirstDelivery(t *testing.T) {
	t.Parallel()
	quoted := func(text string) string { encoded, _ := json.Marshal(text); return string(encoded) }
	other := strings.Replace(good, "db.a.b", "db.a.c", 1)
	for name, c := range map[string]struct {
		text string
		want int // messages
	}{
		"a message":               {good, 1},
		"white space and escapes": {" {\t\"x\": \"\\u00e9\\\\ </b> & é \U0001F600\u2028\"," + good[1:] + "\n", 1},
		"an envelope":             {`{"Records":[{"body":` + good + `},{"body":` + quoted(other) + `}]}`, 2},
		"an envelope with identities": {`{"Records":[{"messageId":"own","body":` + good + `},{"body":` + other +
			`}]}`, 2},
		"an envelope in an envelope": {`{"Records":[{"body":{"Records":[{"body":` + good + `},{"body":` + other +
			`}]}}]}`, 2},
		"one good and one bad":           {`{"Records":[{"body":` + good + `},{"body":"oh"}]}`, 2},
		"a replay of a rejected message": {(&Message{Identity: "rejected/0", Text: good}).Envelope(), 1},
		"a replay of a rejected envelope": {(&Message{Identity: "m0", Text: `{"Records":[{"body":` + good +
			`}]}`}).Envelope(), 1},
		"no JSON": {"oh", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, text := "m1", c.text
			want := delivered(t, id, text)
			if len(want) != c.want {
				t.Fatalf("the first delivery brings %d messages, want %d: %q", len(want), c.want, want)
			}
			for replay := range 4 {
				dead := Queues{source: "the file-received queue"}.newMessage(types.Message{MessageId: &id, Body: &text})
				if replay > 0 && dead.Envelope() != text {
					t.Fatalf("replay %d sends %s, the first one %s", replay, dead.Envelope(), text)
				}
				id, text = fmt.Sprint("replay-", replay), dead.Envelope()
				if diff := cmp.Diff(want, delivered(t, id, text)); diff != "" {
					t.Fatalf("replay %d (-first delivery +replay):\n%s", replay, diff)
				}
			}
		})
	}
}
