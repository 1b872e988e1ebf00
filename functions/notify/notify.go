// Package notify is the task that pays what is owed: the request for a _success file, the news about a run.
package notify

import (
	"context"
	"fmt"
	"log/slog"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
)

// Debts is what the task asks of the protocol. See store.Debts.
type Debts interface {
	Request(ctx context.Context, debt snapshot.Debt, claimer string) (said snapshot.Export, owed bool, err error)
	News(ctx context.Context, debt snapshot.Debt, claimer string) (run snapshot.Run, owed bool, err error)
	Delivered(ctx context.Context, debt snapshot.Debt) error
}

// Sender asks for a _success file. See delivery.Sender.
type Sender interface {
	Request(ctx context.Context, debt snapshot.Debt, said snapshot.Export) error
}

// Monitoring is told the news. See news.Monitoring.
type Monitoring interface {
	News(ctx context.Context, debt snapshot.Debt, run snapshot.Run) error
}

// Input is what the state machine passes in: debts that the claimer has claimed.
type Input struct {
	Claimer string          `json:"claimer"`
	Owed    []snapshot.Debt `json:"owed"`
}

// Output says how many debts this call paid.
type Output struct {
	Delivered int `json:"delivered"`
}

// Task holds no state of its own.
type Task struct {
	debts      Debts
	sender     Sender
	monitoring Monitoring
	log        *slog.Logger
}

// New makes the task.
func New(debts Debts, sender Sender, monitoring Monitoring, log *slog.Logger) *Task {
	return &Task{debts: debts, sender: sender, monitoring: monitoring, log: log}
}

// Handle delivers each debt that is still the claimer's and marks it delivered. If it dies in between, the
// message is sent again by the next try, with the same identity.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	logging.Execution(ctx, snapshot.ExecutionOf(in.Claimer))
	var out Output
	for _, debt := range in.Owed {
		sent, err := t.pay(ctx, debt, in.Claimer)
		if err != nil {
			return out, fmt.Errorf("paying %s: %w", debt.Kind, err)
		}
		message := "delivered"
		if sent {
			out.Delivered++
			metrics.Add(ctx, delivered[debt.Kind], 1)
		} else {
			message = "not owed any more"
		}
		metrics.About(ctx, logging.CorrelationID, debt.CorrelationID)
		t.log.InfoContext(ctx, message, logging.CorrelationID, debt.CorrelationID, logging.CollectionName, debt.CollectionName,
			"kind", debt.Kind, "attempt", debt.Attempt, "event_id", debt.EventID())
	}
	return out, nil
}

// delivered is what a payment is counted as.
var delivered = map[snapshot.DebtKind]metrics.Metric{
	snapshot.SuccessFileRequest: metrics.RequestsSent,
	snapshot.AllReceived:        metrics.RunsReceived,
	snapshot.AllSuccessful:      metrics.RunsSuccessful,
}

func (t *Task) pay(ctx context.Context, debt snapshot.Debt, claimer string) (sent bool, err error) {
	switch debt.Kind {
	case snapshot.SuccessFileRequest:
		said, owed, err := t.debts.Request(ctx, debt, claimer)
		if err != nil || !owed {
			return false, err
		}
		if err := t.sender.Request(ctx, debt, said); err != nil {
			return false, err
		}
	case snapshot.AllReceived, snapshot.AllSuccessful:
		run, owed, err := t.debts.News(ctx, debt, claimer)
		if err != nil || !owed {
			return false, err
		}
		if err := t.monitoring.News(ctx, debt, run); err != nil {
			return false, err
		}
	default:
		return false, &failure.Malformed{Err: fmt.Errorf("unknown kind of debt %q", debt.Kind)}
	}
	return true, t.debts.Delivered(ctx, debt)
}
