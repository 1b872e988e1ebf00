package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
	rates "golang.org/x/time/rate"
)

const perBatch = 10 // the most that SQS takes

// Send sends messages to the file-received queue, at this rate a second (0: without a limit), and returns the rejects
// that the stack must produce.
func (p *Player) Send(ctx context.Context, messages []Message, rate float64) ([]Reject, error) {
	limit := rates.NewLimiter(rates.Inf, perBatch)
	if rate > 0 {
		limit.SetLimit(rates.Limit(rate))
	}
	var mutex sync.Mutex
	var expected []Reject
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for batch := range slices.Chunk(messages, perBatch) {
		if err := limit.WaitN(sending, len(batch)); err != nil {
			break // a batch failed, or the context ended
		}
		group.Go(func() error {
			rejects, err := p.sendBatch(sending, batch)
			mutex.Lock()
			defer mutex.Unlock()
			expected = append(expected, rejects...)
			return err
		})
	}
	return expected, errors.Join(group.Wait(), ctx.Err())
}

func (p *Player) sendBatch(ctx context.Context, batch []Message) ([]Reject, error) {
	entries := make([]sqstypes.SendMessageBatchRequestEntry, 0, len(batch))
	for i, message := range batch {
		entries = append(entries,
			sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &message.Text})
	}
	sent, err := p.sqs.SendMessageBatch(ctx,
		&sqs.SendMessageBatchInput{QueueUrl: &p.outputs.FileReceivedQueueUrl, Entries: entries})
	if err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	p.sent.Add(int64(len(sent.Successful)))
	if len(sent.Failed) > 0 {
		return nil, fmt.Errorf("sending: %s", aws.ToString(sent.Failed[0].Message))
	}
	var expected []Reject
	for _, done := range sent.Successful {
		i, err := strconv.Atoi(aws.ToString(done.Id))
		if err != nil {
			return nil, fmt.Errorf("sending: %w", err)
		}
		for _, reject := range batch[i].Rejects {
			if reject.Identity == "" {
				reject.Identity = aws.ToString(done.MessageId)
			}
			expected = append(expected, reject)
		}
	}
	return expected, nil
}
