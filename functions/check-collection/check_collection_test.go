package checkcollection_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

const (
	owner = tasktest.Execution + "/a"
	other = "another-execution/a"
)

// reconcile reconciles the collection a.
func reconcile(ctx context.Context, ts *tasktest.Tables) (checkcollection.Output, error) {
	return checkcollection.New(ts.Store, ts.Log).Handle(ctx,
		checkcollection.Input{ExecutionID: tasktest.Execution, CollectionKey: tasktest.Key("a")})
}

// counted puts a row and counts messages.
func counted(row string, messages ...string) func(*tasktest.Tables) {
	return func(ts *tasktest.Tables) {
		ts.Put(row)
		ts.Count(messages...)
	}
}

// tables are tables with these steps done.
func tables(t *testing.T, steps ...func(*tasktest.Tables)) *tasktest.Tables {
	ts := tasktest.New(t, "Table_Unavailable")
	for _, step := range steps {
		step(ts)
	}
	return ts
}

func TestHandle(t *testing.T) {
	t.Parallel()
	const incomplete, checkRun, requestPending = checkcollection.Incomplete, checkcollection.CheckRun,
		checkcollection.RequestPending
	type sums = map[string]float64
	none, first, both := []snapshot.Kind{}, snapshot.Notifications[:1], snapshot.Notifications
	type steps = []func(*tasktest.Tables)
	received := func(owner string) func(*tasktest.Tables) {
		return func(ts *tasktest.Tables) { ts.Receive("a", owner) }
	}
	deliver := func(ts *tasktest.Tables) { ts.Deliver(other, tasktest.Request("a")) }
	for _, test := range []struct {
		name    string
		given   steps
		outcome checkcollection.Outcome
		epoch   int64 // of the request, if it is pending
		check   []snapshot.Kind
		after   string // row
		moves   sums   // the metrics of the moves by this call, nil without a move
	}{
		{"files are missing", steps{counted("a Sent 0/2", "m1 a/1")}, incomplete, 0, none, "a Sent 1/2", nil},
		{"all files", steps{counted("a SENT 0/1", "m1 a/1")}, requestPending, 0, first, "a RECEIVED 1/1",
			sums{"CollectionsReceived": 1}},
		{"an early success file: both moves, and the request", steps{counted("a Sent 0/1", "s a/_success", "m1 a/1")},
			requestPending, 0, both, "a Success 1/1", sums{"CollectionsReceived": 1, "CollectionsSuccessful": 1}},
		{"a success file after the request", steps{received(other), deliver, func(ts *tasktest.Tables) {
			ts.Count("s a/_success")
		}}, checkRun, 0, both, "a Success 1/1", sums{"CollectionsSuccessful": 1}},
		{"another's lease has ended", steps{received(other), func(ts *tasktest.Tables) {
			ts.Now = ts.Now.Add(store.DefaultLease)
		}}, requestPending, 0, first, "a Received 1/1", nil},
		{"we deliver it, and the task runs again", steps{received(owner)}, requestPending, 0, first, "a Received 1/1",
			nil},
		{"Sent written over Received: moved again without a request", steps{received(other), deliver,
			func(ts *tasktest.Tables) { ts.Change("a Sent -/-") }}, checkRun, 0, first, "a Received 1/1", sums{}},
		{"exported again: another epoch, another request", steps{received(other), deliver, func(ts *tasktest.Tables) {
			ts.Change("a Sent 0/-")
			ts.Count("m2 a/1")
		}}, requestPending, 1, first, "a Received 1/1", sums{"CollectionsReceived": 1}},
		{"successful", steps{counted("a SUCCESS 1/1")}, checkRun, 0, both, "a SUCCESS 1/1", nil},
		{"exempt: done as far as the run goes", steps{counted("a TABLE_UNAVAILABLE 0/0")}, checkRun, 0, both,
			"a TABLE_UNAVAILABLE 0/0", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ts := tables(t, test.given...)
			want := checkcollection.Output{Outcome: test.outcome, Owner: owner, Pending: []snapshot.Outgoing{},
				CollectionKey: tasktest.Key("a"), Moved: test.moves != nil, Notifications: test.check}
			if test.outcome == requestPending {
				want.Pending = []snapshot.Outgoing{tasktest.Request("a")}
				want.Pending[0].Version = test.epoch
			}
			moves := test.moves
			for range 2 { // repeated by the same execution, it says the same but for what that call moved
				var got checkcollection.Output
				measured := ts.Counted(func(ctx context.Context) {
					var err error
					if got, err = reconcile(ctx, ts); err != nil {
						t.Error(err)
					}
				})
				if diff := cmp.Diff(moves, measured, cmpopts.EquateEmpty()); diff != "" {
					t.Error("metrics:", diff)
				}
				shown := fmt.Sprintf("a %s %d/%d", got.Status, got.FilesReceived, got.FilesSent)
				if shown != test.after {
					t.Errorf("shows %q, want %q", shown, test.after)
				}
				want.Status, want.FilesReceived, want.FilesSent = got.Status, got.FilesReceived, got.FilesSent
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				ts.WantRows(test.after)
				want.Moved, moves = false, nil
			}
		})
	}
}

