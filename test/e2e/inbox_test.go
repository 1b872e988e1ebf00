package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"snapshot-status-checker/local/localtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// outMessage is a message that the system sent.
type outMessage struct {
	text       string
	group      string            // FIFO queues only
	attributes map[string]string // its message attributes
}

// inbox collects the messages of a queue for all scenarios.
type inbox struct {
	queues   *sqs.Client
	url      string
	mu       sync.Mutex
	messages []outMessage
}

func newInbox(queues *sqs.Client, url string) *inbox { return &inbox{queues: queues, url: url} }

// collect receives and deletes messages until the context is done.
func (b *inbox) collect(ctx context.Context) error {
	for {
		got, err := b.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &b.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return fmt.Errorf("collecting: %w", err)
		}
		for _, message := range got.Messages {
			b.add(message) // before the deletion, so that no message of an empty queue is missing
			if _, err := b.queues.DeleteMessage(ctx,
				&sqs.DeleteMessageInput{QueueUrl: &b.url, ReceiptHandle: message.ReceiptHandle}); err != nil {
				return fmt.Errorf("collecting: %w", err)
			}
		}
	}
}

func (b *inbox) add(message types.Message) {
	m := outMessage{
		text:       aws.ToString(message.Body),
		group:      message.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		attributes: map[string]string{},
	}
	for name, value := range message.MessageAttributes {
		m.attributes[name] = aws.ToString(value.StringValue)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
}

// pick returns the wanted messages, in their order.
func (b *inbox) pick(wanted func(outMessage) bool) []outMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	var picked []outMessage
	for _, m := range b.messages {
		if wanted(m) {
			picked = append(picked, m)
		}
	}
	return picked
}

// awaitEmpty waits until all messages of the queue are collected.
func (b *inbox) awaitEmpty(t *testing.T, config aws.Config) {
	t.Helper()
	localtest.Await(t, "collecting all messages of "+b.url, func() bool {
		return localtest.Waiting(t, config, b.url) == 0
	})
}
