// Package notify is the task that delivers what is pending: the request for a _success file, the notifications about a
// run.
package notify

import (
	"context"
	"fmt"
	"log/slog"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Sender asks for a _success file. See delivery.Sender.
type Sender interface {
	Request(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error
}

// Monitoring gets the notifications. See monitoring.Topic.
type Monitoring interface {
	Notify(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error
}

// Input is what the state machine passes in: messages that the owner enqueued.
type Input struct {
	Owner   string              `json:"owner"`
	Pending []snapshot.Outgoing `json:"pending"`
}

// Output says how many messages this call delivered.
type Output struct {
	Delivered int `json:"delivered"`
}

// Task holds no state of its own.
type Task struct {
	store      *store.Store
	sender     Sender
	monitoring Monitoring
	log        *slog.Logger
}

// New makes the task.
func New(store *store.Store, sender Sender, monitoring Monitoring, log *slog.Logger) *Task {
	return &Task{store: store, sender: sender, monitoring: monitoring, log: log}
}

// delivered is what the delivery of each kind that is sent here is measured as.
var delivered = map[snapshot.Kind]metrics.Metric{
	snapshot.SuccessFileRequest: metrics.RequestsSent,
	snapshot.AllReceived:        metrics.RunsReceived,
	snapshot.AllSuccessful:      metrics.RunsSuccessful,
}

// Handle delivers each message that is still pending and the owner's. If it dies after sending one, the next try sends
// that again, with the same event id.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	logging.Execution(ctx, snapshot.ExecutionOf(in.Owner))
	var result Output
	for _, out := range in.Pending {
		metric, known := delivered[out.Kind]
		if !known {
			return result, &failure.Malformed{Err: fmt.Errorf("a message of kind %q is not sent here", out.Kind)}
		}
		sent, err := t.store.Deliver(ctx, out, in.Owner, func(export snapshot.Export) error {
			return t.send(ctx, out,
				export)
		})
		if err != nil {
			return result, fmt.Errorf("delivering %s: %w", out.Kind, err)
		}
		outcome := "not pending any more"
		if sent {
			outcome = "delivered"
			result.Delivered++
			metrics.Add(ctx, metric, 1)
		}
		metrics.About(ctx, logging.CorrelationID, out.CorrelationID)
		t.log.InfoContext(ctx, outcome, logging.CorrelationID, out.CorrelationID, logging.CollectionName,
			out.CollectionName,
			"kind", out.Kind, "version", out.Version, "event_id", out.EventID())
	}
	return result, nil
}

func (t *Task) send(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	if out.Kind == snapshot.SuccessFileRequest {
		return t.sender.Request(ctx, out, export)
	}
	return t.monitoring.Notify(ctx, out, export)
}