// A request to reconcile without names is malformed.
func TestHandleWithoutNames(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	for _, key := range []snapshot.CollectionKey{{CorrelationID: tasktest.Run}, {CollectionName: "a"}} {
		_, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(), checkcollection.Input{CollectionKey: key})
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) {
			t.Errorf("%+v: got %v, want Malformed", key, err)
		}
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	const names = `"correlation_id":"run-1","collection_name":"db.a.b"`
	for sent, want := range map[string]string{
		"2": `{"outcome":"COLLECTION_INCOMPLETE","owner":"` + tasktest.Execution + `/db.a.b","pending":[],` + names +
			`,"moved":false,"notifications":[],"status":"Sent","files_received":1,"files_sent":2}`,
		"1": `{"outcome":"REQUEST_PENDING","owner":"` + tasktest.Execution + `/db.a.b",` +
			`"pending":[{"kind":"SUCCESS_FILE_REQUEST",` + names + `,"version":0}],` + names +
			`,"moved":true,"notifications":["ALL_RECEIVED"],"status":"Received","files_received":1,"files_sent":1}`,
	} {
		ts := tables(t, counted("db.a.b Sent 0/"+sent, "m1 db.a.b/f"))
		got := tasktest.Invoke(t, checkcollection.New(ts.Store, ts.Log).Handle)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A move is logged even if the call fails after it; the retry does not log it again.
func TestLog(t *testing.T) {
	t.Parallel()
	ts := tables(t, counted("a Sent 0/1", "m1 a/1"))
	moved := false
	ts.DB.After = func(call tabletest.Call) error {
		moved = moved || call.Operation == "Update" && call.Refs[0].Table == ts.Names.Status.Table
		return nil
	}
	ts.DB.Before = func(tabletest.Call) error {
		if moved {
			return errors.New("no connection")
		}
		return nil
	}
	move := tasktest.Fields{"correlation_id": tasktest.Run, "collection_name": "a", "execution_id": tasktest.Execution,
		"from_status": "Sent", "to_status": "Received", "epoch": 0.0, "level": "INFO"}
	ts.Counted(func(ctx context.Context) {
		if _, err := reconcile(ctx, ts); err == nil {
			t.Error("the call did not fail")
		}
	})
	ts.WantLogged("metrics", tasktest.Fields{"correlation_id": tasktest.Run, "collection_name": "a"})
	ts.WantLogged("moved", move)
	ts.WantNotLogged("checked collection")
	ts.DB.Before = nil
	ts.Counted(func(ctx context.Context) {
		if _, err := reconcile(ctx, ts); err != nil {
			t.Error(err)
		}
	})
	ts.WantLogged("moved", move)
	ts.WantLogged("checked collection", tasktest.Fields{"correlation_id": tasktest.Run, "collection_name": "a",
		"execution_id": tasktest.Execution, "outcome": "REQUEST_PENDING", "status": "Received", "epoch": 0.0,
		"files_received": 1.0, "files_sent": 1.0})
}

// A deleted row that is the blocker lets its run be checked.
func TestADeletedRow(t *testing.T) {
	t.Parallel()
	ts := tables(t, counted("a Sent 0/2", "m1 a/1"))
	ts.Delete("a")
	want := checkcollection.Output{Outcome: checkcollection.CheckRun, Owner: owner, Pending: []snapshot.Outgoing{},
		CollectionKey: tasktest.Key("a"), Notifications: snapshot.Notifications}
	out, err := reconcile(t.Context(), ts)
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// After another system's write, the reconciliation reads again.
func TestMetricsOfContention(t *testing.T) {
	t.Parallel()
	ts := tables(t, counted("a Sent 0/1", "m1 a/1"))
	times := 2
	ts.DB.Before = func(call tabletest.Call) error {
		if call.Operation == "Update" && times > 0 {
			times--
			return table.ErrConditionFailed
		}
		return nil
	}
	got := ts.Counted(func(ctx context.Context) {
		if _, err := reconcile(ctx, ts); err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff(map[string]float64{"CollectionsReceived": 1, "ContentionRetries": 2}, got); diff != "" {
		t.Error(diff)
	}
}
