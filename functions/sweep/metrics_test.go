package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// seen is what a sweep measures; ages in seconds.
func (b *bench) seen(execution string) map[string]float64 {
	b.t.Helper()
	return b.Counted(func(ctx context.Context) {
		if _, err := b.task.Handle(ctx, sweep.Input{ExecutionID: execution}); err != nil {
			b.t.Error(err)
		}
	})
}

func sees(open, oldestRun, stalled, oldestPending float64) map[string]float64 {
	return map[string]float64{"OpenRuns": open, "OldestOpenRunAge": oldestRun, "StalledRuns": stalled,
		"OldestPendingAge": oldestPending}
}

func (b *bench) passes(d time.Duration) { b.Now = b.Now.Add(d) }

// One run from nothing to settled: each sweep says all of it, zeros too.
func TestMetrics(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	step := func(name string, want map[string]float64) {
		t.Helper()
		if diff := cmp.Diff(want, b.seen(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	step("no run", sees(0, 0, 0, 0))

	b.Put("a", Sent(2))
	b.Count(Message("m1", Body("a", "1")))
	b.passes(10 * time.Second)
	step("a run that waits for a file", sees(1, 10, 0, 0))

	b.passes(stalledAfter)
	step("it stands still", sees(1, 3610, 1, 0))
	b.passes(time.Minute)
	step("it still does, alerted or not", sees(1, 3670, 1, 0))

	b.Count(Message("m2", Body("a", "2")))
	b.Reconcile("a", "dies") // enqueues the request
	b.passes(time.Minute)
	step("its request is pending, and its notification is due", sees(1, 3730, 0, 60))

	b.passes(store.DefaultLease)
	b.Reconcile("a", "dies too")
	b.passes(time.Minute)
	step("a second owner does not deliver either", sees(1, 4390, 0, 720))

	b.Deliver(snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a")}, "dies too")
	b.Change("a", table.Item{"CollectionStatus": "Success"})
	notify(t, b, "delivers")
	b.passes(time.Minute)
	step("all is delivered", sees(0, 0, 0, 0))
	b.passes(2 * stalledAfter)
	step("and stays so", sees(0, 0, 0, 0))
}

// notify enqueues and delivers the notifications of a run that is done.
func notify(t *testing.T, b *bench, owner string) {
	t.Helper()
	checked, err := b.Store.Check(t.Context(), Key("a"), owner, true, snapshot.Notifications)
	if err != nil || len(checked.Pending) != 2 {
		t.Fatal(checked, err)
	}
	for _, out := range checked.Pending {
		b.Deliver(out, owner)
	}
}

// The oldest of several runs counts; one whose rows went away does not count.
func TestMetricsOfSeveralRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run("run-0")
	b.passes(time.Minute)
	b.run("run-2")
	b.passes(time.Minute)
	b.run("run-3")
	if diff := cmp.Diff(sees(3, 120, 0, 0), b.seen("e1")); diff != "" {
		t.Error(diff)
	}
	b.PutAt(b.Tables.Status.At("run-0", "a"), nil)
	b.passes(2 * stalledAfter)
	b.seen("e2")
	b.passes(2 * stalledAfter)
	if diff := cmp.Diff(sees(2, 4*3600+60, 2, 0), b.seen("e3")); diff != "" {
		t.Error(diff)
	}
}
