package rejected

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// Reading holds the messages that were received. Other readers do not see them until they are released.
type Reading struct {
	Messages      []*Message // the oldest first
	OfOtherQueues int        // messages of the dead-letter queue from other queues; they are not in Messages
	InFlight      int        // messages that other readers hold, approximately
	NotReceived   int        // messages that the queue did not return, approximately

	queues Queues
	byID   map[string]*Message // all that is held
}

const (
	perCall  = 10 // the maximum of SQS
	longPoll = 1  // second; a receive without it asks only some of the queue's servers
	// emptyReceives in a row end the reading: the queue counts its messages with a delay.
	emptyReceives = 3
	mostHidden    = 12 * time.Hour // the maximum of SQS
)

// hidesFor is how long a message stays hidden if it is not released: enough to read so many over a slow connection, and
// to act on them.
func hidesFor(messages int) time.Duration {
	return min(mostHidden, time.Minute+time.Duration(messages)*100*time.Millisecond)
}

// Count asks the queue how many messages it has, approximately: visible ones, and those that readers hold.
func (q Queues) Count(ctx context.Context) (visible, hidden int, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := Attributes(ctx, q.SQS, q.Rejected, "counting the "+q.messages(), names...)
	if err != nil {
		return 0, 0, err
	}
	visible, err = strconv.Atoi(got[string(names[0])])
	hidden, hiddenErr := strconv.Atoi(got[string(names[1])])
	return visible, hidden, errors.Join(err, hiddenErr)
}

// Read receives all messages of the queue. After an error, or if the context ends, it releases what it received;
// otherwise the caller does, with Release.
func (q Queues) Read(ctx context.Context) (*Reading, error) {
	visible, hidden, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	r := &Reading{InFlight: hidden, queues: q, byID: map[string]*Message{}}
	if err := r.read(ctx, visible); err != nil {
		return nil, errors.Join(err, r.Release(ctx))
	}
	slices.SortStableFunc(r.Messages, func(a, b *Message) int {
		return cmp.Or(a.SentAt.Compare(b.SentAt), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.id, b.id))
	})
	return r, nil
}

func (r *Reading) read(ctx context.Context, expected int) error {
	for empty := 0; ; {
		if ctx.Err() != nil {
			return fmt.Errorf("reading the %s: %w", r.queues.messages(), context.Cause(ctx))
		}
		more, err := r.receive(ctx, expected)
		switch {
		case err != nil:
			return err
		case more:
			empty = 0
			continue
		}
		if len(r.byID) >= expected {
			return nil
		}
		visible, _, err := r.queues.Count(ctx)
		if err != nil {
			return err
		}
		expected = visible + len(r.byID)
		if empty++; empty == emptyReceives {
			r.NotReceived = visible
			return nil
		}
	}
}

// receive receives once and reports whether there were new messages. It ignores the end of the context, for a second at
// most: an interrupted receive would hide its messages.
func (r *Reading) receive(ctx context.Context, expected int) (more bool, err error) {
	got, err := r.queues.SQS.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{
		QueueUrl: &r.queues.Rejected, MaxNumberOfMessages: perCall, WaitTimeSeconds: longPoll,
		VisibilityTimeout:           int32(hidesFor(max(expected, len(r.byID))).Seconds()),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: systemAttributes,
	})
	if err != nil {
		return false, fmt.Errorf("reading the %s: %w", r.queues.messages(), err)
	}
	for _, message := range got.Messages {
		if seen := r.byID[aws.ToString(message.MessageId)]; seen != nil {
			seen.handle = message.ReceiptHandle // SQS may deliver twice; only the last handle is sure to work
			continue
		}
		read := r.queues.newMessage(message)
		r.byID[read.id] = read
		if r.queues.ofAnother(message) {
			r.OfOtherQueues++
		} else {
			r.Messages = append(r.Messages, read)
		}
		more = true
	}
	return more, nil
}

func entryError(entry types.BatchResultErrorEntry) error {
	return fmt.Errorf("%s: %s", aws.ToString(entry.Code), aws.ToString(entry.Message))
}

const (
	concurrent     = 8                // calls
	releaseTimeout = 30 * time.Second // of one call
)

// Release makes visible again what is held, except these messages, also when the context has ended. The error says how
// many messages could not be released, and when they become visible by themselves.
func (r *Reading) Release(ctx context.Context, except ...*Message) error {
	hidden := hidesFor(len(r.Messages) + r.OfOtherQueues)
	held := maps.Clone(r.byID)
	for _, message := range except {
		delete(held, message.id)
	}
	maps.DeleteFunc(r.byID, func(id string, _ *Message) bool { return held[id] != nil })
	var mu sync.Mutex
	failed := 0
	var cause error // of one of them
	var calls errgroup.Group
	calls.SetLimit(concurrent)
	for batch := range slices.Chunk(slices.Collect(maps.Values(held)), perCall) {
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
