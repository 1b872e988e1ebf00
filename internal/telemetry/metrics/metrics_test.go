package metrics_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
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

// written are the log lines of a call that took 2 seconds: their text, and the metrics that CloudWatch reads, without
// the common dimensions.
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
			dimensions, ok := strings.CutPrefix(d.Dimensions, "application=app environment=dev")
			if d.Namespace != metrics.Namespace || !ok {
				t.Errorf("a metric of %+v", d)
			}
			texts = append(texts, fmt.Sprintf("%s %v %s%s", d.Name, d.Value, d.Unit, dimensions))
		}
		lines = append(lines, texts)
	}
	return out.String(), lines
}

// At every log level.
func TestWrite(t *testing.T) {
	t.Parallel()
	const rejected = "MessagesRejected 1 Count"
	for _, test := range []struct {
		name   string
		counts func(context.Context)
		want   [][]string
	}{
		{"nothing", func(context.Context) {}, nil},
		{"only zeros", func(ctx context.Context) { metrics.Add(ctx, metrics.FilesReceived, 0) }, nil},
		{"counted twice, and processed", func(ctx context.Context) {
			metrics.Add(ctx, metrics.FilesReceived, 1)
			metrics.Add(ctx, metrics.FilesReceived, 2)
			metrics.Processed(ctx, began.Add(-time.Second))
		}, [][]string{{"FilesReceived 3 Count", "MessageProcessingTime 3000 Milliseconds"}}},
		{"a measured zero counts", func(ctx context.Context) { metrics.Measure(ctx, metrics.OpenRuns, 0) },
			[][]string{{"OpenRuns 0 Count"}}},
		{"ages", func(ctx context.Context) {
			metrics.Age(ctx, metrics.OldestPendingAge, began.Add(-time.Minute))
			metrics.Age(ctx, metrics.OldestOpenRunAge, time.Time{})
		}, [][]string{{"OldestOpenRunAge 0 Seconds", "OldestPendingAge 62 Seconds"}}},
		{"messages, one without a time, one from a clock that is ahead", func(ctx context.Context) {
			metrics.Processed(ctx, time.Time{})
			metrics.Processed(ctx, began.Add(time.Hour))
		}, [][]string{{"MessageProcessingTime 2000 Milliseconds", "MessageProcessingTime 0 Milliseconds"}}},
		{"a rejected message", func(ctx context.Context) { metrics.Reject(ctx, "NOT_JSON") },
			[][]string{{rejected, rejected + " reason_code=NOT_JSON"}}},
		{"several reasons: a line for each", func(ctx context.Context) {
			metrics.Reject(ctx, "NO_BODY")
			metrics.Reject(ctx, "NOT_JSON")
			metrics.Reject(ctx, "NOT_JSON")
			metrics.Add(ctx, metrics.FilesReceived, 5)
		}, [][]string{
			{"FilesReceived 5 Count", "MessagesRejected 2 Count", "MessagesRejected 2 Count reason_code=NOT_JSON"},
			{rejected, rejected + " reason_code=NO_BODY"}}},
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
	const want = `{"timestamp":"2020-01-01T12:00:02Z","level":"INFO","message":"metrics","service":"increment",` +
		`"application":"app","environment":"dev","function_name":"","_aws":{"Timestamp":1577880002000,` +
		`"CloudWatchMetrics":[{"Namespace":"SnapshotStatusChecker","Dimensions":[["application","environment"]],` +
		`"Metrics":[{"Name":"CollectionsReceived","Unit":"Count"}]}]},"CollectionsReceived":1,"correlation_id":"run-1"}`
	if diff := cmp.Diff(want+"\n", text); diff != "" {
		t.Error(diff)
	}
}

// Tasks may measure outside a call, in tests and in the simulation.
func TestOutsideACallNothingIsMeasured(t *testing.T) {
	t.Parallel()
	metrics.Add(t.Context(), metrics.FilesReceived, 1)
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
	if len(lines) != 1 || !strings.HasPrefix(lines[0][0], "FilesReceived 100 ") {
		t.Error(lines)
	}
}

// CloudWatch accepts each metric, all names differ, and docs/operations.md has them.
func TestAll(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented, _, _ := strings.Cut(string(text), "### What the replaced system measured")
	seen := map[string]bool{}
	for _, metric := range metrics.All {
		if seen[metric.Name] || !strings.Contains(documented, "`"+metric.Name+"`") {
			t.Errorf("%s is there twice, or not in docs/operations.md", metric.Name)
		}
		seen[metric.Name] = true
		_, lines := written(t, func(ctx context.Context) { metrics.Measure(ctx, metric, 1) })
		if want := fmt.Sprintf("%s 1 %s", metric.Name, metric.Unit); !cmp.Equal([][]string{{want}}, lines) {
			t.Errorf("%s: %v", metric.Name, lines)
		}
	}
}
