package rejected

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

const good = `{"correlation_id":"run-1","collection_name":"db.a.b","snapshot_type":"full","export_date":"2020-01-01"}`

// An envelope is read as the rejected message, with its identity and text.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a message":               good,
		"white space and escapes": " {\r\n\t\"correlation_id\": \"\\u00e9\\\\ </b> & é \U0001F600\u2028\" }\n",
		"a character for SQS":     strings.Replace(good, "run-1", "run-\uFFFF", 1),
		"no JSON":                 "\"oh",
		"a record":                `{"messageId": "id-1", "body": {"correlation_id": "run-1"} }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &Message{Identity: "id-1", Text: text}
			envelope := m.Envelope()
			if strings.ContainsAny(envelope, "\uFFFE\uFFFF") {
				t.Error("SQS would refuse it")
			}
			got := snapshot.Unwrap([]byte(envelope), "execution")
			if len(got) != 1 || got[0].Identity != "id-1" {
				t.Errorf("got %+v, want one message with the identity id-1", got)
			}
			if message := got[0].Message; name == "a message" && message.CorrelationID != "run-1" {
				t.Errorf("got %+v", got[0])
			}
		})
	}
}

func TestComesBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		message Message
		want    string
	}{
		{"a good one", Message{Identity: "id", Text: good, Reason: snapshot.ReasonNotCounted}, ""},
		{"a collection that may have a row by now", Message{Identity: "id", Text: good,
			Reason: snapshot.ReasonUnknownCollection}, ""},
		{"an envelope of several", Message{Identity: "id", Text: `{"Records":[{"body":` + good +
			`},{"messageId":"id/x","body":` + good + `}]}`}, ""},
		{"one that was replayed and rejected again", Message{Identity: "sqs-2", Reason: snapshot.ReasonNotCounted,
			Text: (&Message{Identity: "id", Text: good}).Envelope()}, ""},
		{"an envelope of too many", Message{Identity: "id", Text: `{"Records":[` + strings.Repeat(`{"body":1},`, 3000) +
			`{"body":1}]}`}, "TOO_MANY_RECORDS: the envelope has 3001 records, at most 3000 are allowed; none was " +
			"counted"},
		{"a broken one", Message{Identity: "id", Text: `{}`},
			"FIELD_MISSING: required field correlation_id is missing"},
		{"no identity", Message{Text: good}, "it has no identity of its own: a replay might count twice"},
		{"an identity that is too long", Message{Identity: strings.Repeat("x", snapshot.MaxIdentity+1), Text: good},
			"it has no identity of its own: a replay might count twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.message.rejectedAgain(snapshot.ByMessage); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAMessageWithoutAFileIsRejectedAgainByFile(t *testing.T) {
	t.Parallel()
	m := Message{Identity: "id", Text: good}
	if got := m.rejectedAgain(snapshot.ByFile); !strings.Contains(got, "filename is missing") {
		t.Errorf("got %q", got)
	}
	m.Text = strings.Replace(good, "}", `,"filename":"x"}`, 1)
	if got := m.rejectedAgain(snapshot.ByFile); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestRunsOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		good:                                {"run-1"},
		`{"correlation_id": 7}`:             {},
		`{"correlation_id": "run-2"}`:       {"run-2"},
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
	all := make([]int, 23)
	for i := range all {
		all[i] = i
	}
	sizes := func(size int) (lengths []int) {
		for _, batch := range batches(all, func(int) int { return size }) {
			lengths = append(lengths, len(batch))
		}
		return lengths
	}
	for size, want := range map[int][]int{1: {10, 10, 3}, mostPerBatch / 10: {10, 10, 3}, mostPerBatch/10 +
		1: {9, 9, 5}} {
		if diff := cmp.Diff(want, sizes(size)); diff != "" {
			t.Errorf("of %d bytes: %s", size, diff)
		}
	}
	if got := sizes(mostPerBatch); len(got) != len(all) {
		t.Errorf("the largest go in %d calls, want %d", len(got), len(all))
	}
}
