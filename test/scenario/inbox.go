package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Inbox takes a run's messages out of a queue that it may share with others: theirs are given back.
type Inbox struct {
	sqs     *sqs.Client
	url     string
	mine    func(text string) bool
	take    func(ctx context.Context, message types.Message) error
	foreign []*string // receipt handles
}

// Inbox takes messages in whose text the run's correlation id stands out of a queue, and deletes them. What take does
// is not cut off when Listen's context ends.
func (w *World) Inbox(url string, run Run, take func(ctx context.Context, message types.Message) error) *Inbox {
	mine := func(text string) bool { return strings.Contains(text, run.CorrelationID) }
	return &Inbox{sqs: w.sqs, url: url, mine: mine, take: take}
}

// Sender plays the snapshot sender, who answers each request of the run with a _success file.
func (w *World) Sender(run Run, asked func(request Fields)) *Inbox {
	read := func(text string) (request Fields) {
		_ = json.Unmarshal([]byte(text), &request) // what is none is of nobody's run
		return request
	}
	mine := func(text string) bool { return read(text)["correlation_id"] == run.CorrelationID }
	return &Inbox{sqs: w.sqs, url: w.outputs.ExportStateQueueUrl, mine: mine, take: func(ctx context.Context,
		message types.Message) error {
		request := read(aws.ToString(message.Body))
		asked(request)
		name, _ := request["topic_name"].(string)
		_, err := w.Send(ctx, []Message{run.SuccessFile(name)}, 0)
		return err
	}}
}

// Rejected takes what is kept of the run out of the rejected-messages queue.
func (w *World) Rejected(run Run, take func(message types.Message)) *Inbox {
	return w.Inbox(w.outputs.RejectedMessagesQueueUrl, run, func(_ context.Context, message types.Message) error {
		take(message)
		return nil
	})
}

// Listen takes the run's messages until the context is done, and then what has come until the queue is empty.
func (b *Inbox) Listen(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	defer b.giveBack(whole)
	for {
		last := ctx.Err() != nil
		wait := int32(1)
		if last {
			wait = 0
		}
		received, err := b.sqs.ReceiveMessage(whole, &sqs.ReceiveMessageInput{
			QueueUrl: &b.url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait, VisibilityTimeout: 120,
			MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{
				types.MessageSystemAttributeNameApproximateReceiveCount},
		})
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		if last && len(received.Messages) == 0 {
			return nil
		}
		for _, message := range received.Messages {
			if err := b.handle(whole, message); err != nil {
				return err
			}
		}
	}
}

func (b *Inbox) handle(ctx context.Context, message types.Message) error {
	if !b.mine(aws.ToString(message.Body)) {
		return b.leave(ctx, message)
	}
	_, err := b.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &b.url, ReceiptHandle: message.ReceiptHandle})
	return errors.Join(err, b.take(ctx, message))
}

// leave leaves a message to others, at the end at the latest. It is hidden for a while, which doubles each time: a
// message that came back at once would soon be in the dead-letter queue, for having been received too often.
func (b *Inbox) leave(ctx context.Context, message types.Message) error {
	times, _ := strconv.Atoi(message.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	b.foreign = append(b.foreign, message.ReceiptHandle)
	return b.hide(ctx, message.ReceiptHandle, int32(min(900, 5<<min(times, 8))))
}

func (b *Inbox) hide(ctx context.Context, handle *string, seconds int32) error {
	_, err := b.sqs.ChangeMessageVisibility(ctx,
		&sqs.ChangeMessageVisibilityInput{QueueUrl: &b.url, ReceiptHandle: handle, VisibilityTimeout: seconds})
	if err != nil {
		return fmt.Errorf("giving a message back: %w", err)
	}
	return nil
}

// giveBack makes others' messages visible again. If it fails they come back by themselves.
func (b *Inbox) giveBack(ctx context.Context) {
	for _, handle := range b.foreign {
		_ = b.hide(ctx, handle, 0)
	}
}
