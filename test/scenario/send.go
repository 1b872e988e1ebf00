package scenario

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	rates "golang.org/x/time/rate"
)

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

func (p *Player) sendBatch(ctx context.Context, batch []Message) (expected []Reject, err error) {
	var texts []string
	for _, message := range batch {
		texts = append(texts, message.Text)
	}
	ids, err := Post(ctx, p.sqs, p.outputs.FileReceivedQueueUrl, texts...)
	for i, id := range ids {
		if id == "" {
			continue
		}
		p.sent.Add(1)
		for _, reject := range batch[i].Rejects {
			reject.Identity = cmp.Or(reject.Identity, id)
			expected = append(expected, reject)
		}
	}
	return expected, err
}
