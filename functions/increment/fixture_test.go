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

// bench is the task with what it works on.
type bench struct {
	*tasktest.World
	task     *increment.Task
	rejected *rejecter
}

func newBench(t *testing.T) *bench {
	b := &bench{World: tasktest.New(t), rejected: &rejecter{}}
	b.task = b.limitedTo(0)
	return b
}

// limitedTo is the task of another process, in an execution that may reconcile so many collections.
func (b *bench) limitedTo(most int) *increment.Task {
	return increment.New(b.Store, b.rejected, most, increment.InOrder, b.Log)
}

func (b *bench) handle(t *testing.T, event json.RawMessage) (increment.Output, error) {
	t.Helper()
	return b.handleIn(t.Context(), event)
}

func (b *bench) handleIn(ctx context.Context, event json.RawMessage) (increment.Output, error) {
	return b.task.Handle(ctx, increment.Input{ExecutionID: tasktest.Execution, Event: event})
}

// rejecter records what is rejected, each as "identity REASON".
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

// registrations counts the registrations of runs from now on, by their correlation ids.
func (b *bench) registrations() func() []string {
	var registered []string
	b.DB.After = func(call tabletest.Call) error {
		if call.Operation == "Update" && call.Refs[0].Partition == "run" {
			registered = append(registered, call.Refs[0].Sort)
		}
		return nil
	}
	return func() []string { return registered }
}

// isUpdate says whether a call updates an item of a collection: "row", "collection", "page" or "receipts".
func (b *bench) isUpdate(part, collection string) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool {
		if call.Operation != "Update" {
			return false
		}
		ref := call.Refs[0]
		if ref.Table == b.Tables.Status.Table {
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
	text, _ := json.Marshal(value) // what came out of JSON marshals
	return string(text)
}
