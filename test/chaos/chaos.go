// Package chaos sends a whole run through the stack, deployed unchanged to a local engine, while nearly everything
// around the functions breaks: their connections to the engine are cut before or after a request took effect, are slow
// or hang, their processes are killed, messages come twice and in any order, and others write to the same rows. Then
// it holds what came of it against the guarantees.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/local"
)

// Options are how much chaos there is.
type Options struct {
	Collections, Messages int
	Seed                  uint64 // of the plan: sizes, order, duplicates, moments at which Sent is written
	BatchSize             int
	// KillEvery is how many requests the functions make from one killed function process to the next, on average.
	// Faults are counted by requests and not by the clock: a call meets as many on a busy machine as on a quiet one.
	KillEvery int
	// LongestHang bounds how long an answer that is held back keeps a function waiting. From the functions' timeout
	// of 30 s on, calls of them time out.
	LongestHang time.Duration
	// WaitScale shortens what the state machine's retries wait.
	WaitScale float64
	// Patience is how long nothing may change while something is missing: longer than a claim's lease and a sweep,
	// since a claimer that is dead for good is only followed then. On a busy machine it lasts longer, by as much as the
	// machine is slower.
	Patience time.Duration
	// Longest is how long all of it may take on a busy machine, 0 for as long as it needs. After it the report says
	// what was lost or done twice by then, and calls the machine busy instead of missing what may still come.
	Longest time.Duration
	// Dir is an empty folder for the engine's files.
	Dir string
	Log io.Writer
}

func (o Options) check() error {
	if o.Collections < 2 || o.Messages < 2*o.Collections {
		return errors.New("chaos needs at least 2 collections, and 2 messages for each")
	}
	if o.KillEvery < 1 {
		return errors.New("chaos kills a function process every 1 or more requests")
	}
	return nil
}

// Run does it all and returns what it saw. The error says why it could not be done; what is not as it should be is in
// the report.
func Run(ctx context.Context, project local.Project, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	begun := time.Now()
	w, err := setUp(ctx, project, o)
	if err != nil {
		return nil, err
	}
	defer w.tearDown()
	fmt.Fprintf(o.Log, "sending %d messages of %d collections, %d of them twice (seed %d)\n",
		o.Messages, o.Collections, w.plan.duplicates, o.Seed)
	w.begun = time.Now()
	missing, err := w.storm(ctx)
	if err != nil {
		return nil, err
	}
	stormed := time.Since(w.begun)
	report, err := w.check(ctx, missing)
	if err != nil {
		return nil, err
	}
	report.setUp, report.took = w.begun.Sub(begun), stormed
	return report, nil
}

// storm lets everything happen at once, and returns when all has come to rest with nothing missing, or with what is
// still missing when patience or the longest time has come to its end. The faults last until then.
func (w *world) storm(ctx context.Context) (missing string, err error) {
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
	always(w.servePipes)
	always(w.watchRows)
	always(w.killFunctions)
	always(w.busy.watch)
	always(w.answerRequests)
	always(w.collectNews)
	always(w.putBackKept)
	always(w.tell)
	written := make(chan struct{})
	always(func(ctx context.Context) error { return w.writeRows(ctx, sync.OnceFunc(func() { close(written) })) })
	tasks.Go(func() error {
		defer stop()
		if err := w.send(within); err != nil {
			return err
		}
		var err error
		missing, err = w.awaitRest(within, written)
		return err
	})
	return missing, tasks.Wait()
}
