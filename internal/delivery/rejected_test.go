package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// The raw text goes out to the byte. Only text that SQS refuses is quoted rather than lost: only an execution that a
// person started can have one.
func TestReject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, body, identity, attribute string }{
		{`{"body": {} }`, "", "059f36b4-87a3-44ab-83d2-661975830a7d/12", ""},
		{" {\r\n\t\"a\": \"</b> é \U0001F600 \\u00e9\"\n}\n", "", "arn:aws:states:eu-west-1:1:execution:m:e/3", ""},
		{"\"oh\x7f", "", "Ελ\t😀", ""},
		{"a\x00é", `"a\x00\u00e9"`, "a\uFFFEé", `"a\ufffe\u00e9"`},
		{"\uFFFF", `"\uffff"`, "\x1f", `"\x1f"`},
	} {
		if test.body == "" {
			test.body, test.attribute = test.raw, test.identity
		}
		queue := &queue{}
		rejected := &delivery.Rejected{SQS: queue, QueueURL: "https://rejected"}
		if err := rejected.Reject(t.Context(), snapshot.Receipt{Identity: test.identity, Raw: test.raw,
			Rejection: &snapshot.Rejection{Reason: snapshot.ReasonFieldMissing, Detail: "export_date is missing"},
		}); err != nil {
			t.Fatal(err)
		}
		want := []sent{{URL: "https://rejected", Body: test.body, Attributes: map[string]string{
			"reason_code": "String FIELD_MISSING", "reason": "String export_date is missing",
			"identity": "String " + test.attribute}}}
		if diff := cmp.Diff(want, queue.sent); diff != "" {
			t.Error(diff)
		}
		if got := sendable.Original(queue.sent[0].Body); got != test.raw {
			t.Errorf("the original of %q is %q", queue.sent[0].Body, got)
		}
	}
}
