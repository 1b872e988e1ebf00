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
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

const (
	claimer = Execution + "/a"
	other   = "another-execution/a"
)

func request(attempt int64) []snapshot.Debt {
	return []snapshot.Debt{{Kind: snapshot.SuccessFileRequest, CollectionKey: Key("a"), Attempt: attempt}}
}

func deliver(t *testing.T, w *World, attempt int64) {
	t.Helper()
	if err := w.Debts().Delivered(t.Context(), request(attempt)[0]); err != nil {
		t.Fatal(err)
	}
}

func file(identity string) string  { return Message(identity, Body("a", identity)) }
func successFile(id string) string { return Message(id, Body("a", "s", SuccessFile)) }

func TestHandle(t *testing.T) {
	t.Parallel()
	const waiting, run, owed = checkcollection.Waiting, checkcollection.RunMayMove, checkcollection.RequestOwed
	for _, test := range []struct {
		name    string
		given   func(*testing.T, *World)
		verdict checkcollection.Verdict
		owed    []snapshot.Debt
		after   string // row
	}{
		{"no row", func(*testing.T, *World) {}, waiting, nil, ""},
		{"files are missing", func(_ *testing.T, w *World) { w.Put("a", Sent(2)); w.Count(file("m1")) }, waiting, nil, "Sent 1/2"},
		{"no files", func(_ *testing.T, w *World) { w.Put("a", Sent(0)) }, waiting, nil, "Sent 0/0"},
		{"all files, but Sent is not written yet", func(_ *testing.T, w *World) {
			w.Put("a", Sent(1))
			w.Count(file("m1"))
			w.Change("a", table.Item{"CollectionStatus": "Exported"})
		}, waiting, nil, "Exported 1/1"},
		{"all files", func(_ *testing.T, w *World) { w.Put("a", Sent(1)); w.Count(file("m1")) }, owed, request(0), "Received 1/1"},
		{"all files, in capitals", func(_ *testing.T, w *World) {
			w.Put("a", Sent(1))
			w.Change("a", table.Item{"CollectionStatus": "SENT"})
			w.Count(file("m1"))
		}, owed, request(0), "RECEIVED 1/1"},
		{"more than all files", func(_ *testing.T, w *World) { w.Put("a", Sent(1)); w.Count(file("m1"), file("m2")) }, owed, request(0), "Received 2/1"},
		{"a row that was not brought up to date", func(t *testing.T, w *World) {
			w.Put("a", Sent(2))
			w.Count(file("m1"), file("m2"))
			w.Change("a", table.Item{"FilesReceived": int64(1), "FilesCounted": int64(1)})
		}, owed, request(0), "Received 2/2"},
		{"a success file that came too early waits", func(_ *testing.T, w *World) { w.Put("a", Sent(2)); w.Count(file("m1"), successFile("s")) }, waiting, nil, "Sent 1/2"},
		{"a success file that came early: both moves, and still the request", func(_ *testing.T, w *World) { w.Put("a", Sent(1)); w.Count(successFile("s"), file("m1")) }, owed, request(0), "Success 1/1"},
		{"a success file after the request", func(t *testing.T, w *World) {
			w.Receive("a", other)
			deliver(t, w, 0)
			w.Count(successFile("s"))
		}, run, nil, "Success 1/1"},
		{"another is asking", func(_ *testing.T, w *World) { w.Receive("a", other) }, run, nil, "Received 1/1"},
		{"another died asking", func(_ *testing.T, w *World) { w.Receive("a", other); w.Now = w.Now.Add(snapshot.Lease) }, owed, request(0), "Received 1/1"},
		{"another's lease is not over", func(_ *testing.T, w *World) { w.Receive("a", other); w.Now = w.Now.Add(snapshot.Lease - time.Second) }, run, nil, "Received 1/1"},
		{"asked", func(t *testing.T, w *World) { w.Receive("a", other); deliver(t, w, 0) }, run, nil, "Received 1/1"},
		{"we are asking, and the task runs again", func(_ *testing.T, w *World) { w.Receive("a", claimer) }, owed, request(0), "Received 1/1"},
		{"we asked, and the task runs again", func(t *testing.T, w *World) { w.Receive("a", claimer); deliver(t, w, 0) }, run, nil, "Received 1/1"},
		{"Sent written over Received: moved again without a request", func(t *testing.T, w *World) {
			w.Receive("a", other)
			deliver(t, w, 0)
			w.Change("a", table.Item{"CollectionStatus": "Sent"})
		}, run, nil, "Received 1/1"},
		{"exported again: another attempt, another request", func(t *testing.T, w *World) {
			w.Receive("a", other)
			deliver(t, w, 0)
			w.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			w.Count(file("m2"))
		}, owed, request(1), "Received 1/1"},
		{"a success file of an earlier attempt", func(t *testing.T, w *World) {
			w.Receive("a", other)
			w.Count(successFile("s"))
			deliver(t, w, 0)
			w.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			w.Count(file("m2"))
		}, owed, request(1), "Received 1/1"},
		{"received by the sender itself, without files", func(_ *testing.T, w *World) {
			w.Put("a", table.Item{"CollectionStatus": "Received", "FilesSent": int64(0), "FilesReceived": int64(0)})
		}, run, nil, "Received 0/0"},
		{"successful", func(_ *testing.T, w *World) {
			w.Put("a", table.Item{"CollectionStatus": "SUCCESS", "FilesSent": int64(1), "FilesReceived": int64(1)})
		}, run, nil, "SUCCESS 1/1"},
		{"exempt: done as far as the run goes", func(_ *testing.T, w *World) {
			w.Put("a", table.Item{"CollectionStatus": "TABLE_UNAVAILABLE"})
		}, run, nil, "TABLE_UNAVAILABLE -/-"},
		{"blocked", func(_ *testing.T, w *World) {
			w.Receive("a", other)
			w.Change("a", table.Item{"CollectionStatus": "Blocked_Topic"})
		}, waiting, nil, "Blocked_Topic 1/1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := New(t)
			test.given(t, w)
			task := checkcollection.New(w.Looker(), []snapshot.Status{"Table_Unavailable"}, w.Log)
			want := checkcollection.Output{Verdict: test.verdict, Claimer: claimer, Owed: []snapshot.Debt{}, CollectionKey: Key("a")}
			if test.owed != nil {
				want.Owed = test.owed
			}
			for range 2 { // repeated by the same execution, it says the same
				got, err := task.Handle(t.Context(), checkcollection.Input{ExecutionID: Execution, CollectionKey: Key("a")})
				if err != nil {
					t.Fatal(err)
				}
				if shown := fmt.Sprintf("%s %d/%d", got.Status, got.FilesReceived, got.FilesSent); shown != test.after && test.after != "" && !strings.HasSuffix(test.after, "-/-") {
					t.Errorf("shows %q, want %q", shown, test.after)
				}
				want.Status, want.FilesReceived, want.FilesSent = got.Status, got.FilesReceived, got.FilesSent
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				if got := w.Row("a"); got != test.after {
					t.Errorf("row: %q, want %q", got, test.after)
				}
			}
		})
	}
}

