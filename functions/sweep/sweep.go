// Package sweep is the task on a schedule that finds what no event will finish any more. It starts the state
// machine for looks, and reports runs that have stalled or are let go.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Sweeper is what the task asks of the protocol. See store.Sweeper.
type Sweeper interface {
	OpenRuns(context.Context) ([]snapshot.Run, error)
	Examine(ctx context.Context, run snapshot.Run, claimer string) (store.Examination, error)
	Settle(ctx context.Context, run snapshot.Run, found store.Examination) error
}

// Starter starts an execution of the state machine that looks at collections. See looks.Machine.
type Starter interface {
	Start(context.Context, []snapshot.CollectionKey) error
}

// Monitoring is told reports. See news.Monitoring.
type Monitoring interface {
	Report(ctx context.Context, report snapshot.Debt, run snapshot.Run, holders snapshot.Holders) error
}

// Input is what the schedule passes in.
type Input struct {
	// ExecutionID names this sweep. The Scheduler gives each attempted invocation a new one; only Lambda's own
	// retry of an asynchronous invocation repeats the payload, and with it the claims of the sweep that failed.
	ExecutionID string `json:"execution_id"`
}

// Output says what the sweep did.
type Output struct {
	OpenRuns int `json:"open_runs"`
	Looks    int `json:"looks"`
	Reports  int `json:"reports"`
}

// Task holds no state of its own.
type Task struct {
	sweeper    Sweeper
	starter    Starter
	monitoring Monitoring
	log        *slog.Logger
}

// New makes the task.
func New(sweeper Sweeper, starter Starter, monitoring Monitoring, log *slog.Logger) *Task {
	return &Task{sweeper: sweeper, starter: starter, monitoring: monitoring, log: log}
}

// MaxLooks is how many collections one execution looks at: as many as it looks at side by side, and their names
// fit into its input (256 KiB) at any length, even if JSON writes each of their bytes as six.
const MaxLooks = 10

// Handle sweeps every open run. Trouble with one does not hold back the others; it is returned at the end.
// Sweeping twice starts looks that find less or nothing to do, and reports nothing twice.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	runs, err := t.sweeper.OpenRuns(ctx)
	if malformed := (*failure.Malformed)(nil); err != nil && !errors.As(err, &malformed) {
		return Output{}, fmt.Errorf("listing the open runs: %w", err)
	}
	out := Output{OpenRuns: len(runs)}
	var seen sight
	errs := []error{err}
	for _, run := range runs {
		if err := t.sweep(ctx, run, "sweep/"+in.ExecutionID, &out, &seen); err != nil {
			errs = append(errs, fmt.Errorf("sweeping run %s: %w", run.CorrelationID, err))
		}
	}
	seen.measure(ctx)
	t.log.InfoContext(ctx, "swept", "open_runs", out.OpenRuns, "looks", out.Looks, "reports", out.Reports)
	return out, errors.Join(errs...)
}

func (t *Task) sweep(ctx context.Context, run snapshot.Run, claimer string, out *Output, seen *sight) error {
	found, err := t.sweeper.Examine(ctx, run, claimer)
	if err != nil {
		return err
	}
	seen.add(run, found)
	for looks := range slices.Chunk(found.Looks, MaxLooks) {
		if err := t.starter.Start(ctx, looks); err != nil {
			return err
		}
		out.Looks += len(looks)
		t.log.InfoContext(ctx, "looking again", logging.CorrelationID, run.CorrelationID, "collections", len(looks))
	}
	if found.Report != nil {
		if err := t.monitoring.Report(ctx, *found.Report, run, found.Holders); err != nil {
			return err
		}
		out.Reports++
		t.log.WarnContext(ctx, "reported", logging.CorrelationID, run.CorrelationID, "kind", found.Report.Kind)
	}
	return errors.Join(t.sweeper.Settle(ctx, run, found), found.Malformed)
}
