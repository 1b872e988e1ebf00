package increment_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

var (
	errDown = errors.New("service is down")
	batch   = tasktest.Batch
	keys    = tasktest.Keys
)

// fixture is the task with its tables and its rejecter.
type fixture struct {
	*tasktest.Tables
	t        *testing.T
	task     *increment.Task
	rejected *rejecter
}

// newFixture is the task with these rows.
func newFixture(t *testing.T, rows ...string) *fixture {
	fx := &fixture{Tables: tasktest.New(t), t: t, rejected: &rejecter{}}
	fx.task = fx.limitedTo(0)
	fx.Put(rows...)
	return fx
}

// limitedTo is the task of another process, with this limit of collections for an execution.
func (fx *fixture) limitedTo(most int) *increment.Task {
	return increment.New(fx.Store, fx.rejected, most, increment.InOrder, fx.Log)
}

func handle(ctx context.Context, task *increment.Task, event json.RawMessage) (increment.Output, error) {
	return task.Handle(ctx, increment.Input{ExecutionID: tasktest.Execution, Event: event})
}

// wants handles an event without failures. No Collections in want stand for none.
func (fx *fixture) wants(event json.RawMessage, want increment.Output) {
	fx.t.Helper()
	if want.Collections == nil {
		want.Collections = keys()
	}
	got, err := handle(fx.t.Context(), fx.task, event)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		fx.t.Error(err, diff)
	}
}

// fails handles an event that cannot be counted while the service is down, and so rejects nothing.
func (fx *fixture) fails(event json.RawMessage) {
	fx.t.Helper()
	if _, err := handle(fx.t.Context(), fx.task, event); !errors.Is(err, errDown) {
		fx.t.Errorf("got %v, want an error that wraps its cause", err)
	}
	fx.wantRejected()
}

// wantRejected wants the rejections since the last call, each as "identity REASON".
func (fx *fixture) wantRejected(want ...string) {
	fx.t.Helper()
	if diff := cmp.Diff(want, fx.rejected.rejected); diff != "" {
		fx.t.Error("rejected:", diff)
	}
	fx.rejected.rejected = nil
}

// rejecter records the rejections.
type rejecter struct {
	rejected []string                     // each as "identity REASON"
	before   func(snapshot.Receipt) error // before it is recorded
}

func (r *rejecter) Reject(_ context.Context, receipt snapshot.Receipt) error {
	if r.before != nil {
		if err := r.before(receipt); err != nil {
			return err
		}
	}
	r.rejected = append(r.rejected, receipt.Identity+" "+string(receipt.Rejection.Reason))
	return nil
}

// breaks makes a hook that fails updates of a part of a collection; see isUpdate.
func (fx *fixture) breaks(part, collection string) func(tabletest.Call) error {
	return func(call tabletest.Call) error {
		if fx.isUpdate(part, collection)(call) {
			return errDown
		}
		return nil
	}
}

// isUpdate reports whether a call updates an item of a collection: "row", "collection" or "receipts".
func (fx *fixture) isUpdate(part, collection string) func(tabletest.Call) bool {
	return func(call tabletest.Call) bool {
		ref := call.Refs[0]
		if call.Operation != "Update" || ref.Table == fx.Names.Status.Table {
			return call.Operation == "Update" && part == "row" && ref.Sort == collection
		}
		kind, _, _ := strings.Cut(ref.Sort, "#")
		return kind == part && strings.HasSuffix(ref.Partition, "#"+collection)
	}
}
