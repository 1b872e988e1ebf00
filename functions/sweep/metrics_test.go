package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
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

func sees(open, oldestRun, stalled, oldestDebt float64) map[string]float64 {
	return map[string]float64{"OpenRuns": open, "OldestOpenRunAge": oldestRun, "StalledRuns": stalled, "OldestPendingAge": oldestDebt}
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
	step("it still does, reported or not", sees(1, 3670, 1, 0))

	b.Count(Message("m2", Body("a", "2")))
	b.Look("a", "dies") // claims the request
	b.passes(time.Minute)
	step("its request is owed, and so is its news", sees(1, 3730, 0, 60))

	b.passes(snapshot.Lease)
	b.Look("a", "dies too")
	b.passes(time.Minute)
	step("a second claimer does not pay either", sees(1, 4390, 0, 720))

	pays(t, b, "dies too")
	b.Change("a", table.Item{"CollectionStatus": "Success"})
	pays(t, b, "pays")
	b.passes(time.Minute)
	step("all is paid", sees(0, 0, 0, 0))
	b.passes(2 * stalledAfter)
	step("and stays so", sees(0, 0, 0, 0))
}

// pays delivers what the claimer claims of the request and the news.
func pays(t *testing.T, b *bench, claimer string) {
	t.Helper()
	verdict, err := b.Runs().Check(t.Context(), Run, claimer, snapshot.Received)
	if err != nil {
		t.Fatal(err)
	}
	for _, debt := range append(verdict.Claimed, snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a")}) {
		if err := b.Debts().Delivered(t.Context(), debt); err != nil {
			t.Fatal(err)
		}
	}
}

// The oldest of several runs counts; one whose rows went away is nobody's any more.
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
	b.DB.Put(b.Tables.Status.At("run-0", "a"), nil)
	b.passes(2 * stalledAfter)
	b.seen("e2")
	b.passes(2 * stalledAfter)
	if diff := cmp.Diff(sees(2, 4*3600+60, 2, 0), b.seen("e3")); diff != "" {
		t.Error(diff)
	}
}
