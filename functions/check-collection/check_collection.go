// Package checkcollection is the task that moves one collection as far as it may move, and returns the pending request.
package checkcollection

import (
	"context"
	"errors"
	"log/slog"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Input is what the state machine passes in.
type Input struct {
	ExecutionID string `json:"execution_id"`
	snapshot.CollectionKey
}

// Outcome is what the state machine branches on.
type Outcome string

// The outcomes.
const (
	Incomplete     Outcome = "COLLECTION_INCOMPLETE" // not received yet: nothing follows
	CheckRun       Outcome = "CHECK_RUN"             // received or further: check the run
	RequestPending Outcome = "REQUEST_PENDING"       // deliver the request, then check the run
)

// Output is the task's result for the state machine. Its parts are the inputs of the next tasks.
type Output struct {
	Outcome Outcome             `json:"outcome"`
	Owner   string              `json:"owner"`
	Pending []snapshot.Outgoing `json:"pending"`
	snapshot.CollectionKey
	Moved         bool            `json:"moved"`         // by this call
	Notifications []snapshot.Kind `json:"notifications"` // to check the run for
	Status        snapshot.Status `json:"status"`        // for people, as are the next two
	FilesReceived int64           `json:"files_received"`
	FilesSent     int64           `json:"files_sent"`
}

// Task holds no state of its own.
type Task struct {
	store *store.Store
	log   *slog.Logger
}

// New makes the task.
func New(store *store.Store, log *slog.Logger) *Task { return &Task{store: store, log: log} }

// Handle reconciles the collection. Repeated by the same execution, it returns the same request until that is
// delivered, but Moved may be false.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	if in.CorrelationID == "" || in.CollectionName == "" {
		return Output{}, &failure.Malformed{Err: errors.New("correlation_id or collection_name is missing")}
	}
	metrics.About(ctx, logging.CorrelationID, in.CorrelationID)
	metrics.About(ctx, logging.CollectionName, in.CollectionName)
	logging.Execution(ctx, in.ExecutionID)
	out := Output{Outcome: Incomplete, Owner: snapshot.Owner(in.ExecutionID, in.CollectionName),
		Pending: []snapshot.Outgoing{}, CollectionKey: in.CollectionKey, Notifications: []snapshot.Kind{}}
	at, err := t.store.Reconcile(ctx, in.CollectionKey, out.Owner)
	for _, move := range at.Moves {
		t.log.InfoContext(ctx, logging.Moved, logging.CorrelationID, in.CorrelationID, logging.CollectionName,
			in.CollectionName, logging.From, move.From, logging.To, move.To, logging.Epoch, move.Epoch)
	}
	if err != nil {
		return out, err
	}
	out.Moved = at.Moved()
	if row := at.Row; row != nil {
		out.Status, out.FilesReceived, out.FilesSent = row.Status, row.FilesReceived.N, row.FilesSent.N
	}
	if len(at.Check) > 0 {
		out.Outcome, out.Notifications = CheckRun, at.Check
	}
	if at.Pending != nil {
		out.Outcome, out.Pending = RequestPending, append(out.Pending, *at.Pending)
	}
	t.log.InfoContext(ctx, logging.Checked, logging.CorrelationID, in.CorrelationID,
		logging.CollectionName, in.CollectionName, "outcome", out.Outcome, logging.Status, out.Status,
		logging.Epoch, at.Epoch, "files_received", out.FilesReceived, "files_sent", out.FilesSent)
	return out, nil
}
