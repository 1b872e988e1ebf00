package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

var began = time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)

// written are the log lines of a call that took 2 seconds, as CloudWatch reads them.
func written(t *testing.T, counts func(context.Context)) (text string, lines [][]string) {
	t.Helper()
	var out bytes.Buffer
	now := began
	ctx := metrics.Begin(t.Context(), func() time.Time { return now })
	now = now.Add(2 * time.Second)
	counts(ctx)
	metrics.Write(ctx, logging.New(&out, slog.LevelError, "increment", "app", "dev"))
	for line := range strings.Lines(out.String()) {
		data, err := metricstest.Extract([]byte(line))
		if err != nil {
			t.Errorf("%v: %s", err, line)
		}
		var texts []string
		for _, d := range data {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %v %s %s", d.Namespace, d.Name, d.Value, d.Unit,
				d.Dimensions)))
		}
		lines = append(lines, texts)
	}
	return out.String(), lines
}

// At every log level.
func TestWrite(t *testing.T) {
	t.Parallel()
	const of = " application=app environment=dev"
	for _, test := range []struct {
		name   string
		counts func(context.Context)
		want   [][]string
	}{
		{"nothing", func(context.Context) {}, nil},
		{"only zeros", func(ctx context.Context) { metrics.Add(ctx, metrics.FilesReceived, 0) }, nil},
		{"a receipt", func(ctx context.Context) {
			metrics.Add(ctx, metrics.FilesReceived, 1)
			metrics.Processed(ctx, began.Add(-time.Second))
		}, [][]string{{"SnapshotStatusChecker FilesReceived 1 Count" + of,
			"SnapshotStatusChecker MessageProcessingTime 3000 Milliseconds" + of}}},
		{"counted twice", func(ctx context.Context) {
			metrics.Add(ctx, metrics.FilesReceived, 1)
			metrics.Add(ctx, metrics.FilesReceived, 2)
		}, [][]string{{"SnapshotStatusChecker FilesReceived 3 Count" + of}}},
		{"a measured zero counts", func(ctx context.Context) { metrics.Measure(ctx, metrics.OpenRuns, 0) },
			[][]string{{"SnapshotStatusChecker OpenRuns 0 Count" + of}}},
		{"ages", func(ctx context.Context) {
			metrics.Age(ctx, metrics.OldestPendingAge, began.Add(-time.Minute))
			metrics.Age(ctx, metrics.OldestOpenRunAge, time.Time{})
		}, [][]string{{"SnapshotStatusChecker OldestOpenRunAge 0 Seconds" + of,
			"SnapshotStatusChecker OldestPendingAge 62 Seconds" + of}}},
		{"messages, one without a time, one from a clock that is ahead", func(ctx context.Context) {
			metrics.Processed(ctx, time.Time{})
			metrics.Processed(ctx, began.Add(time.Hour))
		}, [][]string{{"SnapshotStatusChecker MessageProcessingTime 2000 Milliseconds" + of,
			"SnapshotStatusChecker MessageProcessingTime 0 Milliseconds" + of}}},
		{"a rejected message", func(ctx context.Context) {
			metrics.Reject(ctx, "NOT_JSON")
			metrics.Reject(ctx, "NOT_JSON")
		}, [][]string{{"SnapshotStatusChecker MessagesRejected 2 Count" + of,
			"SnapshotStatusChecker MessagesRejected 2 Count" + of + " reason_code=NOT_JSON"}}},
		{"several reasons: a line for each", func(ctx context.Context) {
			metrics.Reject(ctx, "NO_BODY")
			metrics.Reject(ctx, "NOT_JSON")
			metrics.Add(ctx, metrics.FilesReceived, 5)
		}, [][]string{
			{"SnapshotStatusChecker FilesReceived 5 Count" + of, "SnapshotStatusChecker MessagesRejected 1 Count" + of,
				"SnapshotStatusChecker MessagesRejected 1 Count" + of + " reason_code=NOT_JSON"},
			{"SnapshotStatusChecker MessagesRejected 1 Count" + of, "SnapshotStatusChecker MessagesRejected 1 Count" +
				of + " reason_code=NO_BODY"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, got := written(t, test.counts); !cmp.Equal(test.want, got) {
				t.Error(cmp.Diff(test.want, got))
			}
		})
	}
}

// A line may have 100 values of a metric.
func TestManyValues(t *testing.T) {
	t.Parallel()
	_, lines := written(t, func(ctx context.Context) {
		metrics.Add(ctx, metrics.FilesReceived, 250)
		for i := range 250 {
			metrics.Measure(ctx, metrics.MessageProcessingTime, float64(i))
		}
	})
	var got []int
	for _, line := range lines {
		got = append(got, len(line))
	}
	if diff := cmp.Diff([]int{101, 100, 50}, got); diff != "" {
		t.Error(diff)
	}
}

// The whole line. Properties for searching are not dimensions.
func TestLine(t *testing.T) {
	t.Parallel()
	text, _ := written(t, func(ctx context.Context) {
		metrics.Add(ctx, metrics.CollectionsReceived, 1)
		metrics.About(ctx, logging.CorrelationID, "run-1")
	})
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"_aws": map[string]any{"Timestamp": float64(began.Add(2 * time.Second).UnixMilli()),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": "SnapshotStatusChecker", "Dimensions": []any{[]any{"application", "environment"}},
				"Metrics": []any{map[string]any{"Name": "CollectionsReceived", "Unit": "Count"}}}}},
		"CollectionsReceived": 1.0, "correlation_id": "run-1",
		"level": "INFO", "message": "metrics", "service": "increment", "application": "app", "environment": "dev",
		"function_name": "",
		"timestamp":     "2020-01-01T12:00:02Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Tasks may measure outside a call, in tests and in the simulation.
func TestCountingOutsideOfACall(t *testing.T) {
	t.Parallel()
	metrics.Add(t.Context(), metrics.FilesReceived, 1)
	metrics.Reject(t.Context(), "NOT_JSON")
	metrics.Processed(t.Context(), time.Time{})
	metrics.Write(t.Context(), slog.New(slog.DiscardHandler))
}

func TestConcurrently(t *testing.T) {
	t.Parallel()
	_, lines := written(t, func(ctx context.Context) {
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() { metrics.Add(ctx, metrics.FilesReceived, 1) })
		}
		group.Wait()
	})
	if len(lines) != 1 || !strings.HasPrefix(lines[0][0], "SnapshotStatusChecker FilesReceived 100 ") {
		t.Error(lines)
	}
}

// CloudWatch accepts each metric, and all names differ.
func TestAll(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, metric := range metrics.All {
		if seen[metric.Name] {
			t.Errorf("%s is there twice", metric.Name)
		}
		seen[metric.Name] = true
		_, lines := written(t, func(ctx context.Context) { metrics.Measure(ctx, metric, 1) })
		if len(lines) != 1 || !slices.ContainsFunc(lines[0],
			func(d string) bool { return strings.Contains(d, " "+metric.Name+" 1 ") }) {
			t.Errorf("%s: %v", metric.Name, lines)
		}
	}
}
