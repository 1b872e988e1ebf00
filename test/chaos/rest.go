package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/internal/snapshot"
)

// errDone ends what is done again and again.
var errDone = errors.New("done")

// untilDone takes errDone for success.
func untilDone(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// awaitRest waits until everything is written and has come to rest with nothing missing. After the world's patience
// without progress, or after the longest time, it returns what is still missing.
func (w *world) awaitRest(ctx context.Context, written <-chan struct{}) (missing string, err error) {
	fmt.Fprintf(w.Log, "%4.0f s: all messages are sent\n", time.Since(w.begun).Seconds())
	still := stillness{at: time.Now()}
	quiet := 0
	return missing, untilDone(every(ctx, 500*time.Millisecond, func() error {
		var err error
		if missing, err = w.missing(ctx, written); err != nil {
			return err
		}
		if missing == "" {
			quiet++
		} else {
			quiet = 0
		}
		// Twice, since a message may move on between the looks at two places.
		waited := still.waited(w.progress(), time.Now(), w.busy.now())
		if quiet == 2 || waited > w.Patience || w.Longest > 0 && time.Since(w.begun) > w.Longest {
			return errDone
		}
		return nil
	}))
}

// progress changes with every step towards rest, and with nothing else: what goes round in circles is no progress.
func (w *world) progress() string {
	rows := *w.rows.Load()
	statuses := map[string]int{}
	for _, r := range rows {
		statuses[r.CollectionStatus]++
	}
	return fmt.Sprint(received(rows), statuses, len(w.seen.requests.labels()), len(w.seen.news.labels()))
}

// stillness is how long nothing has changed.
type stillness struct {
	state string
	at    time.Time // of the last look
	long  time.Duration
}

// waited adds the time since the last look, as long as it would have been on a quiet machine.
func (s *stillness) waited(state string, now time.Time, slowdown float64) time.Duration {
	if state != s.state {
		s.state, s.long = state, 0
	} else {
		s.long += time.Duration(float64(now.Sub(s.at)) / slowdown)
	}
	s.at = now
	return s.long
}

// missing says what is still to come, or nothing.
func (w *world) missing(ctx context.Context, written <-chan struct{}) (string, error) {
	if unfinished := w.unfinishedRows(*w.rows.Load()); unfinished != "" {
		return unfinished, nil
	}
	select {
	case <-written:
	default:
		return "the sender still writes", nil
	}
	running, err := w.machines.ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &w.outputs.StateMachineArn, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1})
	if err != nil {
		return "", fmt.Errorf("looking for executions: %w", err)
	}
	if len(running.Executions) > 0 {
		return "executions that run", nil
	}
	if waiting, err := w.waiting(ctx); waiting != "" || err != nil {
		return waiting, err
	}
	if news := w.seen.news.labels(); len(news) < 2 {
		return fmt.Sprintf("news; told so far: %q", news), nil
	}
	return "", nil
}

func (w *world) unfinishedRows(rows map[string]row) string {
	var unfinished []string
	for _, c := range w.plan.collections {
		if r := rows[c.name]; !r.is(snapshot.Success) || r.FilesReceived < c.files {
			unfinished = append(unfinished, fmt.Sprintf("%s (%s, %d of %d files counted)",
				c.name, r.CollectionStatus, r.FilesReceived, c.files))
		}
	}
	if len(unfinished) == 0 {
		return ""
	}
	return fmt.Sprintf("%d collections are not done, such as %s", len(unfinished), unfinished[0])
}

// waiting names a queue that is not empty, the dead-letter queues included.
func (w *world) waiting(ctx context.Context) (string, error) {
	listed, err := w.queues.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return "", fmt.Errorf("listing the queues: %w", err)
	}
	visible, hidden := sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	for _, url := range listed.QueueUrls {
		got, err := w.queues.GetQueueAttributes(ctx,
			&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{visible,
				hidden}})
		if err != nil {
			return "", fmt.Errorf("looking at queue %s: %w", url, err)
		}
		if v, h := got.Attributes[string(visible)], got.Attributes[string(hidden)]; v != "0" || h != "0" {
			return fmt.Sprintf("queue %s has %s messages and %s in flight", url, v, h), nil
		}
	}
	return "", nil
}

// labels returns the labels of what was put in.
func (b *bags) labels() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var labels []string
	for label := range b.by {
		labels = append(labels, label)
	}
	slices.Sort(labels)
	return labels
}
