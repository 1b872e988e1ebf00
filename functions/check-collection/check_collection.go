// Package checkcollection is the task that moves one collection as far as it may go and says what is owed.
package checkcollection

import (
	"context"
	"errors"
	"log/slog"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Looker is what the task asks of the protocol. See store.Looker.
type Looker interface {
	Look(ctx context.Context, key snapshot.CollectionKey, claimer string) (store.State, error)
}

// Input is what the state machine passes in.
type Input struct {
	ExecutionID string `json:"execution_id"`
	snapshot.CollectionKey
}

// Verdict is what the state machine branches on.
type Verdict string

// The verdicts. Those after the first include the ones before: after a request the run is to be checked too.
const (
	Waiting     Verdict = "WAITING"      // not received yet: nothing follows
	RunMayMove  Verdict = "RUN_MAY_MOVE" // received or further: the run is to be checked
	RequestOwed Verdict = "REQUEST_OWED" // as before, and this execution has claimed the request
)

// Output tells the state machine how to go on.
type Output struct {
	Verdict Verdict         `json:"verdict"`
	Claimer string          `json:"claimer"`
	Owed    []snapshot.Debt `json:"owed"`
	snapshot.CollectionKey
	Status        snapshot.Status `json:"status"` // as it was left: check-all looks first for what this may bring
	FilesReceived int64           `json:"files_received"`
	FilesSent     int64           `json:"files_sent"`
}

// Task holds no state of its own.
type Task struct {
	looker Looker
	exempt []snapshot.Status
	log    *slog.Logger
}

// New makes the task. A collection in an exempt status is done, so its run is to be checked.
func New(looker Looker, exempt []snapshot.Status, log *slog.Logger) *Task {
	return &Task{looker: looker, exempt: exempt, log: log}
}

// Handle looks at the collection. Repeated by the same execution it comes to the same verdict, as long as
// what it claimed is not delivered.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	if in.CorrelationID == "" || in.CollectionName == "" {
		return Output{}, &failure.Malformed{Err: errors.New("a look needs correlation_id and collection_name")}
	}
	claimer := snapshot.Claimer(in.ExecutionID, in.CollectionName)
	metrics.About(ctx, logging.CorrelationID, in.CorrelationID)
	metrics.About(ctx, logging.CollectionName, in.CollectionName)
	logging.Execution(ctx, in.ExecutionID)
	out := Output{Verdict: Waiting, Claimer: claimer, Owed: []snapshot.Debt{}, CollectionKey: in.CollectionKey}
	state, err := t.looker.Look(ctx, in.CollectionKey, claimer)
	if err != nil {
		return out, err
	}
	if row := state.Row; row != nil {
		attempt := state.Collection.Attempt(*row)
		out.Status, out.FilesReceived, out.FilesSent = row.Status, row.FilesReceived.N, row.FilesSent.N
		if state.Collection.Request.HeldBy(claimer, attempt) {
			out.Verdict = RequestOwed
			out.Owed = append(out.Owed, snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: in.CollectionKey, Attempt: attempt})
		} else if row.Status.AtLeast(snapshot.Received, t.exempt) {
			out.Verdict = RunMayMove
		}
	}
	t.log.InfoContext(ctx, "checked collection", logging.CorrelationID, in.CorrelationID, logging.CollectionName, in.CollectionName,
		"verdict", out.Verdict, "status", out.Status, "files_received", out.FilesReceived, "files_sent", out.FilesSent)
	return out, nil
}
