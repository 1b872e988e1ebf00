package checkall_test

import (
	"context"
	"testing"

	checkall "snapshot-status-checker/functions/check-all"
	. "snapshot-status-checker/functions/internal/tasktest"
)

// Whoever follows the execution finds what it decided about its run.
func TestLogNamesTheExecution(t *testing.T) {
	t.Parallel()
	w := New(t)
	w.Put("a", Sent(1))
	w.Counted(func(ctx context.Context) {
		if _, err := checkall.New(w.Store, w.Log).Handle(ctx, checkall.Input{CollectionKey: Key("a"),
			Owner: owner}); err != nil {
			t.Error(err)
		}
	})
	for _, line := range w.Logged("checked run") {
		if line["execution_id"] != Execution || line["correlation_id"] != Run {
			t.Errorf("the line is of %v, %v", line["execution_id"], line["correlation_id"])
		}
	}
	if len(w.Logged("checked run")) != 1 {
		t.Error("not logged")
	}
}
