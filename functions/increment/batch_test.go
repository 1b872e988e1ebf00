package increment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestConcurrentlyCallsForEachOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 100} {
		var mu sync.Mutex
		called := map[int]int{}
		increment.Concurrently(n, func(i int) {
			mu.Lock()
			defer mu.Unlock()
			called[i]++
		})
		for i := range n {
			if called[i] != 1 || len(called) != n {
				t.Fatalf("of %d, number %d was called %d times: %v", n, i, called[i], called)
			}
		}
	}
}

// Two calls that wait for each other end only if they run concurrently.
func TestConcurrentlyIsConcurrent(t *testing.T) {
	t.Parallel()
	var meeting sync.WaitGroup
	meeting.Add(2)
	increment.Concurrently(2, func(int) {
		meeting.Done()
		meeting.Wait()
	})
}

// The result of a batch does not depend on the order of its collections.
func TestABatchIsCountedConcurrently(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	const collections, files = 30, 3
	var messages, want []string
	for c := range collections {
		name := fmt.Sprintf("c%02d", c)
		fx.Put(name, tasktest.Sent(files))
		for f := range files {
			messages = append(messages, tasktest.Message(fmt.Sprintf("%s-%d", name, f),
				tasktest.Body(name, fmt.Sprint(f))))
		}
		want = append(want, name)
	}
	task := increment.New(fx.Store, fx.rejected, 0, increment.Concurrently, fx.Log)
	got, err := task.Handle(t.Context(), increment.Input{ExecutionID: tasktest.Execution,
		Event: tasktest.Batch(messages...)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys(want...), Counted: collections * files}, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range want {
		if row := fx.Row(name); row != fmt.Sprintf("Sent %d/%d", files, files) {
			t.Errorf("%s stands at %s", name, row)
		}
	}
}

// Of concurrent counts of a collection, the one that writes its row last asks to reconcile it. A redelivery asks too,
// because that execution may have ended.
func TestTheLastSyncAsksToReconcile(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(3))
	fx.Count(tasktest.Message("m0", tasktest.Body("a", "0")))
	meanwhile := false
	fx.DB.Before = func(call tabletest.Call) error {
		if fx.isUpdate("row", "a")(call) && !meanwhile { // the first has counted its file
			meanwhile = true
			got, err := fx.task.Handle(t.Context(), increment.Input{ExecutionID: "second",
				Event: tasktest.Batch(tasktest.Message("m2", tasktest.Body("a", "2")))})
			if err != nil || len(got.Collections) != 1 {
				t.Errorf("the second carries both files into the row: got %+v, %v, want it reconciled", got, err)
			}
		}
		return nil
	}
	first := tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")))
	for _, test := range []struct {
		name        string
		event       json.RawMessage
		collections []snapshot.CollectionKey
	}{{"the first finds it synced", first, keys()}, {"redelivered", first, keys("a")}} {
		got, err := fx.handle(t, test.event)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.collections, got.Collections); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if row := fx.Row("a"); row != "Sent 3/3" {
		t.Errorf("the row stands at %s", row)
	}
}

// Of concurrent counts of the last files, at least one asks to reconcile.
func TestOneOfManyAsksToReconcile(t *testing.T) {
	t.Parallel()
	const files = 20
	fx := newFixture(t)
	fx.Put("a", tasktest.Sent(files))
	asked := make(chan int)
	for i := range files {
		go func() {
			event := tasktest.Batch(tasktest.Message(fmt.Sprint("m", i), tasktest.Body("a", fmt.Sprint(i))))
			got, err := fx.limitedTo(0).Handle(t.Context(), increment.Input{ExecutionID: fmt.Sprint("e", i),
				Event: event})
			if err != nil {
				t.Error(err)
			}
			asked <- len(got.Collections)
		}()
	}
	total := 0
	for range files {
		total += <-asked
	}
	if total == 0 || fx.Row("a") != fmt.Sprintf("Sent %d/%d", files, files) {
		t.Errorf("%d ask, and the row stands at %s", total, fx.Row("a"))
	}
}

// The row is written and the answer is lost: the SDK's retry is refused by its own write, or the call fails and the
// task is retried. Either must ask to reconcile.
func TestALostAnswerStillAsksToReconcile(t *testing.T) {
	t.Parallel()
	errLost := errors.New("the answer is lost")
	event := tasktest.Batch(tasktest.Message("m2", tasktest.Body("a", "2")))
	for name, again := range map[string]bool{"the SDK tries again": true, "the task runs again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(2))
			fx.Count(tasktest.Message("m1", tasktest.Body("a", "1")))
			fx.DB.Before = func(call tabletest.Call) error {
				if !fx.isUpdate("row", "a")(call) {
					return nil
				}
				fx.DB.Before = nil
				if _, err := fx.DB.DB.Update(t.Context(), call.Write); err != nil {
					t.Error(err)
				}
				if again {
					return nil
				}
				return errLost
			}
			got, err := fx.handle(t, event)
			if errors.Is(err, errLost) {
				got, err = fx.handle(t, event)
			}
			if err != nil || len(got.Collections) != 1 {
				t.Errorf("got %+v, %v, want it reconciled", got, err)
			}
		})
	}
}
