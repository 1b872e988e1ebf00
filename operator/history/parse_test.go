package history_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/operator/history"
)

// The simulation parses the lines of the real tasks. This test has what its lines cannot have.
func TestParse(t *testing.T) {
	t.Parallel()
	const head = `{"timestamp":"2026-11-23T01:30:00.000000001Z","level":"INFO","message":`
	about := func(message, more string) string {
		return head + `"` + message + `","correlation_id":"run-1","collection_name":"a","execution_id":"x"` + more + `}`
	}
	for name, c := range map[string]struct {
		line string
		want history.Event
		err  string
	}{
		"no JSON":         {line: "REPORT RequestId: 1"},
		"another message": {line: about("checked run", "")},
		"another run":     {line: strings.ReplaceAll(about("counted", ""), "run-1", "run-2")},
		"a message in a value": {line: head + `"x","correlation_id":"run-1",` +
			`"collection_name":"\"message\":\"counted\""}`},
		"cut off": {line: strings.TrimSuffix(about("moved", ""), "}"),
			err: "reading a log line: unexpected end"},
		"no digest": {line: about("counted", `,"messages":[{"identity":"1"}]`),
			err: `"counted": a message has no digest`},
		"no epoch":          {line: about("moved", ""), err: `"moved": it has no epoch`},
		"no epoch of a row": {line: about("checked collection", ""), err: `"checked collection": it has no epoch`},
		"no version":        {line: about("delivered", ""), err: `"delivered": it has no version`},
		"a row that is gone": {line: about("checked collection", `,"status":"","epoch":0`),
			want: history.Checked{Line: history.Line{At: began.Add(1), Execution: "x", Collection: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := history.Parse(run, []byte(c.line))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

// A name with any character is read as it was written.
func TestParseHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "\"message\":\"moved\"\\\n\u2028<&>\x00é"
	var out bytes.Buffer
	logging.New(&out, slog.LevelInfo, "notify", "app", "dev").InfoContext(context.Background(), logging.Moved,
		logging.CorrelationID, hostile, logging.CollectionName, hostile, logging.From, "Sent", logging.To, "Received",
		logging.Epoch, -3)
	got, err := history.Parse(hostile, out.Bytes())
	moved, ok := got.(history.Moved)
	if err != nil || !ok || moved.Collection != hostile || moved.Epoch != -3 || moved.To != "Received" {
		t.Errorf("%+v, %v", got, err)
	}
}
