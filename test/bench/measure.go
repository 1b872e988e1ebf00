package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const (
	poll       = 200 * time.Millisecond
	stuckAfter = time.Minute
)

// feeding is how a system is fed: by the local runner or by the engine itself, in batches of at most Batch messages, so
// many concurrently.
type feeding struct {
	Batch      int
	Concurrent int
	ByEngine   bool
}

func (w *testbed) feed(ctx context.Context, s *system, f feeding) (stop func() error, err error) {
	if f.ByEngine {
		return w.mapQueue(ctx, s, f)
	}
	pipe := s.feed
	pipe.BatchSize, pipe.Pollers, pipe.BatchWindow = f.Batch, f.Concurrent, 0
	if f.Batch > 10 {
		pipe.BatchWindow = time.Second // as the stack sets it
	}
	return w.serve(ctx, pipe), nil
}

// throughput is what a run through a system took.
type throughput struct {
	Feeding feeding
	Shape   shape
	Seconds float64
	// CPU seconds of the engine, of the functions, and of this process, which feeds and reads.
	EngineCPU, FunctionCPU, OwnCPU float64
	Notifications                  int   // that all collections are received
	FunctionMemory                 int64 `json:",omitempty"` // peak of the largest function process so far, in bytes
}

func (t throughput) filesPerSecond() float64 { return float64(t.Shape.total()) / t.Seconds }

// measure sends a run's files, feeds them to the system, and takes the time from then until every row is received and
// no execution runs. A wrong result is an error. The caller judges the number of notifications.
func (w *testbed) measure(ctx context.Context, s *system, r run, f feeding) (throughput, error) {
	if err := errors.Join(w.putRows(ctx, s, r), w.send(ctx, s.inURL, r.messages(r.total()))); err != nil {
		return throughput{}, err
	}
	if err := w.idle(ctx, s); err != nil { // the new rows are in the stream
		return throughput{}, err
	}
	before, begun := w.cpu(), time.Now()
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
	return throughput{Feeding: f, Shape: r.shape, Seconds: took.Seconds(), Notifications: notifications,
		EngineCPU: after.engine - before.engine, FunctionCPU: after.functions - before.functions,
		OwnCPU: after.own - before.own}, err
}

// until waits until all rows have the status and every file is counted, and then until no execution runs.
func (w *testbed) until(ctx context.Context, s *system, r run, status string) error {
	last, since := received{}, time.Now()
	for {
		seen, err := w.rows(ctx, s, r, status)
		if err != nil {
			return err
		}
		if seen.Rows == r.Collections {
			if seen.Worst != 0 {
				return fmt.Errorf("%d files counted, want %d; one row differs by %d", seen.Files, r.total(), seen.Worst)
			}
			return w.idle(ctx, s)
		}
		if seen != last {
			last, since = seen, time.Now()
		}
		if time.Since(since) > stuckAfter {
			return fmt.Errorf("no progress for %s: %d of %d collections are %s, %d of %d files counted",
				stuckAfter, seen.Rows, r.Collections, status, seen.Files, r.total())
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

// idle waits until no execution runs.
func (w *testbed) idle(ctx context.Context, s *system) error {
	for s.machine != "" {
		listed, err := w.machines.ListExecutions(ctx, &sfn.ListExecutionsInput{
			StateMachineArn: &s.machine, StatusFilter: sfntypes.ExecutionStatusRunning, MaxResults: 1})
		if err != nil {
			return fmt.Errorf("listing the running executions: %w", err)
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

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
