package rejected

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

const (
	concurrent     = 8                // calls
	releaseTimeout = 30 * time.Second // of one call
)

// Release makes visible again what is held, except these messages, also when the context has ended. The error says how
// many messages could not be released, and when they become visible by themselves.
func (r *Reading) Release(ctx context.Context, except ...*Message) error {
	hidden := hidesFor(len(r.Messages) + r.OfOtherQueues)
	held := r.forget(except)
	var mu sync.Mutex
	failed := 0
	var cause error // of one of them
	var calls errgroup.Group
	calls.SetLimit(concurrent)
	for batch := range slices.Chunk(held, perCall) {
		calls.Go(func() error {
			n, err := r.queues.release(context.WithoutCancel(ctx), batch)
			mu.Lock()
			defer mu.Unlock()
			if failed += n; err != nil {
				cause = err
			}
			return nil
		})
	}
	_ = calls.Wait()
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d messages could not be made visible again: %w; they become visible by themselves "+
		"within %s", failed, len(held), cause, hidden)
}

// forget removes and returns what is held, except these.
func (r *Reading) forget(except []*Message) []*Message {
	stays := make(map[*Message]bool, len(except))
	for _, message := range except {
		stays[message] = true
	}
	var released []*Message
	for id, message := range r.byID {
		if !stays[message] {
			released = append(released, message)
			delete(r.byID, id)
		}
	}
	return released
}

// release makes a batch visible again, and says how many messages failed, with the error of one.
func (q Queues) release(ctx context.Context, batch []*Message) (failed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, 0, len(batch))
	for i, message := range batch {
		entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: message.handle, VisibilityTimeout: 0,
		})
	}
	given, err := q.SQS.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.Rejected,
		Entries: entries})
	switch {
	case err != nil:
		return len(batch), err
	case len(given.Failed) > 0:
		return len(given.Failed), entryError(given.Failed[0])
	}
	return 0, nil
}
