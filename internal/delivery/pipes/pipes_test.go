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
		"OneIsStopped": {states{"messages": types.PipeStateRunning, "changes": types.PipeStateStopped}, "1",
			"pipe=changes state=STOPPED state_reason=\"no right to read\"", ""},
		"BothAre": {states{"messages": types.PipeStateStopped, "changes": types.PipeStateStartFailed}, "2",
			"pipe=messages", ""},
		"OnTheirWay": {states{"messages": types.PipeStateStarting, "changes": types.PipeStateUpdating}, "0", "", ""},
		"StoppedAndUnasked": {states{"changes": types.PipeStateStopped}, "", "pipe=changes",
			"describing the pipe messages: access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log, lines bytes.Buffer
			watch := pipes.Watch{Client: test.states, Names: []string{"messages", "changes"},
				Log: slog.New(slog.NewTextHandler(&log, nil))}
			ctx := metrics.Begin(t.Context(), time.Now)
			if got := errorText(watch.Measure(ctx)); got != test.wantError {
				t.Errorf("got the error %q, want %q", got, test.wantError)
			}
			metrics.Write(ctx, logging.New(&lines, slog.LevelError, "sweep", "app", "dev"))
			data, err := metricstest.Extract(lines.Bytes())
			measured := ""
			for _, datum := range data {
				measured += fmt.Sprint(strings.TrimPrefix(datum.Name, metrics.StoppedPipes.Name), datum.Value)
			}
			if measured != test.measured || err != nil {
				t.Errorf("measured %q, %v, want %q", measured, err, test.measured)
			}
			if got := log.String(); (got == "") != (test.logged == "") || !strings.Contains(got, test.logged) {
				t.Errorf("logged %q, want the pipe %q", got, test.logged)
			}
		})
	}
}

// The handler works even if the pipes cannot be described, and both errors are returned.
func TestWith(t *testing.T) {
	t.Parallel()
	failed := errors.New("sweeping run-1")
	running := states{"messages": types.PipeStateRunning}
	for _, test := range []struct {
		pipes     states
		err       error
		wantError string
	}{
		{running, nil, ""},
		{running, failed, "sweeping run-1"},
		{nil, nil, "describing the pipe messages: access denied"},
		{nil, failed, "sweeping run-1\ndescribing the pipe messages: access denied"},
	} {
		watch := &pipes.Watch{Client: test.pipes, Names: []string{"messages"}, Log: slog.New(slog.DiscardHandler)}
		handle := pipes.With(watch, func(_ context.Context, in string) (string, error) { return in + "!", test.err })
		out, err := handle(t.Context(), "swept")
		if got := errorText(err); out != "swept!" || got != test.wantError {
			t.Errorf("got %q, %q, want the handler's answer and %q", out, got, test.wantError)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
