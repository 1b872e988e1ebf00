// Package checkall is the task that decides whether all collections of a run are received or successful, and enqueues
// the notification.
package checkall

import (
	"context"
	"log/slog"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Input is what the state machine passes in: the collection that was reconciled, and the result.
type Input struct {
	snapshot.CollectionKey
	Owner         string          `json:"owner"`
	Moved         bool            `json:"moved"`         // whether the reconciliation moved the collection
	Notifications []snapshot.Kind `json:"notifications"` // to check the run for
}

// Outcome is what the state machine branches on.
type Outcome string

// The outcomes.
const (
	RunIncomplete       Outcome = "RUN_INCOMPLETE"       // or monitoring was notified before
	NotificationPending Outcome = "NOTIFICATION_PENDING" // this execution must deliver one or two notifications
)

// Output is the task's result for the state machine.
type Output struct {
	Outcome Outcome             `json:"outcome"`
	Owner   string              `json:"owner"`
	Pending []snapshot.Outgoing `json:"pending"`
	Blocker string              `json:"blocker,omitempty"` // for people: a collection that is not done
}

// Task holds no state of its own.
type Task struct {
	store *store.Store
	log   *slog.Logger
}

// New makes the task.
func New(store *store.Store, log *slog.Logger) *Task { return &Task{store: store, log: log} }

// Handle checks the run. Repeated by the same owner, it returns the same notifications until they are delivered.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	out := Output{Outcome: RunIncomplete, Owner: in.Owner, Pending: []snapshot.Outgoing{}}
	logging.Execution(ctx, snapshot.ExecutionOf(in.Owner))
	metrics.About(ctx, logging.CorrelationID, in.CorrelationID)
	checked, err := t.store.Check(ctx, in.CollectionKey, in.Owner, in.Moved, in.Notifications)
	if err != nil {
		return out, err
	}
	if len(checked.Pending) > 0 {
		out.Outcome, out.Pending = NotificationPending, checked.Pending
	}
	out.Blocker = checked.Blocker
	t.log.InfoContext(ctx, "checked run", logging.CorrelationID, in.CorrelationID,
		"outcome", out.Outcome, "blocker", out.Blocker)
	return out, nil
}
