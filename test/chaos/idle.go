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

// errDone ends a task of every.
var errDone = errors.New("done")

// untilDone turns errDone into success.
func untilDone(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// awaitIdle waits until everything is written and nothing is missing. After a timeout without progress, or after the
// maximal duration, it returns what is missing.
func (s *system) awaitIdle(ctx context.Context, written <-chan struct{}) (missing string, err error) {
	fmt.Fprintf(s.Log, "%4.0f s: all messages are sent\n", time.Since(s.begun).Seconds())
	stall := stall{at: time.Now()}
	quiet := 0
	return missing, untilDone(every(ctx, 500*time.Millisecond, func() error {
		var err error
		if missing, err = s.missing(ctx, written); err != nil {
			return err
		}
		if missing == "" {
			quiet++
		} else {
			quiet = 0
		}
		// Twice, since a message may move between two reads.
		waited := stall.waited(s.progress(), time.Now(), s.busy.now())
		if quiet == 2 || waited > s.Timeout || s.MaxDuration > 0 && time.Since(s.begun) > s.MaxDuration {
			return errDone
		}
		return nil
	}))
}

// progress changes with each step towards the end of the run, and with nothing else.
func (s *system) progress() string {
	rows := *s.rows.Load()
	statuses := map[string]int{}
	for _, r := range rows {
		statuses[r.CollectionStatus]++
	}
	return fmt.Sprint(received(rows), statuses, len(s.seen.requests.labels()), len(s.seen.notifications.labels()))
}

// stall measures the time without progress.
type stall struct {
	state string
	at    time.Time // of the last call
	long  time.Duration
}

// waited adds the time since the last call, scaled to a quiet machine.
func (s *stall) waited(state string, now time.Time, slowdown float64) time.Duration {
	if state != s.state {
		s.state, s.long = state, 0
	} else {
		s.long += time.Duration(float64(now.Sub(s.at)) / slowdown)
	}
	s.at = now
	return s.long
}

// missing says what is missing, "" for nothing.
func (s *system) missing(ctx context.Context, written <-chan struct{}) (string, error) {
	if unfinished := s.unfinishedRows(*s.rows.Load()); unfinished != "" {
		return unfinished, nil
	}
	select {
	case <-written:
	default:
		return "writes of the sender", nil
	}
	running, err := s.machines.ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &s.outputs.StateMachineArn, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1})
	if err != nil {
		return "", fmt.Errorf("listing the executions: %w", err)
	}
	if len(running.Executions) > 0 {
		return "running executions", nil
	}
	if waiting, err := s.waiting(ctx); waiting != "" || err != nil {
		return waiting, err
	}
	if sent := s.seen.notifications.labels(); len(sent) < 2 {
		return fmt.Sprintf("notifications; sent so far: %q", sent), nil
	}
	return "", nil
}

func (s *system) unfinishedRows(rows map[string]row) string {
	var unfinished []string
	for _, c := range s.plan.collections {
		if r := rows[c.name]; !r.is(snapshot.Success) || r.FilesReceived < c.files {
			unfinished = append(unfinished, fmt.Sprintf("%s (%s, %d of %d files counted)",
				c.name, r.CollectionStatus, r.FilesReceived, c.files))
		}
	}
	if len(unfinished) == 0 {
		return ""
	}
	return fmt.Sprintf("%d collections are incomplete, such as %s", len(unfinished), unfinished[0])
}

// waiting names a queue that is not empty. Dead-letter queues count too.
func (s *system) waiting(ctx context.Context) (string, error) {
	listed, err := s.queues.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return "", fmt.Errorf("listing the queues: %w", err)
	}
	visible, hidden := sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	for _, url := range listed.QueueUrls {
		got, err := s.queues.GetQueueAttributes(ctx,
			&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{visible,
				hidden}})
		if err != nil {
			return "", fmt.Errorf("reading the attributes of queue %s: %w", url, err)
		}
		if v, h := got.Attributes[string(visible)], got.Attributes[string(hidden)]; v != "0" || h != "0" {
			return fmt.Sprintf("queue %s has %s messages and %s in flight", url, v, h), nil
		}
	}
	return "", nil
}

// labels returns the sorted labels.
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
