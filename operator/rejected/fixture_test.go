package rejected_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/rejected"
)

// The queues of fakeSQS. Their URLs are their names.
const (
	rejectedQueue = "rejected"
	fileReceived  = "file-received"
	largest       = 200_000 // bytes of a message of the file-received queue
)

// began is when the fake's messages were sent and received first.
var began = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)

// fakeSQS is SQS in memory. The tests of operator/command read the same queues of the local engine.
type fakeSQS struct {
	mu      sync.Mutex
	queues  map[string][]*message
	sent    int
	redrive string // the file-received queue's policy
	unseen  int    // messages that a queue counts and does not return
}

type message struct {
	types.Message
	receives int
	hidden   bool
}

func newSQS() *fakeSQS {
	return &fakeSQS{queues: map[string][]*message{}, redrive: fmt.Sprintf(`{"deadLetterTargetArn":%q}`,
		arnOf(rejectedQueue))}
}

func arnOf(queue string) string { return "arn:aws:sqs:eu-west-1:111122223333:" + queue }

// fault stands before SQS: it sees each call's input, may change it, and may change the answer.
type fault func(ctx context.Context, in any, next func() (any, error)) (any, error)

func none(_ context.Context, _ any, next func() (any, error)) (any, error) { return next() }

func (f *fakeSQS) with(before fault) rejected.Queues {
	client := sqs.NewFromConfig(operatortest.AWS(func(ctx context.Context, in any) (any, error) {
		return before(ctx, in, func() (any, error) { return f.call(in) })
	}))
	return rejected.Queues{SQS: client, Rejected: rejectedQueue, FileReceived: fileReceived}
}

func (f *fakeSQS) call(in any) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch in := in.(type) {
	case *sqs.GetQueueAttributesInput:
		all := f.queues[*in.QueueUrl]
		hidden := len(all) - len(slices.DeleteFunc(slices.Clone(all), func(m *message) bool { return m.hidden }))
		return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
			"QueueArn": arnOf(*in.QueueUrl), "RedrivePolicy": f.redrive, "MaximumMessageSize": strconv.Itoa(largest),
			"ApproximateNumberOfMessages":           strconv.Itoa(len(all) - hidden + f.unseen),
			"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden)}}, nil
	case *sqs.GetQueueUrlInput:
		if *in.QueueName != rejectedQueue || *in.QueueOwnerAWSAccountId != "111122223333" {
			return nil, &types.QueueDoesNotExist{}
		}
		return &sqs.GetQueueUrlOutput{QueueUrl: in.QueueName}, nil
	case *sqs.SendMessageInput:
		f.put(*in.QueueUrl, *in.MessageBody).MessageAttributes = in.MessageAttributes
		return &sqs.SendMessageOutput{}, nil
	case *sqs.SendMessageBatchInput:
		for _, entry := range in.Entries {
			f.put(*in.QueueUrl, *entry.MessageBody)
		}
		return &sqs.SendMessageBatchOutput{}, nil
	case *sqs.ReceiveMessageInput:
		return f.receive(*in.QueueUrl), nil
	case *sqs.ChangeMessageVisibilityBatchInput:
		for _, entry := range in.Entries {
			for _, m := range f.queues[*in.QueueUrl] {
				m.hidden = m.hidden && *m.ReceiptHandle != *entry.ReceiptHandle
			}
		}
		return &sqs.ChangeMessageVisibilityBatchOutput{}, nil
	case *sqs.DeleteMessageBatchInput:
		for _, entry := range in.Entries {
			f.queues[*in.QueueUrl] = slices.DeleteFunc(f.queues[*in.QueueUrl],
				func(m *message) bool { return m.hidden && *m.ReceiptHandle == *entry.ReceiptHandle })
		}
		return &sqs.DeleteMessageBatchOutput{}, nil
	}
	return nil, fmt.Errorf("unexpected %T", in)
}

func (f *fakeSQS) put(queue, text string) *message {
	f.sent++
	m := &message{Message: types.Message{MessageId: aws.String(fmt.Sprintf("sqs-%02d", f.sent)), Body: &text,
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(began.UnixMilli(), 10)}}}
	f.queues[queue] = append(f.queues[queue], m)
	return m
}

func (f *fakeSQS) receive(queue string) *sqs.ReceiveMessageOutput {
	out := &sqs.ReceiveMessageOutput{}
	for _, m := range f.queues[queue] {
		if !m.hidden && len(out.Messages) < 10 {
			m.receives++
			m.hidden, m.ReceiptHandle = true, aws.String(fmt.Sprint(*m.MessageId, "-", m.receives))
			m.Attributes["ApproximateReceiveCount"] = strconv.Itoa(m.receives)
			out.Messages = append(out.Messages, m.Message)
		}
	}
	return out
}

// die puts texts into the rejected-messages queue as SQS does that moves them from another queue after two receives. It
// returns their message ids by text.
func (f *fakeSQS) die(from string, texts ...string) map[string]string {
	ids := map[string]string{}
	for _, text := range texts {
		m := f.put(rejectedQueue, text)
		m.receives, ids[text] = 2, *m.MessageId
		m.Attributes["DeadLetterQueueSourceArn"] = arnOf(from)
		m.Attributes["ApproximateFirstReceiveTimestamp"] = m.Attributes["SentTimestamp"]
	}
	return ids
}

// reject rejects texts as increment does.
func reject(t *testing.T, q rejected.Queues, texts ...string) {
	t.Helper()
	rejecter := delivery.Rejected{SQS: q.SQS, QueueURL: q.Rejected}
	for i, text := range texts {
		receipt := snapshot.Receipt{Identity: fmt.Sprintf("id-%02d", i), Raw: text,
			Rejection: &snapshot.Rejection{Reason: snapshot.ReasonNotCounted, Detail: "because"}}
		if err := rejecter.Reject(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf(`{"correlation_id":"run-%d"}`, i))
	}
	return texts
}

func read(t *testing.T, q rejected.Queues) *rejected.Reading {
	t.Helper()
	reading, err := q.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

// readDead reads the file-received queue's dead-letter queue.
func readDead(t *testing.T, q rejected.Queues) (*rejected.Reading, error) {
	t.Helper()
	dead, err := q.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dead.Read(t.Context())
}

func wantCount(t *testing.T, q rejected.Queues, visible, hidden int) {
	t.Helper()
	gotVisible, gotHidden, err := q.Count(t.Context())
	if err != nil || gotVisible != visible || gotHidden != hidden {
		t.Errorf("%d messages visible and %d hidden (%v), want %d and %d", gotVisible, gotHidden, err, visible, hidden)
	}
}

// arrived are the texts in the file-received queue, by their identities.
func (f *fakeSQS) arrived(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range f.queues[fileReceived] {
		var envelope struct {
			Records []struct{ MessageID, Body string }
		}
		if err := json.Unmarshal([]byte(*m.Body), &envelope); err != nil || len(envelope.Records) != 1 {
			t.Fatalf("%s: %v", *m.Body, err)
		}
		all[envelope.Records[0].MessageID] = envelope.Records[0].Body
	}
	return all
}
