package pipes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/pipes/types"

	"snapshot-status-checker/internal/delivery/pipes"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

// states describes pipes in these states; others cannot be described.
type states map[string]types.PipeState

func (s states) DescribePipe(
	_ context.Context, in *sdk.DescribePipeInput, _ ...func(*sdk.Options),
) (*sdk.DescribePipeOutput, error) {
	state, ok := s[*in.Name]
	if !ok {
		return nil, errors.New("access denied")
	}
	return &sdk.DescribePipeOutput{CurrentState: state, StateReason: aws.String("no right to read")}, nil
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		states    states
		measured  string // "" for nothing
		logged    string // part of it, "" for nothing
		wantError string
	}{
		"BothRun": {states{"messages": types.PipeStateRunning, "changes": types.PipeStateRunning}, "0", "", ""},
		"OneIsStopped": {states{"messages": types.PipeStateRunning, "changes": types.PipeStateStopped}, "1",
			"pipe=changes state=STOPPED state_reason=\"no right to read\"", ""},
		"BothAre": {states{"messages": types.PipeStateStopped, "changes": types.PipeStateStartFailed}, "2",
			"pipe=messages", ""},
		"OnTheirWay": {states{"messages": types.PipeStateStarting, "changes": types.PipeStateUpdating}, "0", "", ""},
		"OneCannotBeAsked": {states{"messages": types.PipeStateRunning}, "", "",
			"describing the pipe changes: access denied"},
		"StoppedAndUnasked": {states{"changes": types.PipeStateStopped}, "", "pipe=changes",
			"describing the pipe messages: access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			watch := pipes.Watch{
				Client: test.states, Names: []string{"messages", "changes"},
				Log: slog.New(slog.NewTextHandler(&log, nil)),
			}
			ctx := metrics.Begin(t.Context(), time.Now)
			err := watch.Measure(ctx)
			if got := errorText(err); got != test.wantError {
				t.Errorf("got the error %q, want %q", got, test.wantError)
			}
			if got := measured(t, ctx); got != test.measured {
				t.Errorf("measured %q, want %q", got, test.measured)
			}
			got := log.String()
			if (got == "") != (test.logged == "") || !strings.Contains(got, test.logged) {
				t.Errorf("logged %q, want the pipe %q", got, test.logged)
			}
		})
	}
}

// The handler works even if the pipes cannot be described, and both errors are returned.
func TestWith(t *testing.T) {
	t.Parallel()
	failed := errors.New("sweeping run-1")
	for name, test := range map[string]struct {
		pipes     states
		err       error
		wantError string
	}{
		"Both":         {states{"messages": types.PipeStateRunning}, nil, ""},
		"HandlerFails": {states{"messages": types.PipeStateRunning}, failed, "sweeping run-1"},
		"PipesFail":    {nil, nil, "describing the pipe messages: access denied"},
		"BothFail":     {nil, failed, "sweeping run-1\ndescribing the pipe messages: access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch := &pipes.Watch{Client: test.pipes, Names: []string{"messages"}, Log: slog.New(slog.DiscardHandler)}
			handle := pipes.With(watch, func(_ context.Context, in string) (string, error) {
				return in + "!", test.err
			})
			out, err := handle(t.Context(), "swept")
			if got := errorText(err); out != "swept!" || got != test.wantError {
				t.Errorf("got %q, %q, want the handler's answer and %q", out, got, test.wantError)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// measured is CloudWatch's value of the metric from the call's log, "" for none.
func measured(t *testing.T, ctx context.Context) (value string) {
	t.Helper()
	var log bytes.Buffer
	metrics.Write(ctx, logging.New(&log, slog.LevelError, "sweep", "app", "dev"))
	for line := range strings.Lines(log.String()) {
		data, err := metricstest.Extract([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for _, datum := range data {
			if datum.Name == metrics.StoppedPipes.Name {
				value += fmt.Sprint(datum.Value)
			}
		}
	}
	return value
}
