package rejected_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/rejected"
)

// withDeadLetters gives the file-received queue, and another one, the queue that is read as their dead-letter queue.
func withDeadLetters(t *testing.T, q rejected.Queues, another ...string) rejected.Queues {
	t.Helper()
	target, err := q.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.Rejected,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range append(another, q.FileReceived) {
		if _, err := q.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url,
			Attributes: map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(
				`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, target.Attributes["QueueArn"])}}); err != nil {
			t.Fatal(err)
		}
	}
	dead, err := q.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dead
}

// die sends texts to a queue, of which no consumer deletes the messages until SQS has moved them. It returns the SQS
// message ids by text.
func die(t *testing.T, q rejected.Queues, url string, texts ...string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, text := range texts {
		sent, err := q.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text})
		if err != nil {
			t.Fatal(err)
		}
		ids[text] = *sent.MessageId
	}
	localtest.Await(t, "the messages are dead letters", func() bool {
		got, err := q.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Messages) == 0
	})
	return ids
}

// SQS moves messages that are not deleted. They are read with their SQS message ids, replayed exactly, and deleted.
func TestDeadLettersAreReplayedUnderTheirMessageIDs(t *testing.T) {
	t.Parallel()
	began := time.Now().Add(-time.Minute)
	q := withDeadLetters(t, queues(t, "262144"))
	all := append(texts(20), " {\n\"correlation_id\": \"a b\" }\t", `"\u0000"`)
	want := die(t, q, q.FileReceived, all...)
	reading := read(t, q)
	wantCount(t, q, 0, len(all))
	for _, m := range reading.Messages {
		if m.Identity != want[m.Text] || m.Receives != 3 || m.FirstReceivedAt == nil ||
			m.FirstReceivedAt.Before(began) ||
			m.SentAt.Before(began) || m.Reason != "" || !m.DeadLetter() ||
			!strings.HasPrefix(m.Detail, "receives: 3, the first at "+m.FirstReceivedAt.Format("2006-01-02")) ||
			!strings.HasPrefix(m.WouldBeRejected(), "would be rejected: ") {
			t.Errorf("read %+v with the text %q", m, m.Text)
		}
	}
	if at := slices.IndexFunc(reading.Messages, func(m *rejected.Message) bool {
		return slices.Equal(m.Runs, []string{"run-7"})
	}); at < 0 {
		t.Error("no message names its run")
	}
	outcomes, err := reading.Replay(t.Context(), reading.Messages)
	if err != nil || len(outcomes) != len(all) {
		t.Fatal(len(outcomes), err)
	}
	wantCount(t, q, 0, 0)
	got := map[string]string{}
	for _, envelope := range arrived(t, q) {
		got[envelope.Records[0].Body] = envelope.Records[0].MessageID
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A message that another queue left in the same dead-letter queue is no business of this system: it stays, and is
// visible again.
func TestDeadLettersOfOtherQueuesAreLeftOut(t *testing.T) {
	t.Parallel()
	q := queues(t, "1024")
	made, err := q.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(t.Name() + "-other")})
	if err != nil {
		t.Fatal(err)
	}
	q = withDeadLetters(t, q, *made.QueueUrl)
	die(t, q, *made.QueueUrl, "not ours", "not ours either")
	ours := die(t, q, q.FileReceived, "ours")
	// a person put it there
	if _, err := q.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.Rejected,
		MessageBody: aws.String("by hand")}); err != nil {
		t.Fatal(err)
	}
	reading := read(t, q)
	var got []string
	for _, m := range reading.Messages {
		got = append(got, m.Text)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"by hand", "ours"}, got); diff != "" || reading.OfOtherQueues != 2 ||
		reading.NotReceived != 0 || len(ours) != 1 {
		t.Errorf("%d of other queues, %d not received; %s", reading.OfOtherQueues, reading.NotReceived, diff)
	}
	wantCount(t, q, 0, 4)
	for _, o := range reading.Delete(t.Context(), reading.Messages) {
		if !o.Done {
			t.Error(o.Err)
		}
	}
	if err := reading.Release(t.Context()); err != nil {
		t.Error(err)
	}
	wantCount(t, q, 2, 0)
}

// Without a dead-letter queue, or if it cannot be found, the error says so, and nothing is read.
func TestNoDeadLetterQueue(t *testing.T) {
	t.Parallel()
	q := queues(t, "1024")
	if _, err := q.DeadLetters(t.Context()); !errors.Is(err, rejected.ErrNoDeadLetterQueue) {
		t.Error(err)
	}
	for policy, says := range map[string]string{
		"no JSON": "reading the file-received queue's redrive policy: ",
		"{}":      "reading the file-received queue's redrive policy: ",
		`{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:gone"}`: "finding dead-letter queue gone: ",
	} {
		if _, err := rejected.DeadLetterQueue(t.Context(), q.SQS, policy); err == nil ||
			!strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// Errors name the dead letters, and say whether trying again is safe.
func TestErrorsNameTheDeadLetters(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset")
	var fails string
	q := queues(t, "1024", func(_ context.Context, in any, next func() (any, error)) (any, error) {
		if fmt.Sprintf("%T", in) == fails {
			return nil, lost
		}
		return next()
	})
	q = withDeadLetters(t, q)
	die(t, q, q.FileReceived, texts(1)...)
	for call, says := range map[string]string{
		"*sqs.SendMessageBatchInput": "it may have been replayed, and is still a dead letter; it counts once if you " +
			"replay it again: ",
		"*sqs.DeleteMessageBatchInput": "it was replayed and counts once, but is still a dead letter; replay it " +
			"again or delete it: ",
	} {
		fails = call
		reading := read(t, q)
		outcomes, err := reading.Replay(t.Context(), reading.Messages)
		if err != nil || len(outcomes) != 1 || !strings.HasPrefix(fmt.Sprint(outcomes[0].Err), says) {
			t.Errorf("%s: %v, %+v", call, err, outcomes)
		}
		if err := reading.Release(t.Context()); err != nil {
			t.Error(err)
		}
		wantCount(t, q, 1, 0)
	}
	fails = "*sqs.ReceiveMessageInput"
	if _, err := q.Read(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "reading the dead letters: ") {
		t.Error(err)
	}
}
