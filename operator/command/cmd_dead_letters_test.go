package command

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadLetter is a message of a dead-letter queue. A test names it by what is special about it.
type deadLetter struct{ name, text, identity string }

// deadLetters gives the file-received queue a dead-letter queue with messages of every kind, sent in this order. It is
// the queue whose messages are counted.
func (q *queues) deadLetters() []deadLetter {
	q.Helper()
	attributes := must(q.SQS.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.Rejected,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}}))
	must(q.SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.FileReceived,
		Attributes: map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"5"}`,
			attributes.Attributes["QueueArn"])}}))
	q.Outputs.RejectedMessagesQueueUrl = "" // is not needed
	letters := []deadLetter{{name: "id-good", text: fileMessage("run-1", "a-001")},
		{name: "id-other-run", text: fileMessage("run-2", "a-001")},
		{name: "id-envelope", text: `{"Records":[{"body":` + fileMessage("run-1", "a-002") + `}]}`},
		{name: "id-not-json", text: "oh"}, {name: "id-large", text: fileMessage("run-1", strings.Repeat("\\", 450))}}
	for i := range letters {
		sent := must(q.SQS.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: &q.Rejected,
			MessageBody: &letters[i].text}))
		letters[i].identity = *sent.MessageId
		for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; { // the lists are ordered by this time
			runtime.Gosched()
		}
	}
	return letters
}

// The answers are those of the golden files, and all messages are visible afterwards.
func TestDeadLetterCommands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line, in string
		left     int // dead letters afterwards
	}{
		"dead-letters-list":           {"rejected list --dead-letters", "", 5},
		"dead-letters-list.json":      {"rejected list --dead-letters --output json", "", 5},
		"dead-letters-list-run":       {"rejected list --dead-letters --run run-2", "", 5},
		"dead-letters-list-none":      {"rejected list --dead-letters --run run-3", "", 5},
		"dead-letters-list-reason":    {"rejected list --dead-letters --reason NOT_COUNTED", "", 5},
		"dead-letters-show":           {"rejected show --dead-letters id-not-json", "", 5},
		"dead-letters-show.json":      {"rejected show --dead-letters id-good --output json", "", 5},
		"dead-letters-show-envelope":  {"rejected show --dead-letters --envelope id-envelope", "", 5},
		"dead-letters-show-none":      {"rejected show --dead-letters id-unknown", "", 5},
		"dead-letters-replay-dry":     {"rejected replay --dead-letters", "", 5},
		"dead-letters-replay":         {"rejected replay --dead-letters --yes", "", 2},
		"dead-letters-replay.json":    {"rejected replay --dead-letters --yes --output json", "", 2},
		"dead-letters-replay-one":     {"rejected replay --dead-letters id-good --yes", "", 4},
		"dead-letters-replay-run":     {"rejected replay --dead-letters --run run-2 --yes", "", 4},
		"dead-letters-replay-as-is":   {"rejected replay --dead-letters id-not-json --as-is --yes", "", 4},
		"dead-letters-replay-reason":  {"rejected replay --dead-letters --reason NOT_COUNTED --yes", "", 5},
		"dead-letters-replay-unknown": {"rejected replay --dead-letters id-unknown --yes", "", 5},
		"dead-letters-delete-what":    {"rejected delete --dead-letters --yes", "", 5},
		"dead-letters-delete-asks":    {"rejected delete --dead-letters --run run-2", "no\n", 5},
		"dead-letters-delete-agreed":  {"rejected delete --dead-letters --run run-2", "1\n", 4},
		"dead-letters-delete.json":    {"rejected delete --dead-letters id-not-json --yes --output json", "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueues(t)
			line := test.line
			letters := q.deadLetters()
			for _, letter := range letters {
				line = strings.Replace(line, letter.name, letter.identity, 1)
			}
			said := q.says(test.in, strings.Fields(line)...)
			text := fmt.Sprintf("$ snapshot-status %s\n%s", line, said.out)
			if said.err != "" {
				text += "[to standard error] " + said.err
			}
			for i, letter := range letters {
				text = strings.ReplaceAll(text, letter.identity, fmt.Sprintf("0000000%d-0000-0000-0000-000000000000",
					i))
			}
			golden(t, name, aTime.ReplaceAllString(text, "<a time>")+fmt.Sprintf("[exit code %d]\n", said.code))
			if strings.HasSuffix(name, ".json") {
				matchesSchema(t, strings.Join(strings.Fields(test.line)[:2], "-"), said.out)
			}
			q.wantRejected(test.left)
		})
	}
}
