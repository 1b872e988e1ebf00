package e2e

import (
	"sync/atomic"
	"testing"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
	operator "snapshot-status-checker/operator/rejected"
	"snapshot-status-checker/test/scenario"
)

func countUpdates(about dbRequest) bool {
	return about.operation == "UpdateItem" && about.item == "collection"
}

func rowUpdates(about dbRequest) bool { return about.operation == "UpdateItem" && about.item == "row" }

// Counting fails until the retries are used up. STANDARD rejects the messages. EXPRESS leaves them to their queue,
// which delivers them five times and then moves them to its dead-letter queue. A replay uses their identities there.
func uncountedMessages(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.uncounted.a"
	s.setVisibilityTimeout(t, "2")
	r.put(collection, "Sent", 3)
	messages := r.many(3, collection)
	failedBefore := len(s.stack.Executions(t, sfntypes.ExecutionStatusFailed))
	proxied.fail(countUpdates, false)
	defer proxied.stopFailing()
	ids := r.send(messages...)
	s.stack.StartPipes(t)

	found, err := operator.Queues{SQS: s.queues, FileReceived: s.outputs.FileReceivedQueueUrl}.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []rejection
	wantDead := map[string]string{}
	for i, id := range ids {
		if s.express {
			wantDead[id] = messages[i]
		} else {
			want = append(want, rejection{id, snapshot.ReasonNotCounted, messages[i]})
		}
	}
	localtest.Await(t, "all messages to be dead letters or rejected", func() bool {
		return localtest.Waiting(t, s.stack.Config, found.Rejected)+len(r.rejectedMessages()) == len(ids)
	})
	r.wantRejected(want...)
	dead := map[string]string{}
	for range wantDead {
		if _, err := scenario.Take(t.Context(), s.queues, found.Rejected, func(message sqstypes.Message) error {
			dead[*message.MessageId] = *message.Body
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(wantDead, dead); diff != "" {
		t.Errorf("dead letters (-want +got)\n%s", diff)
	}
	localtest.Await(t, "an execution that shows that it failed", func() bool {
		return len(s.stack.Executions(t, sfntypes.ExecutionStatusFailed)) > failedBefore
	})
	if got := s.stack.RowState(t, r.id, collection); got != "Sent 0" {
		t.Errorf("the collection is %s", got)
	}

	// The cause is removed. Each is replayed twice.
	proxied.stopFailing()
	s.setVisibilityTimeout(t, "60")
	var replays []string
	for i, id := range ids {
		replay := envelope(identified(id, messages[i]))
		replays = append(replays, replay, replay)
	}
	r.handle(replays...)
	r.wantRow(collection, "Received", 3)
	r.wantRequests(r.request(collection))
}

// Every write of a collection or its row takes effect, and every answer is lost. Retries recognise what was written:
// no execution fails, each file counts once, the row moves once, and one request goes out.
func lostAnswers(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.lost.a", "Sent", 2)
	failedBefore := s.stack.Executions(t, sfntypes.ExecutionStatusFailed)
	var counts, rows atomic.Bool // of this stack, that were lost
	proxied.fail(func(about dbRequest) bool {
		count, row := countUpdates(about), rowUpdates(about)
		counts.CompareAndSwap(false, count && about.table == s.outputs.LedgerTableName)
		rows.CompareAndSwap(false, row && about.table == s.outputs.ExportStatusTableName)
		return count || row
	}, true)
	defer proxied.stopFailing()
	s.stack.StartPipes(t)
	r.handle(r.many(2, "db.lost.a")...)
	r.wantRow("db.lost.a", "Received", 2)
	r.wantRequests(r.request("db.lost.a"))
	r.wantRejected()
	if diff := cmp.Diff(failedBefore, s.stack.Executions(t, sfntypes.ExecutionStatusFailed)); diff != "" {
		t.Errorf("executions that failed (-before +after)\n%s", diff)
	}
	if !counts.Load() || !rows.Load() {
		t.Errorf("answers were lost of counts %v, of rows %v, want both", counts.Load(), rows.Load())
	}
}

// setVisibilityTimeout sets how long the source queue hides received messages.
func (s *system) setVisibilityTimeout(t *testing.T, seconds string) {
	t.Helper()
	if _, err := s.queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
		QueueUrl:   &s.outputs.FileReceivedQueueUrl,
		Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
		t.Fatal(err)
	}
}
