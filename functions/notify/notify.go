// Package notify is the task that delivers pending messages: the request for a _success file and the notifications
// about a run.
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

// Monitoring receives the notifications. See monitoring.Topic.
type Monitoring interface {
	Notify(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error
}

// Input is what the state machine passes in: messages that the owner enqueued.
type Input struct {
	Owner   string              `json:"owner"`
	Pending []snapshot.Outgoing `json:"pending"`
}

// Output is the task's result.
type Output struct {
	Delivered int `json:"delivered"` // messages, by this call
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

// delivered is the metric of each kind that this task sends.
var delivered = map[snapshot.Kind]metrics.Metric{
	snapshot.SuccessFileRequest: metrics.RequestsSent,
	snapshot.AllReceived:        metrics.RunsReceived,
	snapshot.AllSuccessful:      metrics.RunsSuccessful,
}

// Handle delivers each message that is pending and has this owner. If it ends between sending a message and marking it
// delivered, the retry sends that message again, with the same event id.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	logging.Execution(ctx, snapshot.ExecutionOf(in.Owner))
	var result Output
	for _, out := range in.Pending {
		metric, known := delivered[out.Kind]
		if !known {
			return result, &failure.Malformed{Err: fmt.Errorf("notify does not send messages of kind %q", out.Kind)}
		}
		sent, err := t.store.Deliver(ctx, out, in.Owner,
			func(export snapshot.Export) error { return t.send(ctx, out, export) })
		if err != nil {
			return result, fmt.Errorf("delivering %s: %w", out.Kind, err)
		}
		outcome := "no longer pending"
		if sent {
			outcome = logging.Delivered
			result.Delivered++
			metrics.Add(ctx, metric, 1)
		}
		metrics.About(ctx, logging.CorrelationID, out.CorrelationID)
		t.log.InfoContext(ctx, outcome, logging.CorrelationID, out.CorrelationID,
			logging.CollectionName, out.CollectionName, logging.Kind, out.Kind, logging.Version, out.Version,
			logging.EventID, out.EventID())
	}
	return result, nil
}

func (t *Task) send(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	if out.Kind == snapshot.SuccessFileRequest {
		return t.sender.Request(ctx, out, export)
	}
	return t.monitoring.Notify(ctx, out, export)
}
