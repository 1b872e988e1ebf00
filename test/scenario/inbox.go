package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Inbox receives a run's messages from a queue that other runs use too. It releases the messages of other runs.
type Inbox struct {
	sqs      *sqs.Client
	url      string
	ours     func(text string) bool
	handle   func(ctx context.Context, message types.Message) error
	released []*string // receipt handles of other runs' messages
}

// Inbox passes the messages of a queue whose text contains the run's correlation id to handle and deletes them. The end
// of Listen's context does not interrupt handle.
func (p *Player) Inbox(url string, run Run, handle func(ctx context.Context, message types.Message) error) *Inbox {
	ours := func(text string) bool { return strings.Contains(text, run.CorrelationID) }
	return &Inbox{sqs: p.sqs, url: url, ours: ours, handle: handle}
}

// Sender plays the snapshot sender, which answers each request of the run with a _success file.
func (p *Player) Sender(run Run, requested func(request Fields)) *Inbox {
	read := func(text string) (request Fields) {
		_ = json.Unmarshal([]byte(text), &request) // a text that is no request belongs to no run
		return request
	}
	ours := func(text string) bool { return read(text)["correlation_id"] == run.CorrelationID }
	handle := func(ctx context.Context, message types.Message) error {
		request := read(aws.ToString(message.Body))
		requested(request)
		name, _ := request["topic_name"].(string)
		_, err := p.Send(ctx, []Message{run.SuccessFile(name)}, 0)
		return err
	}
	return &Inbox{sqs: p.sqs, url: p.outputs.ExportStateQueueUrl, ours: ours, handle: handle}
}

// Rejected receives the run's messages from the rejected-messages queue.
func (p *Player) Rejected(run Run, handle func(message types.Message)) *Inbox {
	return p.Inbox(p.outputs.RejectedMessagesQueueUrl, run, func(_ context.Context, message types.Message) error {
		handle(message)
		return nil
	})
}

// Listen receives the run's messages until the context is done, and then until the queue is empty.
func (b *Inbox) Listen(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	defer b.release(whole)
	for {
		last := ctx.Err() != nil
		received, err := Take(whole, b.sqs, b.url, func(message types.Message) error {
			if !b.ours(aws.ToString(message.Body)) {
				return cmp.Or(b.postpone(whole, message), errLeave)
			}
			return b.handle(whole, message)
		})
		if err != nil || last && received == 0 {
			return err
		}
	}
}

// postpone hides another run's message until release at the latest. The time doubles with each receive: a message that
// is visible again at once exceeds the queue's receive limit and becomes a dead letter.
func (b *Inbox) postpone(ctx context.Context, message types.Message) error {
	times, _ := strconv.Atoi(message.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	b.released = append(b.released, message.ReceiptHandle)
	return b.hide(ctx, message.ReceiptHandle, int32(min(900, 5<<min(times, 8))))
}

func (b *Inbox) hide(ctx context.Context, handle *string, seconds int32) error {
	_, err := b.sqs.ChangeMessageVisibility(ctx,
		&sqs.ChangeMessageVisibilityInput{QueueUrl: &b.url, ReceiptHandle: handle, VisibilityTimeout: seconds})
	if err != nil {
		return fmt.Errorf("hiding another run's message: %w", err)
	}
	return nil
}

// release makes other runs' messages visible again. After an error they become visible when their time is over.
func (b *Inbox) release(ctx context.Context) {
	for _, handle := range b.released {
		_ = b.hide(ctx, handle, 0)
	}
}
