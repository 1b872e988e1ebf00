package rejected

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// ErrNoDeadLetterQueue says that the file-received queue's redrive policy names no dead-letter queue.
var ErrNoDeadLetterQueue = errors.New(
	"the file-received queue has no dead-letter queue, so it has no dead letters: a " +
		"message that always fails stays in the queue until it expires. Give the queue a redrive policy")

// DeadLetters are the queues for reading the file-received queue's dead-letter queue in place of the rejected-messages
// queue. Without one it fails with ErrNoDeadLetterQueue.
//
// SQS keeps the id of a message that it moves to a dead-letter queue, and increment takes this id for the message's
// identity. So a replay has the identity that the message had at its first delivery. Messages that SQS moved there from
// other queues are left out: a replay would send them to a queue that is not theirs.
func (q Queues) DeadLetters(ctx context.Context) (Queues, error) {
	got, err := q.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.FileReceived,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn,
			types.QueueAttributeNameRedrivePolicy}})
	if err != nil {
		return q, fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	q.source = got.Attributes[string(types.QueueAttributeNameQueueArn)]
	q.Rejected, err = DeadLetterQueue(ctx, q.SQS, got.Attributes[string(types.QueueAttributeNameRedrivePolicy)])
	if err == nil && q.Rejected == "" {
		err = ErrNoDeadLetterQueue
	}
	return q, err
}

// DeadLetterQueue finds the URL of the dead-letter queue that the file-received queue's redrive policy names. It is
// empty if the policy is.
func DeadLetterQueue(ctx context.Context, client *sqs.Client, redrivePolicy string) (url string, err error) {
	if redrivePolicy == "" {
		return "", nil
	}
	var policy struct{ DeadLetterTargetArn string }
	if err := json.Unmarshal([]byte(redrivePolicy), &policy); err != nil {
		return "", fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	queue, err := arn.Parse(policy.DeadLetterTargetArn)
	if err != nil {
		return "", fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue.Resource,
		QueueOwnerAWSAccountId: &queue.AccountID})
	if err != nil {
		return "", fmt.Errorf("finding dead-letter queue %s: %w", queue.Resource, err)
	}
	return aws.ToString(found.QueueUrl), nil
}

// systemAttributes are those of both kinds of messages.
var systemAttributes = []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp,
	types.MessageSystemAttributeNameApproximateReceiveCount,
	types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp,
	types.MessageSystemAttributeNameDeadLetterQueueSourceArn}

func (q Queues) newMessage(received types.Message) *Message {
	var m *Message
	if q.source == "" {
		m = q.newRejected(received)
	} else {
		m = q.newDeadLetter(received)
	}
	m.RejectedAgain = m.rejectedAgain(q.CountBy)
	return m
}

// newDeadLetter reads a message that nothing rejected, so it has no reason.
func (q Queues) newDeadLetter(received types.Message) *Message {
	m := q.readMessage(received, aws.ToString(received.MessageId), aws.ToString(received.Body))
	m.dead, m.identified = true, identifies(m.Text)
	m.Receives, _ = strconv.Atoi(
		received.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	m.Detail = fmt.Sprintf("receives: %d", m.Receives)
	first, given := timeOf(received, types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp)
	if given {
		m.FirstReceivedAt = &first
		m.Detail += ", the first at " + first.Format(time.DateTime) + " UTC"
	}
	return m
}

// DeadLetter reports whether the message is a dead letter, not a rejected message.
func (m *Message) DeadLetter() bool { return m.dead }

// WouldBeRejected says that a replay would be rejected, and why: "would be rejected again: …". Empty if it would not,
// as far as the text tells.
func (m *Message) WouldBeRejected() string {
	switch {
	case m.RejectedAgain == "":
		return ""
	case m.dead:
		return "would be rejected: " + m.RejectedAgain
	}
	return "would be rejected again: " + m.RejectedAgain
}

// ofAnother reports whether SQS moved the message to the dead-letter queue from another queue. A message that was sent
// to the dead-letter queue itself does not say where it is from.
func (q Queues) ofAnother(received types.Message) bool {
	from := received.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]
	return q.source != "" && from != "" && from != q.source
}

// messages names what the queue that is read has.
func (q Queues) messages() string {
	if q.source != "" {
		return "dead letters"
	}
	return "rejected messages"
}

// state is what a message of the queue is while it is there.
func (q Queues) state() string {
	if q.source != "" {
		return "a dead letter"
	}
	return "rejected"
}
