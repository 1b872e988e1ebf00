package checkcollection_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/table/tabletest"
)

// wantMoved wants the log of one move in epoch 0.
func wantMoved(t *testing.T, ts *tasktest.Tables, from, to string) {
	t.Helper()
	lines := ts.Logged("moved")
	if len(lines) != 1 {
		t.Fatalf("logged %s", ts.LogText())
	}
	got := map[string]any{}
	for _, key := range []string{"correlation_id", "collection_name", "from_status", "to_status", "epoch", "level"} {
		got[key] = lines[0][key]
	}
	want := map[string]any{"correlation_id": tasktest.Run, "collection_name": "a", "from_status": from,
		"to_status": to, "epoch": 0.0, "level": "INFO"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A move is logged even if the call fails after it; the retry does not log it again.
func TestLogOfAMoveBeforeAFailure(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	ts.Put("a", tasktest.Sent(1))
	ts.Count(file("m1"))
	moved := false
	ts.DB.After = func(call tabletest.Call) error {
		moved = moved || call.Operation == "Update" && call.Refs[0].Table == ts.Names.Status.Table
		return nil
	}
	ts.DB.Before = func(tabletest.Call) error {
		if moved {
			return errors.New("no connection")
		}
		return nil
	}
	in := checkcollection.Input{ExecutionID: tasktest.Execution, CollectionKey: tasktest.Key("a")}
	if _, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(), in); err == nil ||
		len(ts.Logged("checked collection")) > 0 {
		t.Error("the call did not fail")
	}
	wantMoved(t, ts, "Sent", "Received")
	ts.DB.Before = nil
	if _, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	wantMoved(t, ts, "Sent", "Received")
}
