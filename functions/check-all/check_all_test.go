package checkall_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkall "snapshot-status-checker/functions/check-all"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

const owner = tasktest.Execution + "/a"

func notifications(generation int64, kinds ...snapshot.Kind) []snapshot.Outgoing {
	pending := []snapshot.Outgoing{}
	for _, kind := range kinds {
		pending = append(pending, snapshot.Outgoing{Kind: kind,
			CollectionKey: snapshot.CollectionKey{CorrelationID: tasktest.Run}, Version: generation})
	}
	return pending
}

// statuses writes rows of the collections a, b, c … and registers the run.
func statuses(t *testing.T, ts *tasktest.Tables, of ...string) {
	t.Helper()
	for i, status := range of {
		ts.Put(string(rune('a'+i)), table.Item{"CollectionStatus": status, "FilesSent": int64(1),
			"FilesReceived": int64(1)})
	}
	export := snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"}
	if err := ts.Store.RegisterRun(t.Context(), snapshot.Row{CollectionKey: tasktest.Key("a"), Status: "Sent"},
		export); err != nil {
		t.Fatal(err)
	}
}

// check checks the run after a was reconciled.
func check(t *testing.T, ts *tasktest.Tables, owner string) checkall.Output {
	t.Helper()
	out, err := checkall.New(ts.Store, ts.Log).Handle(t.Context(), checkall.Input{CollectionKey: tasktest.Key("a"),
		Owner: owner,
		Moved: true, Notifications: snapshot.Notifications})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHandle(t *testing.T) {
	t.Parallel()
	received, successful := snapshot.AllReceived, snapshot.AllSuccessful
	deliver := func(ts *tasktest.Tables, pending []snapshot.Outgoing, owner string) {
		for _, out := range pending {
			ts.Deliver(out, owner)
		}
	}
	for _, test := range []struct {
		name    string
		given   func(*testing.T, *tasktest.Tables)
		exempt  []snapshot.Status
		pending []snapshot.Outgoing
		blocker string
	}{
		{"a run without rows", func(t *testing.T, ts *tasktest.Tables) { statuses(t, ts) }, nil, nil, ""},
		{"a run that no message was counted for",
			func(_ *testing.T, ts *tasktest.Tables) { ts.Put("a", table.Item{"CollectionStatus": "Received"}) }, nil,
			nil, ""},
		{"one is not received", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success", "Sent", "Success")
		}, nil, nil, "b"},
		{"the last page blocks", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success", "Success", "Success", "Success", "Sent")
		}, nil, nil, "e"},
		{"all received", func(t *testing.T, ts *tasktest.Tables) { statuses(t, ts, "Success", "Received", "Success") },
			nil, notifications(0, received), "b"},
		{"all received, in capitals", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "SUCCESS", "RECEIVED")
		}, nil, notifications(0, received), "b"},
		{"all successful at once: both notifications", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success", "SUCCESS")
		}, nil, notifications(0, received, successful), ""},
		{"one that never finishes blocks", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success", "Blocked_Topic")
		}, nil, nil, "b"},
		{"unless it is exempt", func(t *testing.T, ts *tasktest.Tables) { statuses(t, ts, "Success", "BLOCKED_TOPIC") },
			[]snapshot.Status{"Blocked_Topic"}, notifications(0, received, successful), ""},
		{"another delivers them", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success")
			check(t, ts, "other")
		}, nil, nil, ""},
		{"another's lease has ended", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success")
			check(t, ts, "other")
			ts.Now = ts.Now.Add(store.DefaultLease)
		}, nil, notifications(0, received, successful), ""},
		{"we deliver them, and the task runs again", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success")
			check(t, ts, owner)
		}, nil, notifications(0, received, successful), ""},
		{"delivered", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success")
			deliver(ts, check(t, ts, "other").Pending, "other")
		}, nil, nil, ""},
		{"one is delivered, the other not", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Received")
			deliver(ts, check(t, ts, "other").Pending, "other")
			ts.Change("a", table.Item{"CollectionStatus": "Success"})
		}, nil, notifications(0, successful), ""},
		{"a row that went back and forward repeats nothing", func(t *testing.T, ts *tasktest.Tables) {
			statuses(t, ts, "Success")
			deliver(ts, check(t, ts, "other").Pending, "other")
			ts.Change("a", table.Item{"CollectionStatus": "Sent"})
			check(t, ts, "other")
			ts.Change("a", table.Item{"CollectionStatus": "Success"})
		}, nil, nil, ""},
		{"another export is notified again", func(t *testing.T, ts *tasktest.Tables) {
			ts.Receive("a", "other")
			deliver(ts, check(t, ts, "other").Pending, "other")
			ts.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			ts.Count(tasktest.Message("a-2", tasktest.Body("a", "again")),
				tasktest.Message("a-3", tasktest.Body("a", "success", tasktest.SuccessFile)))
			ts.Reconcile("a", "third")
		}, nil, notifications(1, received, successful), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ts := tasktest.New(t, test.exempt...)
			ts.PageSize(2)
			test.given(t, ts)
			want := checkall.Output{Outcome: checkall.RunIncomplete, Owner: owner, Pending: notifications(0),
				Blocker: test.blocker}
			if test.pending != nil {
				want.Outcome, want.Pending = checkall.NotificationPending, test.pending
			}
			for range 2 { // repeated by the same owner, it says the same
				if diff := cmp.Diff(want, check(t, ts, owner)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Only the notifications of the input are checked.
func TestHandleChecksTheInputsNotifications(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	statuses(t, ts, "Success")
	for _, asked := range [][]snapshot.Kind{nil, {snapshot.AllReceived}} {
		out, err := checkall.New(ts.Store, ts.Log).Handle(t.Context(), checkall.Input{CollectionKey: tasktest.Key("a"),
			Owner: owner, Notifications: asked})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(notifications(0, asked...), out.Pending); diff != "" {
			t.Error(diff)
		}
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]string{
		"Sent": `{"outcome":"RUN_INCOMPLETE","owner":"` + tasktest.Execution + `/db.a.b","pending":[],"blocker":"a"}`,
		"Success": `{"outcome":"NOTIFICATION_PENDING","owner":"` + tasktest.Execution + `/db.a.b","pending":[` +
			`{"kind":"ALL_RECEIVED","correlation_id":"run-1","collection_name":"","version":0},` +
			`{"kind":"ALL_SUCCESSFUL","correlation_id":"run-1","collection_name":"","version":0}]}`,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			ts := tasktest.New(t)
			statuses(t, ts, status)
			var in checkall.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			out, err := checkall.New(ts.Store, ts.Log).Handle(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMalformedRow(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	statuses(t, ts, "Received")
	ts.Put("b", table.Item{"CollectionStatus": int64(1)})
	_, err := checkall.New(ts.Store, ts.Log).Handle(t.Context(), checkall.Input{CollectionKey: tasktest.Key("a"),
		Owner:         owner,
		Notifications: snapshot.Notifications})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "CollectionStatus") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	statuses(t, ts, "Success", "Blocked_Topic")
	ts.Counted(func(ctx context.Context) {
		if _, err := checkall.New(ts.Store, ts.Log).Handle(ctx, checkall.Input{CollectionKey: tasktest.Key("a"),
			Owner:         owner,
			Notifications: snapshot.Notifications}); err != nil {
			t.Error(err)
		}
	})
	lines := ts.Logged("checked run")
	if len(lines) != 1 {
		t.Fatalf("logged %s", ts.LogText())
	}
	for key, want := range map[string]any{"execution_id": tasktest.Execution, "correlation_id": tasktest.Run,
		"outcome": "RUN_INCOMPLETE", "blocker": "b"} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
