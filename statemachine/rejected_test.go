package statemachine_test

import (
	"encoding/json"
	"maps"
	"slices"
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
			if !strings.HasPrefix(m.identity, execution) &&
				!strings.Contains(tt.input, `"messageId":`+quoted(t, m.identity)) {
				continue
			}
			rejects++
			if names := slices.Sorted(maps.Keys(m.attributes)); !slices.Equal(names, []string{delivery.AttrIdentity,
				delivery.AttrReason, delivery.AttrReasonCode}) ||
				m.attributes[delivery.AttrReasonCode] != string(snapshot.ReasonNotCounted) {
				t.Errorf("a rejected message has the attributes %v", m.attributes)
			}
			envelope := `{"Records":[{"messageId":` + quoted(t, m.identity) + `,"body":` + quoted(t, m.text) + `}]}`
			maps.Copy(got, unwrapped(t, envelope, "replayed"))
		}
		if rejects != tt.rejects {
			t.Errorf("%d messages were rejected, want %d, of %s", rejects, tt.rejects, tt.input)
		}
		if diff := cmp.Diff(unwrapped(t, tt.input, execution), got); diff != "" {
			t.Errorf("what counts, replayed, of %s (-counted at first, +replayed)\n%s", tt.input, diff)
		}
	}
}

type rejectedMessage struct {
	identity, text string
	attributes     map[string]string
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
			attributes := map[string]string{}
			for name, attribute := range m.MessageAttributes {
				attributes[name] = aws.ToString(attribute.StringValue)
			}
			all = append(all, rejectedMessage{attributes[delivery.AttrIdentity], aws.ToString(m.Body), attributes})
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
