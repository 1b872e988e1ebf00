package command

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/rejected"
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

// deadLetterQueue reads the dead-letter queue of the stack's file-received queue.
func (s onStack) deadLetterQueue() rejected.Queues {
	s.Helper()
	return must(rejected.Queues{SQS: sqs.NewFromConfig(s.Config),
		FileReceived: s.Outputs.FileReceivedQueueUrl}.DeadLetters(s.Context()))
}

// die receives messages and never deletes them, as a pipe does that cannot start an execution, until SQS has moved them
// to the dead-letter queue, which then has so many messages.
func (s onStack) die(want int) {
	s.Helper()
	queues := s.deadLetterQueue()
	localtest.Await(s.T, fmt.Sprint(want, " dead letters"), func() bool {
		got := must(queues.SQS.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queues.FileReceived,
			MaxNumberOfMessages: 10}))
		for _, m := range got.Messages {
			must(queues.SQS.ChangeMessageVisibility(s.Context(), &sqs.ChangeMessageVisibilityInput{
				QueueUrl: &queues.FileReceived, ReceiptHandle: m.ReceiptHandle}))
		}
		visible, hidden, err := queues.Count(s.Context())
		return must(visible, err)+hidden == want
	})
}

// untilIdle waits until all messages were processed: the pipe deletes them after it has started their execution.
func (s onStack) untilIdle() {
	s.Helper()
	input := rejected.Queues{SQS: sqs.NewFromConfig(s.Config), Rejected: s.Outputs.FileReceivedQueueUrl}
	localtest.Await(s.T, "no message and no execution", func() bool {
		visible, hidden, err := input.Count(s.Context())
		return must(visible, err)+hidden == 0 && len(must(sfn.NewFromConfig(s.Config).ListExecutions(s.Context(),
			&sfn.ListExecutionsInput{StateMachineArn: &s.Outputs.StateMachineArn,
				StatusFilter: sfntypes.ExecutionStatusRunning})).Executions) == 0
	})
}

// deadLetters lists the dead letters.
func (s onStack) deadLetters() []*rejected.Message {
	s.Helper()
	var list rejectedList
	if err := json.Unmarshal([]byte(s.succeeds("rejected", "list", "--dead-letters", "-o", "json").out),
		&list); err != nil {
		s.Fatal(err)
	}
	return list.Messages
}

// No execution can be started for a message and an envelope. Their replays die too, and are replayed in turn. Each file
// counts once, under the identity of its first delivery; replayed again, it is a duplicate.
func TestDeadLettersCountOnce(t *testing.T) {
	s := deployedWithoutPipes(t)
	const run, collection = "dead", "db.core.one"
	client := sqs.NewFromConfig(s.Config)
	send := func(url, text string) string {
		return *must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url,
			MessageBody: &text})).MessageId
	}
	s.row(run, collection, "Sent", "4")
	first := send(s.Outputs.FileReceivedQueueUrl, fileMessage(run, "one-001"))
	second := send(s.Outputs.FileReceivedQueueUrl, `{"Records":[{"body":`+fileMessage(run, "one-002")+`},{"body":`+
		fileMessage(run, "one-003")+`}]}`)
	s.die(2)
	var envelopes []string
	for _, m := range s.deadLetters() {
		if m.Identity != first && m.Identity != second || m.Receives <= 5 {
			t.Errorf("%+v, want %s and %s, received more than 5 times", m, first, second)
		}
		envelopes = append(envelopes, s.succeeds("rejected", "show", "--dead-letters", "--envelope", m.Identity).out)
	}
	replay := func(n int) {
		t.Helper()
		s.untilSays([]string{fmt.Sprintf("%d of %d messages were replayed", n, n)}, "rejected", "replay",
			"--dead-letters", "--yes")
	}
	replay(2)
	s.die(2)
	for _, m := range s.deadLetters() {
		if m.Identity == first || m.Identity == second || m.RejectedAgain != "" {
			t.Errorf("a replay that died: %+v", m)
		}
	}
	replay(2)
	s.StartPipes(t)
	s.untilSays([]string{"3 of 4 files"}, "show", run)
	counted := func() map[string]string {
		var list fileList
		if err := json.Unmarshal([]byte(s.succeeds("files", run, collection, "-o", "json").out), &list); err != nil {
			t.Fatal(err)
		}
		identities := map[string]string{}
		for _, f := range list.Files {
			identities[f.Identity] = f.Name
		}
		return identities
	}
	want := map[string]string{first: "one-001", second + "/0": "one-002", second + "/1": "one-003"}
	if diff := cmp.Diff(want, counted()); diff != "" {
		t.Errorf("counted under other identities (-want +got):\n%s", diff)
	}

	// the replays die again, although they were counted
	for _, envelope := range envelopes {
		send(s.deadLetterQueue().Rejected, strings.TrimSuffix(envelope, "\n"))
	}
	replay(2)
	s.untilIdle()
	if diff := cmp.Diff(want, counted()); diff != "" {
		t.Fatalf("counted twice (-want +got):\n%s", diff)
	}
	s.send(run, collection, "one-004")
	s.untilSays([]string{"4 of 4 files"}, "show", run)
	s.succeeds("verify", run)
}