// A look that a person asked for may lack its names.
func TestLookWithoutNames(t *testing.T) {
	t.Parallel()
	w := New(t)
	for _, key := range []snapshot.CollectionKey{{}, {CorrelationID: Run}, {CollectionName: "a"}} {
		_, err := checkcollection.New(w.Looker(), nil, w.Log).Handle(t.Context(), checkcollection.Input{ExecutionID: Execution, CollectionKey: key})
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) {
			t.Errorf("%+v: got %v, want Malformed", key, err)
		}
	}
}

// What the state machine passes in and gets back, to the letter.
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
		{"waiting", 2, `{"verdict":"WAITING","claimer":"` + Execution + `/db.a.b","owed":[],"correlation_id":"run-1","collection_name":"db.a.b","status":"Sent","files_received":1,"files_sent":2}`},
		{"request owed", 1, `{"verdict":"REQUEST_OWED","claimer":"` + Execution + `/db.a.b","owed":[{"kind":"SUCCESS_FILE_REQUEST","correlation_id":"run-1","collection_name":"db.a.b","attempt":0}],` +
			`"correlation_id":"run-1","collection_name":"db.a.b","status":"Received","files_received":1,"files_sent":1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := New(t)
			w.Put("db.a.b", Sent(test.sent))
			w.Count(Message("m1", Body("db.a.b", "f")))
			var in checkcollection.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			out, err := checkcollection.New(w.Looker(), nil, w.Log).Handle(t.Context(), in)
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

// Of many that look at the same moment, one asks.
func TestOneOfManyAsks(t *testing.T) {
	t.Parallel()
	w := New(t)
	w.Put("a", Sent(1))
	w.Count(file("m1"))
	task := checkcollection.New(w.Looker(), nil, w.Log)
	verdicts := make(chan checkcollection.Verdict)
	const executions = 20
	for i := range executions {
		go func() {
			out, err := task.Handle(t.Context(), checkcollection.Input{ExecutionID: string(rune('a' + i)), CollectionKey: Key("a")})
			if err != nil {
				t.Error(err)
			}
			verdicts <- out.Verdict
		}()
	}
	got := map[checkcollection.Verdict]int{}
	for range executions {
		got[<-verdicts]++
	}
	want := map[checkcollection.Verdict]int{checkcollection.RequestOwed: 1, checkcollection.RunMayMove: executions - 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedRow(t *testing.T) {
	t.Parallel()
	w := New(t)
	w.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
	_, err := checkcollection.New(w.Looker(), nil, w.Log).Handle(t.Context(), checkcollection.Input{ExecutionID: Execution, CollectionKey: Key("a")})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "FilesSent") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}

// The request's claim survives the loss of its answer: the task that runs again recognises it as its own.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	errLost := errors.New("the answer is lost")
	w := New(t)
	w.Put("a", Sent(1))
	w.Count(file("m1"))
	task := checkcollection.New(w.Looker(), nil, w.Log)
	w.DB.After = func(op string, _ ...table.Ref) error {
		if op == "Update" {
			return errLost
		}
		return nil
	}
	in := checkcollection.Input{ExecutionID: Execution, CollectionKey: Key("a")}
	for range 2 { // the move, the claim
		if _, err := task.Handle(t.Context(), in); !errors.Is(err, errLost) {
			t.Fatalf("got %v", err)
		}
	}
	got, err := task.Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(request(0), got.Owed); diff != "" {
		t.Error(diff)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	w := New(t)
	w.Put("a", Sent(1))
	w.Count(file("m1"))
	if _, err := checkcollection.New(w.Looker(), nil, w.Log).Handle(t.Context(), checkcollection.Input{ExecutionID: Execution, CollectionKey: Key("a")}); err != nil {
		t.Fatal(err)
	}
	lines := w.Logged("checked collection")
	if len(lines) != 1 {
		t.Fatalf("logged %s", w.LogText())
	}
	for key, want := range map[string]any{"correlation_id": Run, "collection_name": "a", "verdict": "REQUEST_OWED", "status": "Received", "files_received": 1.0, "files_sent": 1.0} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
