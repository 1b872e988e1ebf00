package hotpath

import (
	"fmt"
	"strings"
	"testing"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// Counting fails until the retries are used up. STANDARD rejects the messages. EXPRESS leaves them to their queue,
// which delivers them five times and then has them as dead letters. Either way each is there once, under the identity
// with which it is replayed.
func whatCannotBeCounted(t *testing.T, s *stack) {
	const run = "troubled"
	s.hideFor(t, "2")
	s.put(t, run, "a", number(3))
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2"), receipt(run, "a", "3")}
	failedBefore := len(s.executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.breakDown(countUpdates, false)
	defer s.calls.mend()
	ids := s.send(t, messages...)
	s.servePipes(t)

	want := map[string]string{}
	for _, id := range ids {
		want[id] = "NOT_COUNTED"
	}
	dead := s.deadLetters(t)
	if s.express {
		await(t, func() string {
			if n := s.waiting(t, dead); n < len(ids) {
				return fmt.Sprintf("%d of %d dead letters", n, len(ids))
			}
			return ""
		})
		want = map[string]string{}
	}
	s.settle(t)
	if diff := cmp.Diff(want, s.rejected(t)); diff != "" {
		t.Errorf("in the rejected-messages queue (-want +got)\n%s", diff)
	}
	identities := map[string]bool{}
	for _, message := range s.drain(t, dead) {
		identities[*message.MessageId] = true
	}
	for _, id := range ids {
		if identities[id] != s.express {
			t.Errorf("message %s is a dead letter: %v, want %v", id, identities[id], s.express)
		}
	}
	if failed := len(s.executions(t, sfntypes.ExecutionStatusFailed)); failed == failedBefore {
		t.Error("no execution shows that it failed")
	}
	if got := s.stands(t, run, "a"); got != "Sent 0" {
		t.Errorf("the collection stands at %s", got)
	}

	// A person removes the cause and replays them, each twice.
	s.calls.mend()
	s.hideFor(t, "60")
	for i, id := range ids {
		s.send(t, replayed(id, messages[i]), replayed(id, messages[i]))
	}
	s.settle(t)
	if got := s.stands(t, run, "a"); got != "Received 3" {
		t.Errorf("replayed, the collection stands at %s", got)
	}
}

func countUpdates(about asked) bool {
	return about.operation == "UpdateItem" && about.item == "collection"
}

func rowUpdates(about asked) bool { return about.operation == "UpdateItem" && about.item == "row" }

// The messages are counted, and then the row cannot be written, so that the executions fail although all is counted.
// The messages come again from the queue (EXPRESS) or from a person (STANDARD), and count once.
func rowsThatCannotBeWritten(t *testing.T, s *stack) {
	const run = "unwritten"
	s.hideFor(t, "2")
	s.put(t, run, "a", number(3))
	// adopts the row
	s.receive(t, encode([]map[string]string{{"messageId": run, "eventSource": "aws:sqs",
		"body": receipt(run, "a", "0")}}))
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2")}
	failedBefore := len(s.executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.breakDown(rowUpdates, false)
	defer s.calls.mend()
	ids := s.send(t, messages...)
	s.servePipes(t)
	await(t, func() string {
		if len(s.executions(t, sfntypes.ExecutionStatusFailed)) == failedBefore {
			return "an execution that failed"
		}
		return ""
	})
	s.calls.mend()
	s.hideFor(t, "60")
	s.settle(t)
	rejected := s.rejected(t)
	if s.express && len(rejected) > 0 {
		t.Errorf("rejected %v, although the queue delivers them again", rejected)
	}
	for _, message := range s.drain(t, s.deadLetters(t)) { // if the machine is so busy that 2 seconds passed five times
		rejected[*message.MessageId] = "dead letter"
	}
	for i, id := range ids {
		if rejected[id] != "" {
			s.send(t, replayed(id, messages[i]))
		}
	}
	s.settle(t)
	if got := s.stands(t, run, "a"); got != "Received 3" {
		t.Errorf("the collection stands at %s", got)
	}
}

// Every write of a collection or its row takes effect, and every answer is lost. Retries recognise what was written: no
// execution fails, and all is counted, moved and asked for once.
func lostAnswers(t *testing.T, s *stack) {
	const run = "lost"
	s.drain(t, s.outputs.ExportStateQueueUrl)
	s.put(t, run, "a", number(2))
	failedBefore := s.executions(t, sfntypes.ExecutionStatusFailed)
	s.calls.breakDown(func(about asked) bool { return countUpdates(about) || rowUpdates(about) }, true)
	defer s.calls.mend()
	s.send(t, receipt(run, "a", "1"), receipt(run, "a", "2"))
	s.servePipes(t)
	s.settle(t)
	if got := s.stands(t, run, "a"); got != "Received 2" {
		t.Errorf("the collection stands at %s", got)
	}
	if diff := cmp.Diff(failedBefore, s.executions(t, sfntypes.ExecutionStatusFailed)); diff != "" {
		t.Errorf("executions that failed (-before +after)\n%s", diff)
	}
	if rejected := s.rejected(t); len(rejected) > 0 {
		t.Errorf("rejected %v", rejected)
	}
	if requests := s.drain(t, s.outputs.ExportStateQueueUrl); len(requests) != 1 {
		t.Errorf("%d requests", len(requests))
	}
	if named := strings.HasSuffix(s.outputs.StateMachineArn, ":"+s.name+"-express"); named != s.express {
		t.Errorf("the state machine is %s", s.outputs.StateMachineArn)
	}
}

// hideFor sets for how many seconds the source queue hides what was received, so that nobody waits for minutes.
func (s *stack) hideFor(t *testing.T, seconds string) {
	t.Helper()
	if _, err := s.queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl:   &s.outputs.FileReceivedQueueUrl,
		Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
		t.Fatal(err)
	}
}
