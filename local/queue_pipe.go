package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	maxPerReceive = 10 // SQS's limit
	// longPoll is short: the end of the runner waits for it, since a cancelled receive would hide its messages.
	longPoll   = time.Second
	afterError = time.Second
	// shortPause is the time between receives in a window's last second.
	shortPause = 100 * time.Millisecond
)

// queuePipe delivers messages from a queue to its target.
type queuePipe struct {
	Pipe
	target
	queueURL string
	queue    *sqs.Client
	log      *slog.Logger
}

func newQueuePipe(ctx context.Context, config aws.Config, pipe Pipe, log *slog.Logger) (*queuePipe, error) {
	if len(pipe.Filters) > 0 {
		return nil, errors.New("filters on a queue are not supported by the local runner")
	}
	source, err := arn.Parse(pipe.Source)
	if err != nil {
		return nil, fmt.Errorf("reading the source's ARN: %w", err)
	}
	target, err := newTarget(config, pipe)
	if err != nil {
		return nil, err
	}
	client := sqs.NewFromConfig(config)
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &source.Resource})
	if err != nil {
		return nil, fmt.Errorf("finding the source queue: %w", err)
	}
	return &queuePipe{
		Pipe:     pipe,
		target:   target,
		queueURL: aws.ToString(found.QueueUrl),
		queue:    client,
		log:      log.With("pipe", pipe.Name),
	}, nil
}

// poll delivers batches until the context is done. It finishes a batch that it has received.
func (q *queuePipe) poll(ctx context.Context) {
	for ctx.Err() == nil {
		if err := q.deliver(ctx); err != nil {
			q.log.Error("batch left in the queue", "error", err)
			_ = pause(ctx, afterError)
		}
	}
}

// deliver waits for messages, starts one execution with a batch of them, and deletes them once the start was accepted
// (synchronous pipes: once the execution succeeded). After an error it does not delete them: they are visible again
// after their visibility timeout.
func (q *queuePipe) deliver(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	batch, err := q.receive(ctx, whole)
	if err != nil || len(batch) == 0 {
		return err
	}
	input, err := RecordsInput(q.Source, batch)
	if err != nil {
		return err
	}
	if err := q.start(whole, input); err != nil {
		return err
	}
	return q.delete(whole, batch)
}

// receive assembles a batch from one receive and from what arrives within the batch window, up to the batch size.
func (q *queuePipe) receive(ctx, whole context.Context) ([]sqstypes.Message, error) {
	batch, err := q.receiveUpTo(whole, q.BatchSize, longPoll)
	if err != nil {
		return nil, err
	}
	closes := time.Now().Add(q.BatchWindow)
	for len(batch) > 0 && len(batch) < q.BatchSize && time.Now().Before(closes) && ctx.Err() == nil {
		wait := min(longPoll, time.Until(closes))
		if wait < time.Second { // shorter than SQS can wait
			_ = pause(ctx, min(wait, shortPause))
		}
		more, err := q.receiveConcurrently(whole, q.BatchSize-len(batch), wait)
		batch = append(batch, more...)
		if err != nil {
			break // deliver what was received; the next batch repeats the error
		}
	}
	return batch, nil
}

// receiveConcurrently receives up to limit messages with the fewest receives. It may return messages with an error.
func (q *queuePipe) receiveConcurrently(
	ctx context.Context, limit int, wait time.Duration,
) ([]sqstypes.Message, error) {
	receives := (limit + maxPerReceive - 1) / maxPerReceive
	received, errs := make([][]sqstypes.Message, receives), make([]error, receives)
	var group sync.WaitGroup
	for i := range receives {
		group.Go(func() {
			received[i], errs[i] = q.receiveUpTo(ctx, limit-i*maxPerReceive, wait)
		})
	}
	group.Wait()
	return slices.Concat(received...), errors.Join(errs...)
}

// receiveUpTo receives once, and waits up to wait, in whole seconds, for a message.
func (q *queuePipe) receiveUpTo(ctx context.Context, limit int, wait time.Duration) ([]sqstypes.Message, error) {
	received, err := q.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.queueURL,
		MaxNumberOfMessages:         int32(min(limit, maxPerReceive)),
		WaitTimeSeconds:             int32(wait / time.Second),
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("receiving: %w", err)
	}
	return received.Messages, nil
}

func (q *queuePipe) delete(ctx context.Context, batch []sqstypes.Message) error {
	for len(batch) > 0 {
		part := batch[:min(len(batch), maxPerReceive)]
		batch = batch[len(part):]
		entries := make([]sqstypes.DeleteMessageBatchRequestEntry, 0, len(part))
		for i, message := range part {
			entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: message.ReceiptHandle,
			})
		}
		deleted, err := q.queue.DeleteMessageBatch(ctx,
			&sqs.DeleteMessageBatchInput{QueueUrl: &q.queueURL, Entries: entries})
		if err != nil {
			return fmt.Errorf("deleting: %w", err)
		}
		for _, failed := range deleted.Failed {
			return fmt.Errorf("deleting: %s: %s", aws.ToString(failed.Code), aws.ToString(failed.Message))
		}
	}
	return nil
}
