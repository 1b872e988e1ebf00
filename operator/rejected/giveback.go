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
	sideBySide  = 8                // calls that give back
	giveTimeout = 30 * time.Second // of one call
)

// GiveBack makes everything visible again that is held, but these, also when the context has ended. What cannot be
// given back comes back by itself; the error says how many that are, and when.
func (r *Reading) GiveBack(ctx context.Context, but ...*Message) error {
	hidden := hidesFor(len(r.Messages))
	held := r.release(but)
	var mu sync.Mutex
	failed := 0
	var cause error // of one of them
	var calls errgroup.Group
	calls.SetLimit(sideBySide)
	for batch := range slices.Chunk(held, perCall) {
		calls.Go(func() error {
			n, err := r.queues.giveBack(context.WithoutCancel(ctx), batch)
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
	return fmt.Errorf("%d of %d messages that were read could not be given back: %w; they come back by themselves "+
		"within %s",
		failed, len(held), cause, hidden)
}

// release lets go of all but these, and returns what it let go of.
func (r *Reading) release(but []*Message) []*Message {
	keep := make(map[*Message]bool, len(but))
	for _, message := range but {
		keep[message] = true
	}
	var released []*Message
	for id, message := range r.byID {
		if !keep[message] {
			released = append(released, message)
			delete(r.byID, id)
		}
	}
	return released
}

// giveBack gives a batch back, and says how many of it were refused, with a reason for one of them.
func (q Queues) giveBack(ctx context.Context, batch []*Message) (failed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, giveTimeout)
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
