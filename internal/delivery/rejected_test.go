package delivery_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
)

func TestReject(t *testing.T) {
	t.Parallel()
	client := queues(t)
	why := &snapshot.Rejection{Reason: snapshot.ReasonFieldMissing, Detail: "required field export_date is missing"}
	attributes := func(identity string) map[string]string {
		return map[string]string{
			"reason_code": "String FIELD_MISSING", "reason": "String required field export_date is missing",
			"identity": "String " + identity,
		}
	}
	for _, test := range []struct{ name, raw, identity, want string }{
		{"a message", `{"correlation_id":"run-1"}`, "059f36b4-87a3-44ab-83d2-661975830a7d",
			"059f36b4-87a3-44ab-83d2-661975830a7d"},
		{"a record", `{"body": {} }`, "059f36b4-87a3-44ab-83d2-661975830a7d/12",
			"059f36b4-87a3-44ab-83d2-661975830a7d/12"},
		{"the raw text to the byte", " {\r\n\t\"a\": \"</b> é \U0001F600 \\u00e9\"\n}\n", "m", "m"},
		{"not JSON", "\"oh", "m", "m"},
		{"the execution, by hand", "null", "arn:aws:states:eu-west-1:123456789012:execution:m:e/3",
			"arn:aws:states:eu-west-1:123456789012:execution:m:e/3"},
		{"another script in the identity", "x", "Ελ\t😀", "Ελ\t😀"},
		{"control characters in the identity are quoted", "x", "a\x00b\x1fé", `"a\x00b\x1f\u00e9"`},
		{"non-characters in the identity are quoted", "x", "a\uFFFE\uFFFF", `"a\ufffe\uffff"`},
		{"a newline, a tab and DEL are taken as they are", "\n\t\x7f", "m", "m"},
		{"a large message", strings.Repeat("x", 200_000), "m", "m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := queue(t, client, "")
			rejected := &delivery.Rejected{SQS: client, QueueURL: url}
			if err := rejected.Reject(t.Context(), snapshot.Receipt{Identity: test.identity, Raw: test.raw,
				Rejection: why}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]received{{Body: test.raw, Attributes: attributes(test.want)}},
				receive(t, client, url, 1)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Only an execution that a person started can have such a text. It is quoted rather than lost.
func TestRejectWhatSQSRefuses(t *testing.T) {
	t.Parallel()
	client := queues(t)
	url := queue(t, client, "")
	rejected := &delivery.Rejected{SQS: client, QueueURL: url}
	receipt := snapshot.Receipt{Identity: "m", Raw: "a\x00\uFFFFé", Rejection: snapshot.UnknownCollection()}
	if err := rejected.Reject(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	if got, want := receive(t, client, url, 1)[0].Body, `"a\x00\uffff\u00e9"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Two rejections of one identity are two messages on the queue.
func TestRejectTwice(t *testing.T) {
	t.Parallel()
	client := queues(t)
	url := queue(t, client, "")
	rejected := &delivery.Rejected{SQS: client, QueueURL: url}
	for _, raw := range []string{"one", "other"} {
		if err := rejected.Reject(t.Context(), snapshot.Receipt{Identity: "m", Raw: raw,
			Rejection: snapshot.UnknownCollection()}); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, r := range receive(t, client, url, 2) {
		got[r.Body] = r.Attributes["identity"] + ", " + r.Attributes["reason_code"]
	}
	want := map[string]string{"one": "String m, String UNKNOWN_COLLECTION",
		"other": "String m, String UNKNOWN_COLLECTION"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
