package checkcollection_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// Of concurrent reconciliations, one delivers the request.
func TestOneOfManyRequests(t *testing.T) {
	t.Parallel()
	w := tasktest.New(t)
	w.Put("a", tasktest.Sent(1))
	w.Count(file("m1"))
	task := checkcollection.New(w.Store, w.Log)
	outcomes := make(chan checkcollection.Outcome)
	const executions = 20
	for i := range executions {
		go func() {
			out, err := task.Handle(t.Context(), checkcollection.Input{ExecutionID: string(rune('a' + i)),
				CollectionKey: tasktest.Key("a")})
			if err != nil {
				t.Error(err)
			}
			outcomes <- out.Outcome
		}()
	}
	got := map[checkcollection.Outcome]int{}
	for range executions {
		got[<-outcomes]++
	}
	want := map[checkcollection.Outcome]int{checkcollection.RequestPending: 1, checkcollection.CheckRun: executions - 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A deleted row that is the blocker lets its run be checked.
func TestADeletedRow(t *testing.T) {
	t.Parallel()
	w := tasktest.New(t)
	w.Put("a", tasktest.Sent(2))
	w.Count(file("m1"))
	w.Put("a", nil)
	out, err := checkcollection.New(w.Store, w.Log).Handle(t.Context(),
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
	w := tasktest.New(t)
	w.Put("a", table.Item{"CollectionStatus": "Sent", "FilesSent": "three"})
	_, err := checkcollection.New(w.Store, w.Log).Handle(t.Context(),
		checkcollection.Input{ExecutionID: tasktest.Execution,
			CollectionKey: tasktest.Key("a")})
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "FilesSent") {
		t.Errorf("got %v, want Malformed and the attribute's name", err)
	}
}

// After any lost answer, the retried task finds the request as its own.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	errLost := errors.New("the answer is lost")
	w := tasktest.New(t)
	w.Put("a", tasktest.Sent(1))
	w.Count(file("m1"))
	task := checkcollection.New(w.Store, w.Log)
	w.DB.After = func(call tabletest.Call) error {
		if call.Operation == "Update" {
			return errLost
		}
		return nil
	}
	in := checkcollection.Input{ExecutionID: tasktest.Execution, CollectionKey: tasktest.Key("a")}
	for range 2 { // the request, the move
		if _, err := task.Handle(t.Context(), in); !errors.Is(err, errLost) {
			t.Fatalf("got %v", err)
		}
	}
	got, err := task.Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(request(0), got.Pending); diff != "" {
		t.Error(diff)
	}
}
