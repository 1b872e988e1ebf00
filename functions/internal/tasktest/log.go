package tasktest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

// Fields are some fields of a line of the log.
type Fields map[string]any

// LogText is the whole log.
func (ts *Tables) LogText() string { return ts.logs.String() }

// Logged returns the log's lines with this message; all lines for "".
func (ts *Tables) Logged(message string) []Fields {
	ts.t.Helper()
	var found []Fields
	for line := range strings.Lines(ts.logs.String()) {
		var fields Fields
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			ts.t.Fatal(err)
		}
		if message == "" || fields["message"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// WantNotLogged wants no line with this message.
func (ts *Tables) WantNotLogged(message string) {
	ts.t.Helper()
	if lines := ts.Logged(message); len(lines) > 0 {
		ts.t.Errorf("%q is logged: %v", message, lines)
	}
}

// WantLogged wants as many lines with this message, each with at least these fields.
func (ts *Tables) WantLogged(message string, first Fields, more ...Fields) {
	ts.t.Helper()
	want := append([]Fields{first}, more...)
	lines := ts.Logged(message)
	if len(lines) != len(want) {
		ts.t.Errorf("%q is logged %d times, want %d: %v", message, len(lines), len(want), lines)
		return
	}
	for i, line := range lines {
		for key := range line {
			if _, wanted := want[i][key]; !wanted {
				delete(line, key)
			}
		}
		if diff := cmp.Diff(want[i], line); diff != "" {
			ts.t.Errorf("%q, line %d: %s", message, i, diff)
		}
	}
}

// Counted calls a task and returns CloudWatch's sums of the metrics that the task measured, by name, and of
// MessagesRejected also by "name REASON".
func (ts *Tables) Counted(call func(context.Context)) map[string]float64 {
	ts.t.Helper()
	ctx := metrics.Begin(logging.Begin(ts.t.Context(), ts.Log), func() time.Time { return ts.Now })
	call(ctx)
	before := ts.logs.Len()
	metrics.Write(ctx, ts.Log)
	sums := map[string]float64{}
	for line := range bytes.Lines(ts.logs.Bytes()[before:]) {
		data, err := metricstest.Extract(line)
		if err != nil {
			ts.t.Errorf("%v: %s", err, line)
		}
		for _, d := range data {
			_, reason, _ := strings.Cut(d.Dimensions, logging.Reason+"=")
			sums[strings.TrimSpace(d.Name+" "+reason)] += d.Value
		}
	}
	return sums
}
