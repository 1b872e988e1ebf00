package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// perBatch is the most messages that SQS takes or gives in one call.
const perBatch = 10

// Post sends up to ten messages to a queue and returns their ids, in the order of the bodies. After an error those that
// were not sent have none.
func Post(ctx context.Context, client *sqs.Client, url string, bodies ...string) (ids []string, err error) {
	if len(bodies) == 0 {
		return nil, nil
	}
	var entries []types.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries,
			types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
	}
	sent, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	ids = make([]string, len(bodies))
	for _, done := range sent.Successful {
		i, err := strconv.Atoi(aws.ToString(done.Id))
		if err != nil {
			return ids, fmt.Errorf("sending: %w", err)
		}
		ids[i] = aws.ToString(done.MessageId)
	}
	if len(sent.Failed) > 0 {
		return ids, fmt.Errorf("sending: %s", aws.ToString(sent.Failed[0].Message))
	}
	return ids, nil
}

// errLeave leaves a message in the queue.
var errLeave = errors.New("another run's message")

// Take receives up to ten messages of a queue, for which it waits up to a second, and deletes each when take has
// returned. So an empty queue means that all of its messages were taken. They are hidden until then, for two minutes at
// most. It returns how many were received.
func Take(ctx context.Context, client *sqs.Client, url string, take func(types.Message) error) (int, error) {
	received, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: perBatch, WaitTimeSeconds: 1, VisibilityTimeout: 120,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return 0, fmt.Errorf("receiving: %w", err)
	}
	for _, message := range received.Messages {
		if err := take(message); errors.Is(err, errLeave) {
			continue
		} else if err != nil {
			return 0, err
		}
		if _, err := client.DeleteMessage(ctx,
			&sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: message.ReceiptHandle}); err != nil {
			return 0, fmt.Errorf("receiving: %w", err)
		}
	}
	return len(received.Messages), nil
}

// Collect takes a queue's messages until the context is done, which is no error.
func Collect(ctx context.Context, client *sqs.Client, url string, take func(types.Message) error) error {
	for ctx.Err() == nil {
		if _, err := Take(ctx, client, url, take); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// Waiting is the number of messages in a queue, including those in flight. On AWS it is approximate.
func Waiting(ctx context.Context, client *sqs.Client, url string) (messages int, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("counting the messages of %s: %w", url, err)
	}
	for _, name := range names {
		n, err := strconv.Atoi(got.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("counting the messages of %s: %w", url, err)
		}
		messages += n
	}
	return messages, nil
}
