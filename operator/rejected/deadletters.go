package rejected

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
	got, err := Attributes(ctx, q.SQS, q.FileReceived, "reading the file-received queue's redrive policy",
		types.QueueAttributeNameQueueArn, types.QueueAttributeNameRedrivePolicy)
	if err != nil {
		return q, err
	}
	q.source = got[string(types.QueueAttributeNameQueueArn)]
	q.Rejected, err = DeadLetterQueue(ctx, q.SQS, got[string(types.QueueAttributeNameRedrivePolicy)])
	if err == nil && q.Rejected == "" {
		err = ErrNoDeadLetterQueue
	}
	return q, err
}

// Attributes reads attributes of a queue. Its error says what was being done.
func Attributes(
	ctx context.Context, client *sqs.Client, url, doing string, names ...types.QueueAttributeName,
) (map[string]string, error) {
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return got.Attributes, nil
}

// DeadLetterQueue finds the URL of the dead-letter queue that the file-received queue's redrive policy names. It is
// empty if the policy is.
func DeadLetterQueue(ctx context.Context, client *sqs.Client, redrivePolicy string) (url string, err error) {
	if redrivePolicy == "" {
		return "", nil
	}
	var policy struct{ DeadLetterTargetArn string }
	err = json.Unmarshal([]byte(redrivePolicy), &policy)
	queue, malformed := arn.Parse(policy.DeadLetterTargetArn)
	if err = cmp.Or(err, malformed); err != nil {
		return "", fmt.Errorf("reading the file-received queue's redrive policy: %w", err)
	}
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue.Resource,
		QueueOwnerAWSAccountId: &queue.AccountID})
	if err != nil {
		return "", fmt.Errorf("finding dead-letter queue %s: %w", queue.Resource, err)
	}
	return aws.ToString(found.QueueUrl), nil
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
