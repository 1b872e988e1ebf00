package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/store"
)

// measured are the metrics of a sweep; ages in seconds.
type measured struct{ open, oldestRun, stalled, late, oldestPending float64 }

// measures sweeps and wants these metrics, zeros included.
func (fx *fixture) measures(when string, want measured) {
	fx.t.Helper()
	got := fx.Counted(func(ctx context.Context) {
		if _, err := fx.task.Handle(ctx, sweep.Input{ExecutionID: when}); err != nil {
			fx.t.Error(err)
		}
	})
	if diff := cmp.Diff(map[string]float64{"OpenRuns": want.open, "OldestOpenRunAge": want.oldestRun,
		"StalledRuns": want.stalled, "LateRuns": want.late, "OldestPendingAge": want.oldestPending}, got); diff != "" {
		fx.t.Errorf("%s: %s", when, diff)
	}
}

// One run from its beginning to settled.
func TestMetrics(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.measures("no run", measured{})

	fx.Put("a Sent 0/2")
	fx.Count("m1 a/1")
	fx.passes(10 * time.Second)
	fx.measures("a run that waits for a file", measured{open: 1, oldestRun: 10})

	fx.passes(stalledAfter)
	fx.measures("it stands still", measured{open: 1, oldestRun: 3610, stalled: 1})
	fx.passes(time.Minute)
	fx.measures("it still does, alerted or not", measured{open: 1, oldestRun: 3670, stalled: 1})

	fx.Count("m2 a/2")
	fx.Reconcile("a", "first") // enqueues the request
	fx.passes(time.Minute)
	fx.measures("its request is pending, and its notification is due",
		measured{open: 1, oldestRun: 3730, oldestPending: 60})

	fx.passes(store.DefaultLease)
	fx.Reconcile("a", "second")
	fx.passes(time.Minute)
	fx.measures("a second owner does not deliver either", measured{open: 1, oldestRun: 4390, oldestPending: 720})

	fx.Deliver("second", tasktest.Request("a"))
	fx.Change("a Success -/-")
	fx.notify()
	fx.passes(time.Minute)
	fx.measures("all is delivered", measured{})
	fx.passes(2 * stalledAfter)
	fx.measures("and stays so", measured{})
}

// The oldest of several runs counts; a run whose rows were deleted does not.
func TestMetricsOfSeveralRuns(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.complete("run-0")
	fx.passes(time.Minute)
	fx.complete("run-2")
	fx.passes(time.Minute)
	fx.complete("run-3")
	fx.measures("e1", measured{open: 3, oldestRun: 120})
	fx.Delete("run-0:a")
	fx.passes(2 * stalledAfter)
	fx.measures("e2", measured{open: 2, oldestRun: 2*3600 + 60, stalled: 2})
	fx.passes(2 * stalledAfter)
	fx.measures("e3", measured{open: 2, oldestRun: 4*3600 + 60, stalled: 2, late: 2})
}
