package statemachine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/operator/kept"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/statemachine/paths"
)

// What counting failed for may have been counted all the same. So whatever an execution was started with, what the
// definition keeps of it counts, put back, under the identities under which increment would have counted it at first, and
// as the same messages.
func TestWhatIsKeptCountsUnderTheSameIdentities(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	machine := d.machine(t, paths.IncrementMissing)
	const run = "kept"
	message, escaped := paths.FileByHand("a")(run), quoted(t, paths.FileByHand("b")(run))
	started := map[string]struct {
		input string
		keeps int
	}{}
	for _, tt := range []struct {
		input string
		keeps int // messages
	}{
		{message, 1},
		{"{ \"odd\" : \"<>&\",\n" + message[1:], 1},
		{paths.EnvelopeByHand("a")(run), 1},
		{`{"Records":[{"body":` + message + `},{"messageId":"own","body":` + escaped + `}]}`, 1},
		{`[{"body":` + escaped + `},{"body":` + message + `}]`, 2},
		{`[{"body":` + escaped + `},{"messageId":"with-an-id","body":` + escaped + `},{"body":` + quoted(t, paths.EnvelopeByHand("a")(run)) + `}]`, 3},
		{`{"messageId":"of-nobody",` + message[1:], 1},
		{`[{"body":` + escaped + `},{"messageId":null,"body":` + escaped + `}]`, 2},
		{paths.File("a", "1")(run), 1},
	} {
		started[d.run(t, machine, tt.input).execution] = tt
	}
	reading, err := kept.Queues{SQS: sqs.NewFromConfig(d.stack.Config), Rejected: d.stack.Outputs.RejectedMessagesQueueUrl}.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for execution, tt := range started {
		keeps, got := 0, map[string]snapshot.Message{}
		for _, m := range reading.Messages {
			if !strings.HasPrefix(m.Identity, execution) && !strings.Contains(tt.input, `"messageId":"`+m.Identity+`"`) {
				continue
			}
			keeps++
			for identity, message := range unwrapped(t, m.Envelope(), "put back") {
				got[identity] = message
			}
		}
		if keeps != tt.keeps {
			t.Errorf("%d messages were kept, want %d, of %s", keeps, tt.keeps, tt.input)
		}
		if diff := cmp.Diff(unwrapped(t, tt.input, execution), got); diff != "" {
			t.Errorf("what counts, put back, of %s (-counted at first, +put back)\n%s", tt.input, diff)
		}
	}
}

// unwrapped is what increment counts of an input, by identity.
func unwrapped(t *testing.T, input, execution string) map[string]snapshot.Message {
	t.Helper()
	messages := map[string]snapshot.Message{}
	for _, receipt := range snapshot.Unwrap([]byte(input), execution) {
		if receipt.Rejection != nil {
			t.Errorf("%s: %v", receipt.Raw, receipt.Rejection)
		}
		messages[receipt.Identity] = receipt.Message
	}
	return messages
}

// quoted is a text as a JSON string.
func quoted(t *testing.T, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}
