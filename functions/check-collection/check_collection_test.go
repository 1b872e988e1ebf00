package checkcollection_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

const (
	owner = tasktest.Execution + "/a"
	other = "another-execution/a"
)

func request(epoch int64) []snapshot.Outgoing {
	return []snapshot.Outgoing{{Kind: snapshot.SuccessFileRequest, CollectionKey: tasktest.Key("a"), Version: epoch}}
}

func file(identity string) string { return tasktest.Message(identity, tasktest.Body("a", identity)) }
func successFile(id string) string {
	return tasktest.Message(id, tasktest.Body("a", "s", tasktest.SuccessFile))
}

func TestHandle(t *testing.T) {
	t.Parallel()
	const waiting, run, pending = checkcollection.Incomplete, checkcollection.CheckRun, checkcollection.RequestPending
	first, both := snapshot.Notifications[:1], snapshot.Notifications
	for _, test := range []struct {
		name    string
		given   func(*tasktest.Tables)
		outcome checkcollection.Outcome
		pending []snapshot.Outgoing
		check   []snapshot.Kind
		moved   bool
		after   string // row
	}{
		{"no row", func(*tasktest.Tables) {}, waiting, nil, nil, false, ""},
		{"files are missing", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(2))
			ts.Count(file("m1"))
		}, waiting, nil, nil, false, "Sent 1/2"},
		{"no files", func(ts *tasktest.Tables) { ts.Put("a", tasktest.Sent(0)) }, waiting, nil, nil, false, "Sent 0/0"},
		{"all files, but Sent is not written yet", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(1))
			ts.Count(file("m1"))
			ts.Change("a", table.Item{"CollectionStatus": "Exported"})
		}, waiting, nil, nil, false, "Exported 1/1"},
		{"all files", func(ts *tasktest.Tables) { ts.Put("a", tasktest.Sent(1)); ts.Count(file("m1")) },
			pending, request(0), first, true, "Received 1/1"},
		{"all files, in capitals", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(1))
			ts.Change("a", table.Item{"CollectionStatus": "SENT"})
			ts.Count(file("m1"))
		}, pending, request(0), first, true, "RECEIVED 1/1"},
		{"more than all files", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(1))
			ts.Count(file("m1"), file("m2"))
		}, pending, request(0), first, true, "Received 2/1"},
		{"a row that was not synced", func(ts *tasktest.Tables) {
			ts.Put("a", tasktest.Sent(2))
			ts.Count(file("m1"), file("m2"))
			ts.Change("a", table.Item{"FilesReceived": int64(1), "SyncedFiles": int64(1)})
		}, pending, request(0), first, true, "Received 2/2"},
		{"an early success file waits",
			func(ts *tasktest.Tables) {
				ts.Put("a", tasktest.Sent(2))
				ts.Count(file("m1"), successFile("s"))
			}, waiting, nil, nil, false, "Sent 1/2"},
		{"an early success file: both moves, and the request",
			func(ts *tasktest.Tables) {
				ts.Put("a", tasktest.Sent(1))
				ts.Count(successFile("s"), file("m1"))
			}, pending, request(0), both, true, "Success 1/1"},
		{"a success file after the request", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Deliver(request(0)[0], other)
			ts.Count(successFile("s"))
		}, run, nil, both, true, "Success 1/1"},
		{"another delivers the request", func(ts *tasktest.Tables) { ts.Receive("a", other) }, run, nil, first, false,
			"Received 1/1"},
		{"another's lease has ended",
			func(ts *tasktest.Tables) {
				ts.Receive("a", other)
				ts.Now = ts.Now.Add(store.DefaultLease)
			}, pending, request(0), first, false, "Received 1/1"},
		{"another's lease is not over", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Now = ts.Now.Add(store.DefaultLease - time.Second)
		}, run, nil, first, false, "Received 1/1"},
		{"requested", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Deliver(request(0)[0], other)
		}, run, nil, first, false, "Received 1/1"},
		{"we deliver it, and the task runs again", func(ts *tasktest.Tables) { ts.Receive("a", owner) }, pending,
			request(0), first, false, "Received 1/1"},
		{"we delivered it, and the task runs again",
			func(ts *tasktest.Tables) { ts.Receive("a", owner); ts.Deliver(request(0)[0], owner) }, run, nil, first,
			false, "Received 1/1"},
		{"Sent written over Received: moved again without a request", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Deliver(request(0)[0], other)
			ts.Change("a", table.Item{"CollectionStatus": "Sent"})
		}, run, nil, first, true, "Received 1/1"},
		{"exported again: another epoch, another request", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Deliver(request(0)[0], other)
			ts.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			ts.Count(file("m2"))
		}, pending, request(1), first, true, "Received 1/1"},
		{"a success file of an earlier epoch", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Count(successFile("s"))
			ts.Deliver(request(0)[0], other)
			ts.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			ts.Count(file("m2"))
		}, pending, request(1), first, true, "Received 1/1"},
		{"received by the sender itself, without files", func(ts *tasktest.Tables) {
			ts.Put("a", table.Item{"CollectionStatus": "Received", "FilesSent": int64(0), "FilesReceived": int64(0)})
		}, run, nil, first, false, "Received 0/0"},
		{"successful", func(ts *tasktest.Tables) {
			ts.Put("a", table.Item{"CollectionStatus": "SUCCESS", "FilesSent": int64(1), "FilesReceived": int64(1)})
		}, run, nil, both, false, "SUCCESS 1/1"},
		{"exempt: done as far as the run goes", func(ts *tasktest.Tables) {
			ts.Put("a", table.Item{"CollectionStatus": "TABLE_UNAVAILABLE"})
		}, run, nil, both, false, "TABLE_UNAVAILABLE -/-"},
		{"blocked", func(ts *tasktest.Tables) {
			ts.Receive("a", other)
			ts.Change("a", table.Item{"CollectionStatus": "Blocked_Topic"})
		}, waiting, nil, nil, false, "Blocked_Topic 1/1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ts := tasktest.New(t, "Table_Unavailable")
			test.given(ts)
			task := checkcollection.New(ts.Store, ts.Log)
			want := checkcollection.Output{Outcome: test.outcome, Owner: owner, Pending: []snapshot.Outgoing{},
				CollectionKey: tasktest.Key("a"),
				Moved:         test.moved, Notifications: []snapshot.Kind{}}
			if test.pending != nil {
				want.Pending = test.pending
			}
			if test.check != nil {
				want.Notifications = test.check
			}
			for range 2 { // repeated by the same execution, it says the same but for what that call moved
				got, err := task.Handle(t.Context(), checkcollection.Input{ExecutionID: tasktest.Execution,
					CollectionKey: tasktest.Key("a")})
				if err != nil {
					t.Fatal(err)
				}
				if shown := fmt.Sprintf("%s %d/%d", got.Status, got.FilesReceived,
					got.FilesSent); shown != test.after && test.after != "" && !strings.HasSuffix(test.after, "-/-") {
					t.Errorf("shows %q, want %q", shown, test.after)
				}
				want.Status, want.FilesReceived, want.FilesSent = got.Status, got.FilesReceived, got.FilesSent
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if got := ts.Row("a"); got != test.after {
					t.Errorf("row: %q, want %q", got, test.after)
				}
				want.Moved = false
			}
		})
	}
}

