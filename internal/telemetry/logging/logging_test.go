package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/logging"
)

func lines(t *testing.T, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q is not one JSON object: %v", line, err)
		}
		all = append(all, fields)
	}
	return all
}

func TestLine(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "app-dev-increment")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
	var out bytes.Buffer
	logger := logging.New(&out, slog.LevelInfo, "increment", "app", "dev")
	ctx := logging.Begin(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"}),
		logger)
	logger.DebugContext(ctx, "below the level")
	logger.InfoContext(ctx, "counted\n\"twice\"", logging.CorrelationID, "run-1", logging.CollectionName, "db.a.b",
		logging.FileName, "f")

	got := lines(t, &out)
	if len(got) != 1 {
		t.Fatalf("got %d lines: %s", len(got), out.String())
	}
	if _, err := time.Parse(time.RFC3339Nano, got[0]["timestamp"].(string)); err != nil {
		t.Error(err)
	}
	delete(got[0], "timestamp")
	want := map[string]any{
		"level": "INFO", "message": "counted\n\"twice\"",
		"service": "increment", "application": "app", "environment": "dev",
		"function_name": "app-dev-increment", "function_request_id": "request-1", "cold_start": true,
		"xray_trace_id":  "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
		"correlation_id": "run-1", "collection_name": "db.a.b", "file_name": "f",
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

// A file name cannot add a line or a field.
func TestNoValueLeavesItsLine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\n{\"level\":\"ERROR\"}", "a\r\nb", "a\",\"level\":\"ERROR", "\x00\x1b[31m\b",
		"\u2028\u2029", "a\xff"} {
		var out bytes.Buffer
		logging.New(&out, slog.LevelInfo, "increment", "app", "dev").Info("counted", logging.FileName, name,
			logging.CorrelationID, name)
		if text := strings.TrimSuffix(out.String(), "\n"); strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%q: control characters in %q", name, text)
		}
		got := lines(t, &out)
		if len(got) != 1 || got[0]["level"] != "INFO" || got[0][logging.FileName] != strings.ToValidUTF8(name,
			"\ufffd") {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// An execution's lines, and no others, have its id. cold_start is true for the first invocation only. Derived loggers
// have both.
func TestInvocationsAndExecutions(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := logging.New(&out, slog.LevelInfo, "s", "a", "e")
	derived := logger.With("more", 1)
	logging.Execution(t.Context(), "no call's")
	for _, execution := range []string{"e1", "", "e2"} {
		ctx := logging.Begin(t.Context(), logger)
		logger.InfoContext(ctx, "before it is known")
		logging.Execution(ctx, execution)
		derived.InfoContext(ctx, "afterwards")
	}
	logger.InfoContext(logging.Begin(t.Context(), derived), "begun with a derived logger")
	logger.InfoContext(t.Context(), "outside of any")
	var got [][2]any
	for _, line := range lines(t, &out) {
		got = append(got, [2]any{line["cold_start"], line["execution_id"]})
	}
	want := [][2]any{{true, nil}, {true, "e1"}, {false, nil}, {false, nil}, {false, nil}, {false, "e2"}, {false, nil},
		{nil, nil}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
