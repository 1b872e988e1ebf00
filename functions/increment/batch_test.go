package increment_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestConcurrentlyCallsForEachOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 100} {
		called := make([]atomic.Int32, n)
		increment.Concurrently(n, func(i int) { called[i].Add(1) })
		for i := range called {
			if times := called[i].Load(); times != 1 {
				t.Errorf("of %d, number %d was called %d times", n, i, times)
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
	var messages, names, after []string
	for c := range collections {
		name := fmt.Sprintf("c%02d", c)
		fx.Put(name + " Sent 0/3")
		for f := range files {
			messages = append(messages, fmt.Sprintf("%s-%d %s/%d", name, f, name, f))
		}
		names, after = append(names, name), append(after, name+" Sent 3/3")
	}
	fx.task = increment.New(fx.Store, fx.rejected, 0, increment.Concurrently, fx.Log)
	fx.wants(batch(messages...), increment.Output{Collections: keys(names...), Counted: collections * files})
	fx.WantRows(after...)
}

// Of concurrent counts of a collection, the one that writes its row last asks to reconcile it. A redelivery asks too,
// because that execution may have ended.
func TestTheLastSyncAsksToReconcile(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, "a Sent 0/3")
	fx.Count("m0 a/0")
	fx.DB.Before = func(call tabletest.Call) error {
		if fx.isUpdate("row", "a")(call) { // the first has counted its file; the second carries both into the row
			fx.DB.Before = nil
			fx.wants(batch("m2 a/2"), increment.Output{Counted: 1, Collections: keys("a")})
		}
		return nil
	}
	fx.wants(batch("m1 a/1"), increment.Output{Counted: 1})
	fx.wants(batch("m1 a/1"), increment.Output{Duplicates: 1, Collections: keys("a")})
	fx.WantRows("a Sent 3/3")
}

// Of concurrent counts of the last files, at least one asks to reconcile.
func TestOneOfManyAsksToReconcile(t *testing.T) {
	t.Parallel()
	const files = 20
	fx := newFixture(t, "a Sent 0/20")
	asked := make(chan []snapshot.CollectionKey)
	for i := range files {
		go func() {
			got, err := handle(t.Context(), fx.limitedTo(0), batch(fmt.Sprintf("m%d a/%d", i, i)))
			if err != nil {
				t.Error(err)
			}
			asked <- got.Collections
		}()
	}
	var all []snapshot.CollectionKey
	for range files {
		all = append(all, <-asked...)
	}
	if len(all) == 0 {
		t.Error("none asks")
	}
	fx.WantRows("a Sent 20/20")
}

// The row is written and the answer is lost: the SDK's retry is refused by its own write, or the call fails and the
// task is retried. Either must ask to reconcile.
func TestALostAnswerStillAsksToReconcile(t *testing.T) {
	t.Parallel()
	event := batch("m2 a/2")
	for _, fails := range []bool{false, true} {
		fx := newFixture(t, "a Sent 0/2")
		fx.Count("m1 a/1")
		fx.DB.Before = func(call tabletest.Call) error {
			if !fx.isUpdate("row", "a")(call) {
				return nil
			}
			fx.DB.Before = nil
			if _, err := fx.DB.DB.Update(t.Context(), call.Write); err != nil {
				t.Error(err)
			}
			if fails {
				return errDown
			}
			return nil
		}
		got, err := handle(t.Context(), fx.task, event)
		if errors.Is(err, errDown) {
			got, err = handle(t.Context(), fx.task, event)
		}
		if err != nil || len(got.Collections) != 1 {
			t.Errorf("the task is retried %v: got %+v, %v, want it reconciled", fails, got, err)
		}
	}
}
