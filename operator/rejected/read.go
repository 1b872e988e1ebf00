package rejected

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Reading holds what was read of the queue. Others do not see it until it is given back.
type Reading struct {
	Messages []*Message // the oldest first
	// Elsewhere is how many messages, about, were not to be had, since somebody else is reading them just now.
	Elsewhere int
	// Unseen is how many more, about, the queue said to have when nothing came any more: the list lacks them.
	Unseen int

	queues Queues
	byID   map[string]*Message
}

const (
	perCall  = 10 // SQS takes and gives no more
	longPoll = 1  // second; it asks all of the queue's servers, which a receive that does not wait would not
	// emptyReceives in a row end the reading, whatever the queue says of how many it has: it counts with a delay.
	emptyReceives = 3
	mostHidden    = 12 * time.Hour // SQS allows no more
)

// hidesFor is how long a message stays hidden if it is not given back: enough to read so many, ten at a time over a
// slow connection, and to act on them.
func hidesFor(messages int) time.Duration {
	return min(mostHidden, time.Minute+time.Duration(messages)*100*time.Millisecond)
}

// Count asks the queue how many messages it has, about: those that can be read, and those that somebody is reading.
func (q Queues) Count(ctx context.Context) (visible, hidden int, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := q.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.Rejected,
		AttributeNames: names})
	if err != nil {
		return 0, 0, fmt.Errorf("counting the kept messages: %w", err)
	}
	visible, err = strconv.Atoi(got.Attributes[string(names[0])])
	hidden, hiddenErr := strconv.Atoi(got.Attributes[string(names[1])])
	return visible, hidden, errors.Join(err, hiddenErr)
}

// Read reads the queue through, until nothing more comes and as many as it should have were seen. With an error, or
// when the context ends, what was read is given back; else the caller does it, with GiveBack.
func (q Queues) Read(ctx context.Context) (*Reading, error) {
	visible, hidden, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	r := &Reading{Elsewhere: hidden, queues: q, byID: map[string]*Message{}}
	if err := r.read(ctx, visible); err != nil {
		return nil, errors.Join(err, r.GiveBack(ctx))
	}
	slices.SortStableFunc(r.Messages, func(a, b *Message) int {
		return cmp.Or(a.SentAt.Compare(b.SentAt), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.id, b.id))
	})
	return r, nil
}

func (r *Reading) read(ctx context.Context, expected int) error {
	for empty := 0; ; {
		if ctx.Err() != nil {
			return fmt.Errorf("reading the kept messages: %w", context.Cause(ctx))
		}
		more, err := r.receive(ctx, expected)
		switch {
		case err != nil:
			return err
		case more:
			empty = 0
			continue
		}
		if len(r.Messages) >= expected {
			return nil
		}
		visible, _, err := r.queues.Count(ctx)
		if err != nil {
			return err
		}
		expected = visible + len(r.Messages)
		if empty++; empty == emptyReceives {
			r.Unseen = visible
			return nil
		}
	}
}

// receive receives once and says whether something came that was not seen before. A receive that was cut off would hide
// what it brought, so it goes on when the context ends: a second at most.
func (r *Reading) receive(ctx context.Context, expected int) (more bool, err error) {
	got, err := r.queues.SQS.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{
		QueueUrl: &r.queues.Rejected, MaxNumberOfMessages: perCall, WaitTimeSeconds: longPoll,
		VisibilityTimeout:           int32(hidesFor(max(expected, len(r.Messages))).Seconds()),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return false, fmt.Errorf("reading the kept messages: %w", err)
	}
	for _, message := range got.Messages {
		if seen := r.byID[aws.ToString(message.MessageId)]; seen != nil {
			seen.handle = message.ReceiptHandle // SQS may deliver twice; only the last handle is sure to work
			continue
		}
		read := newMessage(message)
		r.byID[read.id] = read
		r.Messages = append(r.Messages, read)
		more = true
	}
	return more, nil
}

func entryError(entry types.BatchResultErrorEntry) error {
	return fmt.Errorf("%s: %s", aws.ToString(entry.Code), aws.ToString(entry.Message))
}
