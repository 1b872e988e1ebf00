package increment_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
)

// Collections beyond the limit of an execution are complete in the tables, and the sweep finds them.
func TestCollectionsBeyondTheLimitAreLeftToTheSweep(t *testing.T) {
	t.Parallel()
	const collections, most = 7, 3
	var messages, names, requested []string
	for i := range collections {
		name := fmt.Sprint("c", i)
		names = append(names, name)
		messages = append(messages, tasktest.Message(name, tasktest.Body(name, "1")))
		requested = append(requested, fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q}`, tasktest.Run, name))
	}
	for name, event := range map[string]json.RawMessage{
		"counted":   tasktest.Batch(messages...),
		"requested": json.RawMessage(`{"reconcile":[` + strings.Join(requested, ",") + `]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			for _, name := range names {
				fx.Put(name, tasktest.Sent(1))
			}
			if name == "requested" {
				fx.Count(messages...)
			}
			got, err := fx.limitedTo(most).Handle(t.Context(), increment.Input{ExecutionID: tasktest.Execution,
				Event: event})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(names[:most]...), got.Collections); diff != "" || got.Left != collections-most {
				t.Errorf("%d left\n%s", got.Left, diff)
			}
			if lines := fx.Logged("left to the sweep"); len(lines) != 1 ||
				lines[0]["collections"] != float64(collections-most) {
				t.Errorf("logged %v", lines)
			}
			for _, key := range got.Collections {
				fx.Reconcile(key.CollectionName, tasktest.Execution+"/"+key.CollectionName)
			}
			runs, err := fx.Store.OpenRuns(t.Context())
			if err != nil || len(runs) != 1 {
				t.Fatal(runs, err)
			}
			found, err := fx.Store.Examine(t.Context(), runs[0], "sweep")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(names[most:]...), found.Reconcile); diff != "" {
				t.Error("the sweep finds:", diff)
			}
		})
	}
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(1))
	for _, most := range []int{0, 1} {
		got, err := fx.limitedTo(most).Handle(t.Context(), increment.Input{ExecutionID: tasktest.Execution,
			Event: tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")))})
		if err != nil || len(got.Collections) != 1 || got.Left != 0 || len(fx.Logged("left to the sweep")) > 0 {
			t.Errorf("with a limit of %d: %+v, %v", most, got, err)
		}
	}
}

func TestRunIsRegisteredOnceAProcess(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	registered := fx.registrations()
	fx.Put("a", tasktest.Sent(9))
	fx.Put("b", tasktest.Sent(9))
	fx.PutAt(fx.Names.Status.At("run-2", "a"), tasktest.Sent(9))
	other := strings.Replace(tasktest.Body("a", "1"), tasktest.Run, "run-2", 1)
	if _, err := fx.handle(t, tasktest.Batch(tasktest.Message("m0", tasktest.Body("unknown", "1")))); err != nil {
		t.Fatal(err)
	}
	if len(registered()) != 0 {
		t.Errorf("registered %q for a collection without a row", registered())
	}
	for _, event := range []json.RawMessage{
		tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
			tasktest.Message("m2", tasktest.Body("b", "1"))),
		tasktest.Batch(tasktest.Message("m3", tasktest.Body("a", "2")), tasktest.Message("m4", other)),
		tasktest.Batch(tasktest.Message("m5", strings.Replace(other, `"1"`, `"2"`, 1))),
	} {
		if _, err := fx.handle(t, event); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{tasktest.Run, "run-2"}, registered()); diff != "" {
		t.Error(diff)
	}
	if _, err := fx.limitedTo(0).Handle(t.Context(),
		increment.Input{Event: tasktest.Batch(tasktest.Message("m6", tasktest.Body("a", "3")))}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{tasktest.Run, "run-2", tasktest.Run}, registered()); diff != "" {
		t.Error("another process:", diff)
	}
	state, err := fx.Store.Run(t.Context(), tasktest.Run)
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
	handle := func(n int) {
		t.Helper()
		id := fmt.Sprint("many-", n)
		fx.PutAt(fx.Names.Status.At(id, "a"), tasktest.Sent(1))
		if _, err := fx.handle(t,
			tasktest.Batch(tasktest.Message(id, strings.Replace(tasktest.Body("a", "1"), tasktest.Run, id,
				1)))); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		handle(n)
	}
	handle(0)
	if got := len(registered()); got != 1000 {
		t.Errorf("%d registrations of a thousand runs", got)
	}
	for n := range 1001 {
		handle(1000 + n)
	}
	handle(0)
	if got := len(registered()); got != 1000+1001+1 {
		t.Errorf("%d registrations, want the first run's again: more than a thousand are remembered", got)
	}
}
