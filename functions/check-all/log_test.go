package checkall_test

import (
	"context"
	"testing"

	checkall "snapshot-status-checker/functions/check-all"
	"snapshot-status-checker/functions/internal/tasktest"
)

// The log of an execution has the outcome for its run.
func TestLogNamesTheExecution(t *testing.T) {
	t.Parallel()
	w := tasktest.New(t)
	w.Put("a", tasktest.Sent(1))
	w.Counted(func(ctx context.Context) {
		if _, err := checkall.New(w.Store, w.Log).Handle(ctx, checkall.Input{CollectionKey: tasktest.Key("a"),
			Owner: owner}); err != nil {
			t.Error(err)
		}
	})
	for _, line := range w.Logged("checked run") {
		if line["execution_id"] != tasktest.Execution || line["correlation_id"] != tasktest.Run {
			t.Errorf("the line is of %v, %v", line["execution_id"], line["correlation_id"])
		}
	}
	if len(w.Logged("checked run")) != 1 {
		t.Error("not logged")
	}
}
