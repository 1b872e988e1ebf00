// Package pipes measures the EventBridge pipes that start the state machine. A pipe that a person stopped, or that AWS
// stopped after repeated access errors or because its source was deleted, does not start again by itself.
package pipes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/pipes/types"

	"snapshot-status-checker/internal/telemetry/metrics"
)

// Client is the part of the EventBridge Pipes client that this package uses.
type Client interface {
	DescribePipe(context.Context, *pipes.DescribePipeInput, ...func(*pipes.Options)) (*pipes.DescribePipeOutput, error)
}

// Watch reads the states of pipes.
type Watch struct {
	Client Client
	Names  []string
	Log    *slog.Logger
}

// Measure measures the number of stopped pipes as metrics.StoppedPipes, and logs each with AWS's reason. If a pipe
// cannot be described, it measures nothing and returns an error that names the pipe.
func (w *Watch) Measure(ctx context.Context) error {
	var stopped int
	var errs []error
	for _, name := range w.Names {
		pipe, err := w.Client.DescribePipe(ctx, &pipes.DescribePipeInput{Name: &name})
		if err != nil {
			errs = append(errs, fmt.Errorf("describing the pipe %s: %w", name, err))
			continue
		}
		if Stopped(pipe.CurrentState) {
			stopped++
			w.Log.WarnContext(ctx, "pipe stopped",
				"pipe", name, "state", pipe.CurrentState, "state_reason", aws.ToString(pipe.StateReason))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	metrics.Measure(ctx, metrics.StoppedPipes, float64(stopped))
	return nil
}

// With returns a handler that measures the pipes and then calls handle, even if measuring failed. It joins the errors
// of both.
func With[In, Out any](
	watch *Watch, handle func(context.Context, In) (Out, error),
) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		measured := watch.Measure(ctx)
		out, err := handle(ctx, in)
		return out, errors.Join(err, measured)
	}
}

// Stopped reports whether a pipe in this state delivers nothing until a person starts it.
func Stopped(state types.PipeState) bool {
	switch state {
	case types.PipeStateRunning, types.PipeStateCreating, types.PipeStateStarting, types.PipeStateUpdating:
		return false
	}
	return true
}
