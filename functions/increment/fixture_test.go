package increment_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

// fixture is the task with its tables and its rejecter.
type fixture struct {
	*tasktest.Tables
	task     *increment.Task
	rejected *rejecter
}

func newFixture(t *testing.T) *fixture {
	fx := &fixture{Tables: tasktest.New(t), rejected: &rejecter{}}
	fx.task = fx.limitedTo(0)
	return fx
}

// limitedTo is the task of another process, with this limit of collections for an execution.
func (fx *fixture) limitedTo(most int) *increment.Task {
	return increment.New(fx.Store, fx.rejected, most, increment.InOrder, fx.Log)
}

func (fx *fixture) handle(t *testing.T, event json.RawMessage) (increment.Output, error) {
	t.Helper()
	return fx.handleIn(t.Context(), event)
}

func (fx *fixture) handleIn(ctx context.Context, event json.RawMessage) (increment.Output, error) {
	return fx.task.Handle(ctx, increment.Input{ExecutionID: tasktest.Execution, Event: event})
}

// rejecter records the rejections, each as "identity REASON".
type rejecter struct {
	mu       sync.Mutex
	rejected []string
	raw      []string
	before   func(snapshot.Receipt) error // before it is recorded
}

func (r *rejecter) Reject(_ context.Context, receipt snapshot.Receipt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before != nil {
		if err := r.before(receipt); err != nil {
			return err
		}
	}
	r.rejected = append(r.rejected, receipt.Identity+" "+string(receipt.Rejection.Reason))
	r.raw = append(r.raw, receipt.Raw)
	return nil
}

// registrations records the correlation ids of runs that are registered from now on.
func (fx *fixture) registrations() func() []string {
	var registered []string
	fx.DB.After = func(call tabletest.Call) error {
		if call.Operation == "Update" && call.Refs[0].Partition == "run" {
			registered = append(registered, call.Refs[0].Sort)
		}
		return nil
	}
	return func() []string { return registered }
}

// isUpdate reports whether a call updates an item of a collection: "row", "collection", "page" or "receipts".
func (fx *fixture) isUpdate(part, collection string) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool {
		if call.Operation != "Update" {
			return false
		}
		ref := call.Refs[0]
		if ref.Table == fx.Names.Status.Table {
			return part == "row" && ref.Sort == collection
		}
		kind, _, _ := strings.Cut(ref.Sort, "#")
		return kind == part && strings.HasSuffix(ref.Partition, "#"+collection)
	}
}

func keys(collections ...string) []snapshot.CollectionKey {
	all := []snapshot.CollectionKey{}
	for _, collection := range collections {
		all = append(all, tasktest.Key(collection))
	}
	return all
}

func jsonText(value any) string {
	text, _ := json.Marshal(value) // values decoded from JSON always marshal
	return string(text)
}
