package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// poll is how often it is looked whether a run is through.
const poll = 200 * time.Millisecond

// feeding is how a subject is fed: by the local runner or by the engine itself, in batches of at most Batch messages,
// so many side by side.
type feeding struct {
	Batch      int
	SideBySide int
	ByEngine   bool
}

func (w *world) feed(ctx context.Context, s *subject, f feeding) (stop func() error, err error) {
	if f.ByEngine {
		return w.mapQueue(ctx, s, f.Batch, f.SideBySide)
	}
	pipe := s.feed
	pipe.BatchSize, pipe.Pollers, pipe.BatchWindow = f.Batch, f.SideBySide, 0
	if f.Batch > 10 {
		pipe.BatchWindow = time.Second // as the stack sets it
	}
	return w.serve(ctx, pipe), nil
}

// throughput is what a run through a subject took.
type throughput struct {
	Feeding feeding
	Shape   shape
	Seconds float64
	// CPU seconds of the engine, of the functions, and of this process, which feeds and looks.
	EngineCPU, FunctionCPU, OwnCPU float64
	Notifications                  int   // how often monitoring was notified that all is received
	FunctionMemory                 int64 `json:",omitempty"` // peak of the largest function process so far, in bytes
}

func (t throughput) filesPerSecond() float64 { return float64(t.Shape.total()) / t.Seconds }

// measure sends a run's files, has them fed to the subject, and takes the time from then until every row is received
// and no execution runs any more. It is an error if what comes out is not right; how often monitoring is notified is
// for the caller to judge.
func (w *world) measure(ctx context.Context, s *subject, r run, f feeding) (throughput, error) {
	if err := r.putRows(ctx, w.table, s.statusTable); err != nil {
		return throughput{}, err
	}
	if err := r.sendFiles(ctx, w.queues, s.inURL); err != nil {
		return throughput{}, err
	}
	if err := w.idle(ctx, s); err != nil { // looks at the new rows
		return throughput{}, err
	}
	before := w.cpu()
	begun := time.Now()
	stop, err := w.feed(ctx, s, f)
	if err != nil {
		return throughput{}, err
	}
	err = w.until(ctx, s, r, "Received")
	took, after := time.Since(begun), w.cpu()
	if err = errors.Join(err, stop()); err != nil {
		return throughput{}, fmt.Errorf("run %s: %w", r.ID, err)
	}
	requests, err := w.drain(ctx, s.requestsURL, r.Collections)
	if err != nil {
		return throughput{}, err
	}
	if requests != r.Collections {
		return throughput{}, fmt.Errorf("run %s: %d requests for %d collections", r.ID, requests, r.Collections)
	}
	notifications, err := w.drain(ctx, s.notificationsURL, 1)
	if err != nil {
		return throughput{}, err
	}
	return throughput{Feeding: f, Shape: r.shape, Seconds: took.Seconds(), Notifications: notifications,
		EngineCPU: after.engine - before.engine, FunctionCPU: after.functions - before.functions,
		OwnCPU: after.own - before.own}, nil
}

// until waits until all rows have the status and every file is counted, and then until nothing is under way.
func (w *world) until(ctx context.Context, s *subject, r run, status string) error {
	last, since := received{}, time.Now()
	for {
		seen, err := r.look(ctx, w.table, s.statusTable, status)
		if err != nil {
			return err
		}
		if seen.Rows == r.Collections {
			if seen.Worst != 0 {
				return fmt.Errorf("%d files counted, want %d; the worst row is off by %d", seen.Files, r.total(),
					seen.Worst)
			}
			return w.idle(ctx, s)
		}
		if seen != last {
			last, since = seen, time.Now()
		}
		if time.Since(since) > stuckAfter {
			return fmt.Errorf("nothing moved for %s: %d of %d collections are %s, %d of %d files counted",
				stuckAfter, seen.Rows, r.Collections, status, seen.Files, r.total())
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

const stuckAfter = time.Minute

// idle waits until no execution runs.
func (w *world) idle(ctx context.Context, s *subject) error {
	for s.machine != "" {
		listed, err := w.machines.ListExecutions(ctx, &sfn.ListExecutionsInput{
			StateMachineArn: &s.machine, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1})
		if err != nil {
			return fmt.Errorf("looking for running executions: %w", err)
		}
		if len(listed.Executions) == 0 {
			return nil
		}
		if err := sleep(ctx, poll/4); err != nil {
			return err
		}
	}
	return nil
}

// drain takes all messages from the queue and tells how many there were. Fewer than expected are waited for a second.
func (w *world) drain(ctx context.Context, url string, expected int) (int, error) {
	for n := 0; ; {
		in := &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10}
		if n < expected {
			in.WaitTimeSeconds = 1
		}
		got, err := w.queues.ReceiveMessage(ctx, in)
		if err != nil {
			return n, fmt.Errorf("receiving: %w", err)
		}
		if len(got.Messages) == 0 {
			return n, nil
		}
		n += len(got.Messages)
		var entries []sqstypes.DeleteMessageBatchRequestEntry
		for _, message := range got.Messages {
			entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(*message.MessageId),
				ReceiptHandle: message.ReceiptHandle})
		}
		if _, err := w.queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url,
			Entries: entries}); err != nil {
			return n, fmt.Errorf("deleting: %w", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
