// Package chaos sends a run through the stack, deployed unchanged to a local engine, and injects faults: connections of
// the functions are cut before or after a request took effect, are slow or hang; function processes are killed;
// messages are duplicated and shuffled; another writer updates the same rows. Then it checks the guarantees.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local"
)

// Options are the size of the run and the rate of the faults.
type Options struct {
	Collections, Messages int
	Seed                  uint64 // of sizes, order, duplicates, and the times at which Sent is written
	BatchSize             int
	CountBy               snapshot.CountBy
	// KillEvery is the mean number of requests of the functions between two kills. Faults depend on requests, not on
	// time: a call meets as many on a busy machine as on a quiet one.
	KillEvery int
	// LongestHang bounds how long an answer hangs. If it exceeds the functions' timeout of 30 s, calls time out.
	LongestHang time.Duration
	// WaitScale scales the waits of the state machine's retries.
	WaitScale float64
	// Timeout ends a run without progress. It must exceed a lease and a sweep, after which the messages of a dead owner
	// are delivered.
	Timeout time.Duration
	// Dir is an empty folder for the engine's files.
	Dir string
	Log io.Writer
}

func (o Options) check() error {
	if o.Collections < 2 || o.Messages < 2*o.Collections {
		return errors.New("at least 2 collections, and 2 messages for each, are needed")
	}
	if o.KillEvery < 1 {
		return errors.New("kill-every must be at least 1")
	}
	return nil
}

// Run sends the run, injects the faults and checks the guarantees. Broken guarantees are in the report, not in the
// error.
func Run(ctx context.Context, project local.Project, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	begun := time.Now()
	s, err := setUp(ctx, project, o)
	if err != nil {
		return nil, err
	}
	defer s.tearDown()
	fmt.Fprintf(o.Log, "sending %d messages of %d collections, %d of them twice, and %d files in another message, too "+
		"(seed %d)\n", s.plan.files, o.Collections, s.plan.duplicates, s.plan.again, o.Seed)
	s.begun = time.Now()
	missing, err := s.runUntilIdle(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(s.begun)
	report, err := s.check(ctx, missing)
	if err != nil {
		return nil, err
	}
	report.setUp, report.took = s.begun.Sub(begun), took
	return report, nil
}

// runUntilIdle runs senders, writers and faults concurrently until nothing is left to do. It returns what is missing if
// the timeout ends it.
func (s *system) runUntilIdle(ctx context.Context) (missing string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tasks, within := errgroup.WithContext(ctx)
	always := func(task func(context.Context) error) {
		tasks.Go(func() error {
			if err := task(within); within.Err() == nil {
				return err
			}
			return nil
		})
	}
	always(s.servePipes)
	always(s.watchRows)
	always(s.killFunctions)
	always(s.answerRequests)
	always(s.collectNotifications)
	always(s.replayRejected)
	always(s.redrive)
	always(s.logProgress)
	written := make(chan struct{})
	always(func(ctx context.Context) error { return s.writeRows(ctx, sync.OnceFunc(func() { close(written) })) })
	tasks.Go(func() error {
		defer stop()
		if err := s.sendAll(within); err != nil {
			return err
		}
		var err error
		missing, err = s.awaitIdle(within, written)
		return err
	})
	return missing, tasks.Wait()
}
