package checkcollection_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// The call that moves a collection counts it; a later reconciliation does not.
func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		given func(*tasktest.Tables)
		want  map[string]float64
	}{
		{"files are missing", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(2))
			ts.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
		}, map[string]float64{}},
		{"all are there", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(1))
			ts.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
		}, map[string]float64{"CollectionsReceived": 1}},
		{"an early success file", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(1))
			ts.Count(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m2", tasktest.Body("a", "s", tasktest.SuccessFile)))
		}, map[string]float64{"CollectionsReceived": 1, "CollectionsSuccessful": 1}},
		{"received before", func(ts *tasktest.Tables) { ts.Receive("a", "other") }, map[string]float64{}},
		{"its success file comes",
			func(ts *tasktest.Tables) {
				ts.Receive("a", "other")
				ts.Count(tasktest.Message("m2", tasktest.Body("a", "s", tasktest.SuccessFile)))
			}, map[string]float64{"CollectionsSuccessful": 1}},
		{"Sent was written over Received", func(ts *tasktest.Tables) {
			ts.Receive("a", "other")
			ts.Deliver(request(0)[0], "other")
			ts.Change("a", table.Item{"CollectionStatus": "Sent"})
		}, map[string]float64{}},
		{"exported again: a new epoch", func(ts *tasktest.Tables) {
			ts.Receive("a", "other")
			ts.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			ts.Count(tasktest.Message("m2", tasktest.Body("a", "1")))
		}, map[string]float64{"CollectionsReceived": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ts := tasktest.New(t)
			test.given(ts)
			task := checkcollection.New(ts.Store, ts.Log)
			reconcile := func(ctx context.Context) {
				if _, err := task.Handle(ctx, checkcollection.Input{ExecutionID: tasktest.Execution,
					CollectionKey: tasktest.Key("a")}); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(test.want, ts.Counted(reconcile)); diff != "" {
				t.Error(diff)
			}
			if again := ts.Counted(reconcile); len(again) > 0 {
				t.Errorf("repeated, it counts %v", again)
			}
			for _, line := range ts.Logged("metrics") {
				if line["correlation_id"] != tasktest.Run || line["collection_name"] != "a" {
					t.Errorf("the line is of %v, %v", line["correlation_id"], line["collection_name"])
				}
			}
		})
	}
}

// After another system's write, the reconciliation reads again.
func TestMetricsOfContention(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	ts.Put("a", tasktest.Sent(1))
	ts.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
	times := 2
	ts.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "Update" && times > 0 {
			times--
			return table.ErrConditionFailed
		}
		return nil
	}
	got := ts.Counted(func(ctx context.Context) {
		if _, err := checkcollection.New(ts.Store, ts.Log).Handle(ctx,
			checkcollection.Input{ExecutionID: tasktest.Execution,
				CollectionKey: tasktest.Key("a")}); err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff(map[string]float64{"CollectionsReceived": 1, "ContentionRetries": 2}, got); diff != "" {
		t.Error(diff)
	}
}
