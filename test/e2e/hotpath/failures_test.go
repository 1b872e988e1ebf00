package hotpath

import (
	"fmt"
	"testing"

	"snapshot-status-checker/local/localtest"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// Counting fails until the retries are used up. STANDARD rejects the messages. EXPRESS leaves them to their queue,
// which delivers them five times and then moves them to its dead-letter queue. A replay uses their identities there.
func uncountedMessages(t *testing.T, s *stack) {
	const run = "troubled"
	s.setVisibilityTimeout(t, "2")
	s.PutRow(t, run, "a", "Sent", localtest.Number(3))
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2"), receipt(run, "a", "3")}
	failedBefore := len(s.Executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.fail(countUpdates, false)
	defer s.calls.stopFailing()
	ids := s.send(t, messages...)
	s.StartPipes(t)

	want := map[string]string{}
	for _, id := range ids {
		want[id] = "NOT_COUNTED"
	}
	dead := s.deadLetters(t)
	if s.express {
		localtest.AwaitNothing(t, func() string {
			if n := localtest.Waiting(t, s.Config, dead); n < len(ids) {
				return fmt.Sprintf("%d of %d dead letters", n, len(ids))
			}
			return ""
		})
		want = map[string]string{}
	}
	s.Settle(t)
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
	if failed := len(s.Executions(t, sfntypes.ExecutionStatusFailed)); failed == failedBefore {
		t.Error("no execution shows that it failed")
	}
	if got := s.RowState(t, run, "a"); got != "Sent 0" {
		t.Errorf("the collection is %s", got)
	}

	// The cause is removed. Each is replayed twice.
	s.calls.stopFailing()
	s.setVisibilityTimeout(t, "60")
	for i, id := range ids {
		s.send(t, replayed(id, messages[i]), replayed(id, messages[i]))
	}
	s.Settle(t)
	if got := s.RowState(t, run, "a"); got != "Received 3" {
		t.Errorf("the collection is %s after the replay", got)
	}
}

func countUpdates(about dbRequest) bool {
	return about.operation == "UpdateItem" && about.item == "collection"
}

func rowUpdates(about dbRequest) bool { return about.operation == "UpdateItem" && about.item == "row" }

// The messages are counted, but the write of the row fails, and so do the executions. The queue (EXPRESS) or a person
// (STANDARD) sends the messages again, and they count once.
func unwritableRows(t *testing.T, s *stack) {
	const run = "unwritten"
	s.setVisibilityTimeout(t, "2")
	s.PutRow(t, run, "a", "Sent", localtest.Number(3))
	s.receiveOne(t, run, receipt(run, "a", "0")) // adopts the row
	messages := []string{receipt(run, "a", "1"), receipt(run, "a", "2")}
	failedBefore := len(s.Executions(t, sfntypes.ExecutionStatusFailed))
	s.calls.fail(rowUpdates, false)
	defer s.calls.stopFailing()
	ids := s.send(t, messages...)
	s.StartPipes(t)
	localtest.AwaitNothing(t, func() string {
		if len(s.Executions(t, sfntypes.ExecutionStatusFailed)) == failedBefore {
			return "an execution that failed"
		}
		return ""
	})
	s.calls.stopFailing()
	s.setVisibilityTimeout(t, "60")
	s.Settle(t)
	rejected := s.rejected(t)
	if s.express && len(rejected) > 0 {
		t.Errorf("rejected %v, although the queue delivers them again", rejected)
	}
	for _, message := range s.drain(t, s.deadLetters(t)) { // a busy machine may have used up the deliveries
		rejected[*message.MessageId] = "dead letter"
	}
	for i, id := range ids {
		if rejected[id] != "" {
			s.send(t, replayed(id, messages[i]))
		}
	}
	s.Settle(t)
	if got := s.RowState(t, run, "a"); got != "Received 3" {
		t.Errorf("the collection is %s", got)
	}
}

// Every write of a collection or its row takes effect, and every answer is lost. Retries recognise what was written:
// no execution fails, each file counts once, the row moves once, and one request goes out.
func lostAnswers(t *testing.T, s *stack) {
	const run = "lost"
	s.drain(t, s.Outputs.ExportStateQueueUrl)
	s.PutRow(t, run, "a", "Sent", localtest.Number(2))
	failedBefore := s.Executions(t, sfntypes.ExecutionStatusFailed)
	s.calls.fail(func(about dbRequest) bool { return countUpdates(about) || rowUpdates(about) }, true)
	defer s.calls.stopFailing()
	s.send(t, receipt(run, "a", "1"), receipt(run, "a", "2"))
	s.StartPipes(t)
	s.Settle(t)
	if got := s.RowState(t, run, "a"); got != "Received 2" {
		t.Errorf("the collection is %s", got)
	}
	if diff := cmp.Diff(failedBefore, s.Executions(t, sfntypes.ExecutionStatusFailed)); diff != "" {
		t.Errorf("executions that failed (-before +after)\n%s", diff)
	}
	if rejected := s.rejected(t); len(rejected) > 0 {
		t.Errorf("rejected %v", rejected)
	}
	if requests := s.drain(t, s.Outputs.ExportStateQueueUrl); len(requests) != 1 {
		t.Errorf("%d requests", len(requests))
	}
}

// setVisibilityTimeout sets how long the source queue hides received messages.
func (s *stack) setVisibilityTimeout(t *testing.T, seconds string) {
	t.Helper()
	if _, err := s.queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl:   &s.Outputs.FileReceivedQueueUrl,
		Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
		t.Fatal(err)
	}
}
