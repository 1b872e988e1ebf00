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
	mostPerReceive = 10 // SQS allows no more
	// longPoll is short, since a receive that is given up would take messages with it; it is waited for at the end.
	longPoll   = time.Second
	afterError = time.Second
	// shortPause is between looks at the queue in a window's last second.
	shortPause = 100 * time.Millisecond
)

// queuePipe brings messages from a queue to its target.
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

// poll brings batch after batch over until the context is done. A batch that was received is brought over to its end.
func (q *queuePipe) poll(ctx context.Context) {
	for ctx.Err() == nil {
		if err := q.bringOne(ctx); err != nil {
			q.log.Error("batch left in the queue", "error", err)
			_ = pause(ctx, afterError)
		}
	}
}

// bringOne waits for messages, starts one execution with a batch of them, and deletes them once the start was accepted
// (synchronous pipes: once the execution succeeded). After an error they are left, so that they come again when their
// visibility timeout is over.
func (q *queuePipe) bringOne(ctx context.Context) error {
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

// receive assembles a batch: of what one receive gives, and of what comes within the batch window, up to the batch
// size.
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
		more, err := q.receiveSideBySide(whole, q.BatchSize-len(batch), wait)
		batch = append(batch, more...)
		if err != nil {
			break // what is here goes its way; the next batch meets the error again
		}
	}
	return batch, nil
}

// receiveSideBySide receives up to so many messages by as few receives as can bring them. Besides an error there may be
// messages.
func (q *queuePipe) receiveSideBySide(ctx context.Context, most int, wait time.Duration) ([]sqstypes.Message, error) {
	receives := (most + mostPerReceive - 1) / mostPerReceive
	received, errs := make([][]sqstypes.Message, receives), make([]error, receives)
	var group sync.WaitGroup
	for i := range receives {
		group.Go(func() {
			received[i], errs[i] = q.receiveUpTo(ctx, most-i*mostPerReceive, wait)
		})
	}
	group.Wait()
	return slices.Concat(received...), errors.Join(errs...)
}

// receiveUpTo receives once, waiting for up to wait in whole seconds if there is nothing.
func (q *queuePipe) receiveUpTo(ctx context.Context, most int, wait time.Duration) ([]sqstypes.Message, error) {
	received, err := q.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.queueURL,
		MaxNumberOfMessages:         int32(min(most, mostPerReceive)),
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
		part := batch[:min(len(batch), mostPerReceive)]
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
