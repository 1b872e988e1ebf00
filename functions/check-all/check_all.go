// Package checkall is the task that decides for one run whether all of it is received or successful, and
// claims the news.
package checkall

import (
	"context"
	"log/slog"

	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Runs is what the task asks of the protocol. See store.Runs.
type Runs interface {
	Check(ctx context.Context, correlationID, claimer string, reached snapshot.Status) (store.Verdict, error)
}

// Input is what the state machine passes in.
type Input struct {
	CorrelationID string `json:"correlation_id"`
	Claimer       string `json:"claimer"`
	// Status is what the collection reached that was looked at. It only decides what is read first.
	Status snapshot.Status `json:"status"`
}

// Verdict is what the state machine branches on.
type Verdict string

// The verdicts.
const (
	NoNews   Verdict = "NO_NEWS"
	NewsOwed Verdict = "NEWS_OWED" // this execution has claimed one or two pieces of news
)

// Output tells the state machine how to go on.
type Output struct {
	Verdict Verdict         `json:"verdict"`
	Claimer string          `json:"claimer"`
	Owed    []snapshot.Debt `json:"owed"`
	Blocker string          `json:"blocker,omitempty"` // for people who read the execution: a collection that is not done
}

// Task holds no state of its own.
type Task struct {
	runs Runs
	log  *slog.Logger
}

// New makes the task.
func New(runs Runs, log *slog.Logger) *Task { return &Task{runs: runs, log: log} }

// Handle checks the run. Repeated by the same claimer it returns the same news, as long as that is not delivered.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	out := Output{Verdict: NoNews, Claimer: in.Claimer, Owed: []snapshot.Debt{}}
	logging.Execution(ctx, snapshot.ExecutionOf(in.Claimer))
	metrics.About(ctx, logging.CorrelationID, in.CorrelationID)
	verdict, err := t.runs.Check(ctx, in.CorrelationID, in.Claimer, in.Status)
	if err != nil {
		return out, err
	}
	if len(verdict.Claimed) > 0 {
		out.Verdict, out.Owed = NewsOwed, verdict.Claimed
	}
	if verdict.Blocked {
		out.Blocker = verdict.Blocker.CollectionName
	}
	t.log.InfoContext(ctx, "checked run", logging.CorrelationID, in.CorrelationID,
		"verdict", out.Verdict, "blocker", out.Blocker, "blocker_status", verdict.Blocker.Status)
	return out, nil
}
