package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

// awaitIdle waits until everything is written and nothing is missing. After a timeout without progress it returns what
// is missing.
func (s *system) awaitIdle(ctx context.Context, written <-chan struct{}) (missing string, err error) {
	fmt.Fprintf(s.Log, "%4.0f s: all messages are sent\n", time.Since(s.begun).Seconds())
	quiet := 0
	_, err = scenario.Poll(ctx, s.Timeout, func() (done bool, err error) {
		if missing, err = s.missing(ctx, written); err != nil {
			return false, err
		}
		if quiet++; missing != "" {
			quiet = 0
		}
		return quiet == 2, nil // twice, since a message may move between two reads
	}, s.progress)
	return missing, err
}

// progress changes with each step towards the end of the run, and with nothing else.
func (s *system) progress() string {
	rows := *s.rows.Load()
	statuses := map[string]int{}
	for _, r := range rows {
		statuses[r.Status]++
	}
	return fmt.Sprint(received(rows), statuses, len(s.seen.requests.labels()), len(s.seen.notifications.labels()))
}

// missing says what is missing, "" for nothing.
func (s *system) missing(ctx context.Context, written <-chan struct{}) (string, error) {
	rows := *s.rows.Load()
	for _, c := range s.plan.collections {
		if r := rows[c.name]; !snapshot.Status(r.Status).Is(snapshot.Success) || r.Received < len(c.files) {
			return fmt.Sprintf("%s is %s, with %d of %d files counted", c.name, r.Status, r.Received, len(c.files)), nil
		}
	}
	select {
	case <-written:
	default:
		return "writes of the sender", nil
	}
	if idle, err := s.player.Idle(ctx); err != nil || !idle {
		return "the end of the executions", err
	}
	if waiting, err := s.waiting(ctx); waiting != "" || err != nil {
		return waiting, err
	}
	if sent := s.seen.notifications.labels(); len(sent) < 2 {
		return fmt.Sprintf("notifications; sent so far: %q", sent), nil
	}
	return "", nil
}

// waiting names a queue that is not empty. Dead-letter queues count too.
func (s *system) waiting(ctx context.Context) (string, error) {
	listed, err := s.queues.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return "", fmt.Errorf("listing the queues: %w", err)
	}
	for _, url := range listed.QueueUrls {
		if messages, err := scenario.Waiting(ctx, s.queues, url); messages > 0 || err != nil {
			return fmt.Sprintf("queue %s has %d messages", url, messages), err
		}
	}
	return "", nil
}
