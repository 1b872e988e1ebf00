package increment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
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

// A batch over many collections gives the same, in whatever order its collections are worked on.
func TestABatchIsCountedConcurrently(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const collections, files = 30, 3
	var messages, want []string
	for c := range collections {
		name := fmt.Sprintf("c%02d", c)
		b.Put(name, Sent(files))
		for f := range files {
			messages = append(messages, Message(fmt.Sprintf("%s-%d", name, f), Body(name, fmt.Sprint(f))))
		}
		want = append(want, name)
	}
	task := increment.New(b.Store, b.rejected, 0, increment.Concurrently, b.Log)
	got, err := task.Handle(t.Context(), increment.Input{ExecutionID: Execution, Event: Batch(messages...)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(increment.Output{Collections: keys(want...), Counted: collections * files}, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range want {
		if row := b.Row(name); row != fmt.Sprintf("Sent %d/%d", files, files) {
			t.Errorf("%s stands at %s", name, row)
		}
	}
}

// Of those who count files of a collection at the same time, the one who writes its row last asks to reconcile it.
// Whoever comes again asks too, since that one may have died.
func TestWhoSyncsTheRowAsksToReconcile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(3))
	b.Count(Message("m0", Body("a", "0")))
	meanwhile := false
	b.DB.Before = func(call tabletest.Call) error {
		if b.isUpdate("row", "a")(call) && !meanwhile { // the first has counted its file
			meanwhile = true
			got, err := b.task.Handle(t.Context(), increment.Input{ExecutionID: "second",
				Event: Batch(Message("m2", Body("a", "2")))})
			if err != nil || len(got.Collections) != 1 {
				t.Errorf("the second carries both files into the row: got %+v, %v, want it reconciled", got, err)
			}
		}
		return nil
	}
	first := Batch(Message("m1", Body("a", "1")))
	for _, test := range []struct {
		name        string
		event       json.RawMessage
		collections []snapshot.CollectionKey
	}{{"the first finds it done", first, keys()}, {"it comes again", first, keys("a")}} {
		got, err := b.handle(t, test.event)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.collections, got.Collections); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if row := b.Row("a"); row != "Sent 3/3" {
		t.Errorf("the row stands at %s", row)
	}
}

// Of many who count the last files at once, one at least asks to reconcile, whoever of them writes the row.
func TestOneOfManyAsksToReconcile(t *testing.T) {
	t.Parallel()
	const files = 20
	b := newBench(t)
	b.Put("a", Sent(files))
	asked := make(chan int)
	for i := range files {
		go func() {
			event := Batch(Message(fmt.Sprint("m", i), Body("a", fmt.Sprint(i))))
			got, err := b.limitedTo(0).Handle(t.Context(), increment.Input{ExecutionID: fmt.Sprint("e", i),
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
	if total == 0 || b.Row("a") != fmt.Sprintf("Sent %d/%d", files, files) {
		t.Errorf("%d ask, and the row stands at %s", total, b.Row("a"))
	}
}

// The row is written, and the answer is lost: the SDK's second try is refused by its own write, or the call fails and
// the task runs again. Nobody else would ask to reconcile.
func TestALostAnswerLeavesTheReconciliationToNobodyElse(t *testing.T) {
	t.Parallel()
	errLost := errors.New("the answer is lost")
	event := Batch(Message("m2", Body("a", "2")))
	for name, again := range map[string]bool{"the SDK tries again": true, "the task runs again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", Sent(2))
			b.Count(Message("m1", Body("a", "1")))
			b.DB.Before = func(call tabletest.Call) error {
				if !b.isUpdate("row", "a")(call) {
					return nil
				}
				b.DB.Before = nil
				if _, err := b.DB.DB.Update(t.Context(), call.Write); err != nil {
					t.Error(err)
				}
				if again {
					return nil
				}
				return errLost
			}
			got, err := b.handle(t, event)
			if errors.Is(err, errLost) {
				got, err = b.handle(t, event)
			}
			if err != nil || len(got.Collections) != 1 {
				t.Errorf("got %+v, %v, want it reconciled", got, err)
			}
		})
	}
}
