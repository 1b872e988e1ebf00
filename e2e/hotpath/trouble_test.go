package hotpath

import (
	"fmt"
	"strings"
	"testing"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// Counting fails until the retries are used up. STANDARD keeps the messages in the rejected-messages queue. EXPRESS
// leaves them to their queue, which brings them five times and has them as dead letters then. Either way each is kept
// once, under the identity with which it is put back.
func whatCannotBeCounted(t *testing.T, s *stack) {
	const run = "troubled"
	s.hideFor(t, "2")
	s.put(t, run, "a", number(3))
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2"), receipt(run, "a", "3")}
	failedBefore := len(s.executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.breakDown("TransactWriteItems", false)
	defer s.calls.breakDown("", false)
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
	if diff := cmp.Diff(want, s.kept(t)); diff != "" {
		t.Errorf("kept in the rejected-messages queue (-want +got)\n%s", diff)
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

	// A person removes the cause and puts them back, each twice.
	s.calls.breakDown("", false)
	s.hideFor(t, "60")
	for i, id := range ids {
		s.send(t, putBack(id, messages[i]), putBack(id, messages[i]))
	}
	s.settle(t)
	if got := s.stands(t, run, "a"); got != "Received 3" {
		t.Errorf("put back, the collection stands at %s", got)
	}
}

// The transactions take effect and their answers are lost, so that the executions fail although all is counted. The
// messages come again from the queue (EXPRESS) or from a person (STANDARD), and count once.
func lostAnswers(t *testing.T, s *stack) {
	const run = "lost"
	s.hideFor(t, "2")
	s.put(t, run, "a", number(2))
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2")}
	failedBefore := len(s.executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.breakDown("TransactWriteItems", true)
	defer s.calls.breakDown("", false)
	ids := s.send(t, messages...)
	s.servePipes(t)
	await(t, func() string {
		if len(s.executions(t, sfntypes.ExecutionStatusFailed)) == failedBefore {
			return "an execution that failed"
		}
		return ""
	})
	s.calls.breakDown("", false)
	s.hideFor(t, "60")
	s.settle(t)
	kept := s.kept(t)
	if s.express && len(kept) > 0 {
		t.Errorf("kept %v, although the queue brings them again", kept)
	}
	for _, message := range s.drain(t, s.deadLetters(t)) { // if the machine is so busy that 2 seconds passed five times
		kept[*message.MessageId] = "dead letter"
	}
	for i, id := range ids {
		if kept[id] != "" {
			s.send(t, putBack(id, messages[i]))
		}
	}
	s.settle(t)
	if got := s.stands(t, run, "a"); got != "Received 2" {
		t.Errorf("the collection stands at %s", got)
	}
	if named := strings.HasSuffix(s.outputs.StateMachineArn, ":"+s.name+"-express"); named != s.express {
		t.Errorf("the state machine is %s", s.outputs.StateMachineArn)
	}
}

// hideFor sets for how many seconds the source queue hides what was received, so that nobody waits for minutes.
func (s *stack) hideFor(t *testing.T, seconds string) {
	t.Helper()
	if _, err := s.queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl: &s.outputs.FileReceivedQueueUrl, Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
		t.Fatal(err)
	}
}
