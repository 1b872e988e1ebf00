package checkall_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkall "snapshot-status-checker/functions/check-all"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
)

const owner = tasktest.Execution + "/a"

func notifications(kinds ...snapshot.Kind) []snapshot.Outgoing {
	pending := []snapshot.Outgoing{}
	for _, kind := range kinds {
		pending = append(pending, snapshot.Run{CorrelationID: tasktest.Run}.Outgoing(kind, 0))
	}
	return pending
}

// register registers the run, with rows a, b, c … in these statuses.
func register(t *testing.T, ts *tasktest.Tables, statuses ...string) {
	t.Helper()
	for i, status := range statuses {
		ts.Put(string(rune('a'+i)) + " " + status + " 1/1")
	}
	export := snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"}
	if err := ts.Store.RegisterRun(t.Context(), snapshot.Row{CollectionKey: tasktest.Key("a"), Status: "Sent"},
		export); err != nil {
		t.Fatal(err)
	}
}

// check checks the run for these notifications after a was reconciled.
func check(ctx context.Context, ts *tasktest.Tables, kinds ...snapshot.Kind) (checkall.Output, error) {
	return checkall.New(ts.Store, ts.Log).Handle(ctx, checkall.Input{CollectionKey: tasktest.Key("a"), Owner: owner,
		Moved: true, Notifications: kinds})
}

func TestHandle(t *testing.T) {
	t.Parallel()
	both := snapshot.Notifications
	for _, test := range []struct {
		name     string
		statuses []string // of a, b, c …
		others   bool     // another owner delivers what is pending
		pending  []snapshot.Outgoing
		blocker  string
	}{
		{"a run without rows", nil, false, nil, ""},
		{"the last page blocks", []string{"Success", "Success", "Success", "Success", "Sent"}, false, nil, "e"},
		{"all received", []string{"SUCCESS", "RECEIVED", "Success"}, false, notifications(snapshot.AllReceived), "b"},
		{"all successful or exempt: both notifications", []string{"Success", "TABLE_UNAVAILABLE"}, false,
			notifications(both...), ""},
		{"another delivers them", []string{"Success"}, true, nil, ""},
	} {
		ts := tasktest.New(t, "Table_Unavailable")
		register(t, ts, test.statuses...)
		if test.others {
			ts.Check("a", "other", both...)
		}
		want := checkall.Output{Outcome: checkall.RunIncomplete, Owner: owner, Pending: notifications(),
			Blocker: test.blocker}
		if test.pending != nil {
			want.Outcome, want.Pending = checkall.NotificationPending, test.pending
		}
		for range 2 { // repeated by the same owner, it says the same
			got, err := check(t.Context(), ts, both...)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %s", test.name, err, diff)
			}
		}
	}
}

// Only the notifications of the input are checked.
func TestHandleChecksTheInputsNotifications(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	register(t, ts, "Success")
	for _, asked := range [][]snapshot.Kind{nil, {snapshot.AllReceived}} {
		out, err := check(t.Context(), ts, asked...)
		if diff := cmp.Diff(notifications(asked...), out.Pending); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"Sent": `{"outcome":"RUN_INCOMPLETE","owner":"` + tasktest.Execution + `/db.a.b","pending":[],"blocker":"a"}`,
		"Success": `{"outcome":"NOTIFICATION_PENDING","owner":"` + tasktest.Execution + `/db.a.b","pending":[` +
			`{"kind":"ALL_RECEIVED","correlation_id":"run-1","collection_name":"","version":0},` +
			`{"kind":"ALL_SUCCESSFUL","correlation_id":"run-1","collection_name":"","version":0}]}`,
	} {
		ts := tasktest.New(t)
		register(t, ts, status)
		if diff := cmp.Diff(want, tasktest.Invoke(t, checkall.New(ts.Store, ts.Log).Handle)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMalformedRow(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	register(t, ts, "Received")
	ts.Put("b Sent -/three")
	_, err := check(t.Context(), ts, snapshot.Notifications...)
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "FilesSent") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	register(t, ts, "Success", "Blocked_Topic")
	ts.Counted(func(ctx context.Context) {
		if _, err := check(ctx, ts, snapshot.Notifications...); err != nil {
			t.Error(err)
		}
	})
	names := tasktest.Fields{"execution_id": tasktest.Execution, "correlation_id": tasktest.Run}
	names["outcome"], names["blocker"] = "RUN_INCOMPLETE", "b"
	ts.WantLogged("checked run", names)
}
