package statemachine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/statemachine/paths"
)

// Messages whose counting failed may have been counted. So the definition rejects them, for any input of the execution,
// under the identities that increment uses, and a replay has the same messages.
func TestRejectedMessagesCountUnderTheSameIdentities(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	machine := d.machine(t, paths.IncrementMissing)
	const run = "rejected"
	message, escaped := paths.FileByHand("a")(run), quoted(t, paths.FileByHand("b")(run))
	type test struct {
		input   string
		rejects int // messages
	}
	started := map[string]test{} // by the execution
	for _, tt := range []test{
		{message, 1},
		{"{ \"odd\" : \"<>&\",\n" + message[1:], 1},
		{paths.EnvelopeByHand("a")(run), 1},
		{`{"Records":[{"body":` + message + `},{"messageId":"own","body":` + escaped + `}]}`, 1},
		{`[{"body":` + escaped + `},{"body":` + message + `}]`, 2},
		{`[{"body":` + escaped + `},{"messageId":"with-an-id","body":` + escaped + `},{"body":` +
			quoted(t, paths.EnvelopeByHand("a")(run)) + `}]`, 3},
		{`{"messageId":"no-record",` + message[1:], 1},
		{`[{"body":` + escaped + `},{"messageId":null,"body":` + escaped + `}]`, 2},
		{paths.File("a", "1")(run), 1},
		{`{"reconcile":"a field of a message",` + message[1:], 1},
	} {
		started[d.run(t, machine, tt.input).execution] = tt
	}
	rejected := d.rejected(t)
	for execution, tt := range started {
		rejects, got := 0, map[string]snapshot.Message{}
		for _, m := range rejected {
			if !strings.HasPrefix(m.identity, execution) && !strings.Contains(tt.input, `"messageId":"`+m.identity+
				`"`) {
				continue
			}
			rejects++
			for identity, message := range unwrapped(t, m.envelope(t), "replayed") {
				got[identity] = message
			}
		}
		if rejects != tt.rejects {
			t.Errorf("%d messages were rejected, want %d, of %s", rejects, tt.rejects, tt.input)
		}
		if diff := cmp.Diff(unwrapped(t, tt.input, execution), got); diff != "" {
			t.Errorf("what counts, replayed, of %s (-counted at first, +replayed)\n%s", tt.input, diff)
		}
	}
}

type rejectedMessage struct{ identity, text string }

// envelope is the message's replay.
func (m rejectedMessage) envelope(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Records": []any{map[string]string{"messageId": m.identity,
		"body": m.text}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rejected receives all messages of the rejected-messages queue.
func (d driver) rejected(t *testing.T) []rejectedMessage {
	t.Helper()
	client := sqs.NewFromConfig(d.stack.Config)
	var all []rejectedMessage
	for {
		got, err := client.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: &d.stack.Outputs.RejectedMessagesQueueUrl,
				MaxNumberOfMessages: 10, VisibilityTimeout: 3600, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return all
		}
		for _, m := range got.Messages {
			all = append(all, rejectedMessage{aws.ToString(m.MessageAttributes[delivery.AttrIdentity].StringValue),
				aws.ToString(m.Body)})
		}
	}
}

// unwrapped are the messages that increment counts for an input, by identity.
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
