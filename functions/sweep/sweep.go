// Package sweep is the scheduled task for what no event will finish. It starts the state machine to reconcile
// collections, and alerts monitoring about stalled, late and abandoned runs.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Reconciler starts an execution of the state machine that reconciles collections. See machine.Machine.
type Reconciler interface {
	Reconcile(context.Context, []snapshot.CollectionKey) error
}

// Monitoring receives the alerts. See monitoring.Topic.
type Monitoring interface {
	Alert(ctx context.Context, out snapshot.Outgoing, export snapshot.Export, blockers snapshot.Blockers) error
}

// Input is what the schedule passes in, or a person; with Abandon or Resume the call does only that.
type Input struct {
	// ExecutionID names this sweep. The Scheduler sends a new one with each invocation. Lambda's own retry of an
	// asynchronous invocation repeats it, and so delivers the alerts that the failed sweep owns.
	ExecutionID string   `json:"execution_id"`
	Abandon     *Abandon `json:"abandon,omitempty"`
	Resume      *Resume  `json:"resume,omitempty"`
}

// Output is the sweep's result.
type Output struct {
	OpenRuns   int `json:"open_runs"`
	Reconciled int `json:"reconciled"` // collections for which executions were started
	Alerts     int `json:"alerts"`

	ByHand *Answer `json:"by_hand,omitempty" jsonschema:"-"` // to an Abandon or a Resume
}

// Task holds no state of its own.
type Task struct {
	store      *store.Store
	machine    Reconciler
	monitoring Monitoring
	log        *slog.Logger
}

// New makes the task.
func New(store *store.Store, machine Reconciler, monitoring Monitoring, log *slog.Logger) *Task {
	return &Task{store: store, machine: machine, monitoring: monitoring, log: log}
}

// Handle sweeps every open run. A failure of one does not affect the others and is returned at the end. A second sweep
// starts executions that find nothing left to do, and repeats no alert.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	if in.Abandon != nil || in.Resume != nil {
		return t.byHand(ctx, in)
	}
	runs, err := t.store.OpenRuns(ctx)
	if malformed := (*failure.Malformed)(nil); err != nil && !errors.As(err, &malformed) {
		return Output{}, fmt.Errorf("listing the open runs: %w", err)
	}
	s := sweeping{Task: t, owner: "sweep/" + in.ExecutionID, out: Output{OpenRuns: len(runs)}}
	errs := []error{err}
	for _, run := range runs {
		if err := s.sweep(ctx, run); err != nil {
			errs = append(errs, fmt.Errorf("sweeping run %s: %w", run.CorrelationID, err))
		}
	}
	s.measure(ctx)
	t.log.InfoContext(ctx, "swept", "open_runs", s.out.OpenRuns, "reconciled", s.out.Reconciled, "alerts", s.out.Alerts)
	return s.out, errors.Join(errs...)
}

// sweeping is one call of Handle, with its sums over all runs.
type sweeping struct {
	*Task
	owner                    string
	out                      Output
	open, stalled, late      int
	oldestRun, oldestPending time.Time // zero if there is none
}

func (s *sweeping) sweep(ctx context.Context, run snapshot.Run) error {
	found, err := s.store.Examine(ctx, run, s.owner)
	if err != nil {
		return err
	}
	s.add(run, found)
	if found.TakenUp {
		s.log.InfoContext(ctx, "taken up again", logging.CorrelationID, run.CorrelationID, "was_abandoned", true)
	}
	var errs []error // while nothing can be started, monitoring is alerted nevertheless
	for _, keys := range snapshot.Requests(found.Reconcile) {
		if err := s.machine.Reconcile(ctx, keys); err != nil {
			errs = append(errs, err)
			break
		}
		s.out.Reconciled += len(keys)
		s.log.InfoContext(ctx, "reconciling", logging.CorrelationID, run.CorrelationID, "collections", len(keys))
	}
	for _, alert := range found.Alerts {
		errs = append(errs, s.alert(ctx, alert, found.Blockers))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return errors.Join(s.store.Finish(ctx, run, found), found.Malformed)
}

// alert delivers an alert that this sweep owns.
func (s *sweeping) alert(ctx context.Context, alert snapshot.Outgoing, blockers snapshot.Blockers) error {
	sent, err := s.store.Deliver(ctx, alert, s.owner, func(export snapshot.Export) error {
		return s.monitoring.Alert(ctx, alert, export, blockers)
	})
	if sent && err == nil {
		s.out.Alerts++
		s.log.WarnContext(ctx, logging.Alerted, logging.CorrelationID, alert.CorrelationID, logging.Kind, alert.Kind,
			logging.Version, alert.Version, logging.EventID, alert.EventID())
	}
	return err
}

func (s *sweeping) add(run snapshot.Run, found store.Examination) {
	if found.EndedByHand {
		s.out.OpenRuns--
	}
	if found.Open {
		s.open++
		s.oldestRun = older(s.oldestRun, run.OpenedAt())
	}
	if found.Stalled {
		s.stalled++
	}
	if found.Late {
		s.late++
	}
	s.oldestPending = older(s.oldestPending, found.PendingSince)
}

// older is the earlier of two times. The zero time stands for none.
func older(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// measure measures all sums, zeros included, so that an alarm ends with its cause.
func (s *sweeping) measure(ctx context.Context) {
	metrics.Measure(ctx, metrics.OpenRuns, float64(s.open))
	metrics.Measure(ctx, metrics.StalledRuns, float64(s.stalled))
	metrics.Measure(ctx, metrics.LateRuns, float64(s.late))
	metrics.Age(ctx, metrics.OldestOpenRunAge, s.oldestRun)
	metrics.Age(ctx, metrics.OldestPendingAge, s.oldestPending)
}
