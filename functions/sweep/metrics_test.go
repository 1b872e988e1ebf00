package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// seen are the metrics of a sweep; ages in seconds.
func (fx *fixture) seen(execution string) map[string]float64 {
	fx.t.Helper()
	return fx.Counted(func(ctx context.Context) {
		if _, err := fx.task.Handle(ctx, sweep.Input{ExecutionID: execution}); err != nil {
			fx.t.Error(err)
		}
	})
}

func sees(open, oldestRun, stalled, oldestPending float64) map[string]float64 {
	return map[string]float64{"OpenRuns": open, "OldestOpenRunAge": oldestRun, "StalledRuns": stalled,
		"OldestPendingAge": oldestPending, "LateRuns": 0}
}

// late is what a sweep sees, with so many late runs.
func late(runs float64, seen map[string]float64) map[string]float64 {
	seen["LateRuns"] = runs
	return seen
}

func (fx *fixture) passes(d time.Duration) { fx.Now = fx.Now.Add(d) }

// One run from its beginning to settled: each sweep writes all metrics, zeros included.
func TestMetrics(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	step := func(name string, want map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, fx.seen(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	step("no run", sees(0, 0, 0, 0))

	fx.Put("a", tasktest.Sent(2))
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
	fx.passes(10 * time.Second)
	step("a run that waits for a file", sees(1, 10, 0, 0))

	fx.passes(stalledAfter)
	step("it stands still", sees(1, 3610, 1, 0))
	fx.passes(time.Minute)
	step("it still does, alerted or not", sees(1, 3670, 1, 0))

	fx.Count(tasktest.Message("m2", tasktest.Body("a", "2")))
	fx.Reconcile("a", "first") // enqueues the request
	fx.passes(time.Minute)
	step("its request is pending, and its notification is due", sees(1, 3730, 0, 60))

	fx.passes(store.DefaultLease)
	fx.Reconcile("a", "second")
	fx.passes(time.Minute)
	step("a second owner does not deliver either", sees(1, 4390, 0, 720))

	fx.Deliver(snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: tasktest.Key("a")}, "second")
	fx.Change("a", table.Item{"CollectionStatus": "Success"})
	notify(t, fx, "delivers")
	fx.passes(time.Minute)
	step("all is delivered", sees(0, 0, 0, 0))
	fx.passes(2 * stalledAfter)
	step("and stays so", sees(0, 0, 0, 0))
}

// notify enqueues and delivers the notifications of a finished run.
func notify(t *testing.T, fx *fixture, owner string) {
	t.Helper()
	checked, err := fx.Store.Check(t.Context(), tasktest.Key("a"), owner, true, snapshot.Notifications)
	if err != nil || len(checked.Pending) != 2 {
		t.Fatal(checked, err)
	}
	for _, out := range checked.Pending {
		fx.Deliver(out, owner)
	}
}

// The oldest of several runs counts; a run whose rows were deleted does not.
func TestMetricsOfSeveralRuns(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.run("run-0")
	fx.passes(time.Minute)
	fx.run("run-2")
	fx.passes(time.Minute)
	fx.run("run-3")
	if diff := cmp.Diff(sees(3, 120, 0, 0), fx.seen("e1")); diff != "" {
		t.Error(diff)
	}
	fx.PutAt(fx.Names.Status.At("run-0", "a"), nil)
	fx.passes(2 * stalledAfter)
	fx.seen("e2")
	fx.passes(2 * stalledAfter)
	if diff := cmp.Diff(late(2, sees(2, 4*3600+60, 2, 0)), fx.seen("e3")); diff != "" {
		t.Error(diff)
	}
}
