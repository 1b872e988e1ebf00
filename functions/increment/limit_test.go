package increment_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

// Collections beyond the limit of an execution are complete in the tables, and the sweep finds them.
func TestCollectionsBeyondTheLimitAreLeftToTheSweep(t *testing.T) {
	t.Parallel()
	messages := []string{"m1 a/1", "m2 b/1", "m3 c/1"}
	requested, err := json.Marshal(map[string]any{"reconcile": keys("a", "b", "c")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		counted []string // before
		event   json.RawMessage
		want    increment.Output
	}{
		{nil, batch(messages...), increment.Output{Counted: 3, Collections: keys("a", "b"), Left: 1}},
		{messages, requested, increment.Output{Collections: keys("a", "b"), Left: 1}},
	} {
		fx := newFixture(t, "a Sent 0/1", "b Sent 0/1", "c Sent 0/1")
		fx.Count(test.counted...)
		fx.task = fx.limitedTo(2)
		fx.wants(test.event, test.want)
		fx.WantLogged("left to the sweep", tasktest.Fields{"collections": 1.0})
		fx.Reconcile("a", tasktest.Execution+"/a")
		fx.Reconcile("b", tasktest.Execution+"/b")
		runs, err := fx.Store.OpenRuns(t.Context())
		if err != nil || len(runs) != 1 {
			t.Fatal(runs, err)
		}
		found, err := fx.Store.Examine(t.Context(), runs[0], "sweep")
		if diff := cmp.Diff(keys("c"), found.Reconcile); diff != "" || err != nil {
			t.Error("the sweep finds:", err, diff)
		}
	}
	fx := newFixture(t, "a Sent 0/2", "b Sent 0/1")
	fx.task = fx.limitedTo(1)
	fx.wants(batch("m1 b/1"), increment.Output{Counted: 1, Collections: keys("b")})
	fx.WantNotLogged("left to the sweep")
}

// registrations records the correlation ids of runs that are registered from now on.
func (fx *fixture) registrations() *[]string {
	registered := &[]string{}
	fx.DB.After = func(call tabletest.Call) error {
		if call.Operation == "Update" && call.Refs[0].Partition == "run" {
			*registered = append(*registered, call.Refs[0].Sort)
		}
		return nil
	}
	return registered
}

func TestRunIsRegisteredOnceAProcess(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/9", "b Sent 0/9", "run-2:a Sent 0/9")
	registered := fx.registrations()
	count := func(event json.RawMessage, want ...string) {
		t.Helper()
		_, err := handle(t.Context(), fx.task, event)
		if diff := cmp.Diff(want, *registered, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("registered: %v %s", err, diff)
		}
		*registered = nil
	}
	count(batch("m0 unknown/1"))
	count(batch("m1 a/1", "m2 b/1"), "run-1")
	count(batch("m3 a/2", "m4 run-2:a/1"), "run-2")
	count(batch("m5 run-2:a/2"))
	fx.task = fx.limitedTo(0) // of another process
	count(batch("m6 a/3"), "run-1")
	state, err := fx.Store.Run(t.Context(), "run-1")
	if err != nil || state.Run.SnapshotType != "full" || state.Run.ExportDate != "2020-01-01" ||
		state.Run.Hints[snapshot.AllReceived].Collection != "a" {
		t.Errorf("registered as %+v, %v", state.Run, err)
	}
}

// A process caches the last thousand runs.
func TestAProcessRemembersAThousandRuns(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	registered := fx.registrations()
	count := func(run, want int) {
		t.Helper()
		fx.Put(fmt.Sprintf("many-%d:a Sent 0/9", run))
		_, err := handle(t.Context(), fx.task, batch(fmt.Sprintf("m%d many-%d:a/1", run, run)))
		if err != nil || len(*registered) != want {
			t.Fatalf("run %d: %v, %d registrations, want %d", run, err, len(*registered), want)
		}
	}
	for run := range 1000 {
		count(run, run+1)
	}
	count(0, 1000)
	count(1000, 1001)
	count(0, 1002)
}