// A request to reconcile without names is malformed.
func TestHandleWithoutNames(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	for _, key := range []snapshot.CollectionKey{{}, {CorrelationID: tasktest.Run}, {CollectionName: "a"}} {
		_, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(),
			checkcollection.Input{ExecutionID: tasktest.Execution,
				CollectionKey: key})
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) {
			t.Errorf("%+v: got %v, want Malformed", key, err)
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
	for _, test := range []struct {
		name string
		sent int64
		want string
	}{
		{"incomplete", 2, `{"outcome":"COLLECTION_INCOMPLETE","owner":"` + tasktest.Execution +
			`/db.a.b","pending":[],"correlation_id":"run-1","collection_name":"db.a.b",` +
			`"moved":false,"notifications":[],"status":"Sent","files_received":1,"files_sent":2}`},
		{"request pending", 1, `{"outcome":"REQUEST_PENDING","owner":"` + tasktest.Execution +
			`/db.a.b","pending":[{"kind":"SUCCESS_FILE_REQUEST","correlation_id":"run-1","collection_name":"db.a.b",` +
			`"version":0}],` +
			`"correlation_id":"run-1","collection_name":"db.a.b","moved":true,"notifications":["ALL_RECEIVED"],` +
			`"status":"Received","files_received":1,"files_sent":1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ts := tasktest.New(t)
			ts.Put("db.a.b", tasktest.Sent(test.sent))
			ts.Count(tasktest.Message("m1", tasktest.Body("db.a.b", "f")))
			var in checkcollection.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			out, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	ts.Put("a", tasktest.Sent(1))
	ts.Count(file("m1"))
	if _, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(),
		checkcollection.Input{ExecutionID: tasktest.Execution,
			CollectionKey: tasktest.Key("a")}); err != nil {
		t.Fatal(err)
	}
	lines := ts.Logged("checked collection")
	if len(lines) != 1 {
		t.Fatalf("logged %s", ts.LogText())
	}
	for key, want := range map[string]any{"correlation_id": tasktest.Run, "collection_name": "a",
		"outcome": "REQUEST_PENDING",
		"status":  "Received", "epoch": 0.0, "files_received": 1.0, "files_sent": 1.0} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
	wantMoved(t, ts, "Sent", "Received")
}

// A deleted row that is the blocker lets its run be checked.
func TestADeletedRow(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	ts.Put("a", tasktest.Sent(2))
	ts.Count(file("m1"))
	ts.Put("a", nil)
	out, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(),
		checkcollection.Input{ExecutionID: tasktest.Execution,
			CollectionKey: tasktest.Key("a")})
	if err != nil {
		t.Fatal(err)
	}
	want := checkcollection.Output{Outcome: checkcollection.CheckRun, Owner: owner, Pending: []snapshot.Outgoing{},
		CollectionKey: tasktest.Key("a"), Notifications: snapshot.Notifications}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedRow(t *testing.T) {
	t.Parallel()
	ts := tasktest.New(t)
	ts.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
	_, err := checkcollection.New(ts.Store, ts.Log).Handle(t.Context(),
		checkcollection.Input{ExecutionID: tasktest.Execution,
			CollectionKey: tasktest.Key("a")})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "FilesSent") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}
