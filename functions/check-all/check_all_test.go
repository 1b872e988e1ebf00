package checkall_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkall "snapshot-status-checker/functions/check-all"
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

const claimer = Execution + "/a"

func news(attempts int64, kinds ...snapshot.DebtKind) []snapshot.Debt {
	owed := []snapshot.Debt{}
	for _, kind := range kinds {
		owed = append(owed, snapshot.Debt{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: Run}, Attempt: attempts})
	}
	return owed
}

// statuses writes rows of the collections a, b, c … and makes the run known.
func statuses(t *testing.T, w *World, of ...string) {
	t.Helper()
	for i, status := range of {
		w.Put(string(rune('a'+i)), table.Item{"CollectionStatus": status, "FilesSent": int64(1), "FilesReceived": int64(1), "FilesCounted": int64(1)})
	}
	if err := w.Counter().RegisterRun(t.Context(), Run, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"}); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, w *World, claimer string, exempt ...snapshot.Status) checkall.Output {
	t.Helper()
	out, err := checkall.New(w.Runs(exempt...), w.Log).Handle(t.Context(), checkall.Input{CorrelationID: Run, Claimer: claimer})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHandle(t *testing.T) {
	t.Parallel()
	received, successful := snapshot.AllReceived, snapshot.AllSuccessful
	deliver := func(t *testing.T, w *World, owed []snapshot.Debt) {
		for _, debt := range owed {
			if err := w.Debts().Delivered(t.Context(), debt); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name    string
		given   func(*testing.T, *World)
		exempt  []snapshot.Status
		owed    []snapshot.Debt
		blocker string
	}{
		{"a run without rows", func(t *testing.T, w *World) { statuses(t, w) }, nil, nil, ""},
		{"a run that no message was counted for", func(_ *testing.T, w *World) { w.Put("a", table.Item{"CollectionStatus": "Received"}) }, nil, nil, ""},
		{"one is not received: it blocks more than one that is not successful", func(t *testing.T, w *World) { statuses(t, w, "Received", "Sent", "Exported") }, nil, nil, "b"},
		{"the last page blocks", func(t *testing.T, w *World) { statuses(t, w, "Success", "Success", "Success", "Success", "Sent") }, nil, nil, "e"},
		{"all received", func(t *testing.T, w *World) { statuses(t, w, "Received", "Received", "Received") }, nil, news(0, received), "a"},
		{"all received, in capitals", func(t *testing.T, w *World) { statuses(t, w, "RECEIVED", "RECEIVED") }, nil, news(0, received), "a"},
		{"received or further", func(t *testing.T, w *World) { statuses(t, w, "Success", "Received", "SUCCESS") }, nil, news(0, received), "b"},
		{"all successful at once: both pieces of news", func(t *testing.T, w *World) { statuses(t, w, "Success", "SUCCESS") }, nil, news(0, received, successful), ""},
		{"one that never finishes blocks", func(t *testing.T, w *World) { statuses(t, w, "Success", "Blocked_Topic") }, nil, nil, "b"},
		{"unless it is exempt", func(t *testing.T, w *World) { statuses(t, w, "Success", "BLOCKED_TOPIC") }, []snapshot.Status{"Blocked_Topic"}, news(0, received, successful), ""},
		{"another is telling", func(t *testing.T, w *World) { statuses(t, w, "Received"); check(t, w, "other") }, nil, nil, "a"},
		{"another died telling", func(t *testing.T, w *World) {
			statuses(t, w, "Received")
			check(t, w, "other")
			w.Now = w.Now.Add(snapshot.Lease)
		}, nil, news(0, received), "a"},
		{"we are telling, and the task runs again", func(t *testing.T, w *World) { statuses(t, w, "Received"); check(t, w, claimer) }, nil, news(0, received), "a"},
		{"told", func(t *testing.T, w *World) { statuses(t, w, "Received"); deliver(t, w, check(t, w, "other").Owed) }, nil, nil, "a"},
		{"the one told, the other not", func(t *testing.T, w *World) {
			statuses(t, w, "Received")
			deliver(t, w, check(t, w, "other").Owed)
			w.Change("a", table.Item{"CollectionStatus": "Success"})
		}, nil, news(0, successful), ""},
		{"a regression repeats nothing", func(t *testing.T, w *World) {
			statuses(t, w, "Received")
			deliver(t, w, check(t, w, "other").Owed)
			w.Change("a", table.Item{"CollectionStatus": "Sent"})
			check(t, w, "other")
			w.Change("a", table.Item{"CollectionStatus": "Received"})
		}, nil, nil, "a"},
		{"another attempt is told again", func(t *testing.T, w *World) {
			w.Receive("a", "other")
			statuses(t, w, "Received")
			deliver(t, w, check(t, w, "other").Owed)
			w.Change("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
			w.Count(Message("a-2", Body("a", "again")))
			w.Look("a", "third")
		}, nil, news(1, received), "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := New(t)
			w.DB.PageSize = 2
			test.given(t, w)
			want := checkall.Output{Verdict: checkall.NoNews, Claimer: claimer, Owed: news(0), Blocker: test.blocker}
			if test.owed != nil {
				want.Verdict, want.Owed = checkall.NewsOwed, test.owed
			}
			for range 2 { // repeated by the same claimer, it says the same
				if diff := cmp.Diff(want, check(t, w, claimer, test.exempt...)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// What the state machine passes in and gets back, to the letter.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]string{
		"Sent": `{"verdict":"NO_NEWS","claimer":"` + Execution + `/db.a.b","owed":[],"blocker":"a"}`,
		"Success": `{"verdict":"NEWS_OWED","claimer":"` + Execution + `/db.a.b","owed":[` +
			`{"kind":"ALL_RECEIVED","correlation_id":"run-1","collection_name":"","attempt":0},{"kind":"ALL_SUCCESSFUL","correlation_id":"run-1","collection_name":"","attempt":0}]}`,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w := New(t)
			statuses(t, w, status)
			var in checkall.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			out, err := checkall.New(w.Runs(), w.Log).Handle(t.Context(), in)
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

// Of many that see the run complete at the same moment, one tells each piece of news.
func TestOneOfManyTells(t *testing.T) {
	t.Parallel()
	w := New(t)
	statuses(t, w, "Success", "Success")
	task := checkall.New(w.Runs(), w.Log)
	const executions = 20
	owed := make(chan []snapshot.Debt)
	for i := range executions {
		go func() {
			out, err := task.Handle(t.Context(), checkall.Input{CorrelationID: Run, Claimer: fmt.Sprint(i)})
			if err != nil {
				t.Error(err)
			}
			owed <- out.Owed
		}()
	}
	told := map[snapshot.DebtKind]int{}
	for range executions {
		for _, debt := range <-owed {
			told[debt.Kind]++
		}
	}
	if diff := cmp.Diff(map[snapshot.DebtKind]int{snapshot.AllReceived: 1, snapshot.AllSuccessful: 1}, told); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedRow(t *testing.T) {
	t.Parallel()
	w := New(t)
	statuses(t, w, "Received")
	w.Put("b", table.Item{"CollectionStatus": int64(1)})
	_, err := checkall.New(w.Runs(), w.Log).Handle(t.Context(), checkall.Input{CorrelationID: Run, Claimer: claimer})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "CollectionStatus") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	w := New(t)
	statuses(t, w, "Success", "Blocked_Topic")
	check(t, w, claimer)
	lines := w.Logged("checked run")
	if len(lines) != 1 {
		t.Fatalf("logged %s", w.LogText())
	}
	for key, want := range map[string]any{"correlation_id": Run, "verdict": "NO_NEWS", "blocker": "b", "blocker_status": "Blocked_Topic"} {
		if lines[0][key] != want {
			t.Errorf("%s is %v, want %v", key, lines[0][key], want)
		}
	}
}
