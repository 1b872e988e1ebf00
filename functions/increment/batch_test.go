package increment_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

func TestSideBySideCallsForEachOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 5, 100} {
		var mu sync.Mutex
		called := map[int]int{}
		increment.SideBySide(n, func(i int) {
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

// Two calls that wait for each other come to their end only if they run side by side.
func TestSideBySideIsSideBySide(t *testing.T) {
	t.Parallel()
	var meeting sync.WaitGroup
	meeting.Add(2)
	increment.SideBySide(2, func(int) {
		meeting.Done()
		meeting.Wait()
	})
}

// A batch over many collections gives the same, in whatever order its collections are worked on.
func TestBatchSideBySide(t *testing.T) {
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
	task := increment.New(b.Counter(), b.kept, increment.SideBySide, b.Log)
	got, err := task.Handle(t.Context(), increment.Input{ExecutionID: Execution, Messages: Batch(messages...)})
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

// Of those who count files of a collection at the same time, the one who brings its row up to date last asks for a
// look. Whoever comes again asks too, since that one may have died.
func TestWhoBringsTheRowUpToDateAsksForALook(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(2))
	meanwhile := false
	b.DB.Before = func(op string, refs ...table.Ref) error {
		if op == "Update" && refs[0].Table == b.Tables.Status.Table && !meanwhile { // the first has recorded its file
			meanwhile = true
			got, err := b.task.Handle(t.Context(), increment.Input{ExecutionID: "second", Messages: Batch(Message("m2", Body("a", "2")))})
			if err != nil || len(got.Collections) != 1 {
				t.Errorf("the second brings both files into the row: got %+v, %v, want a look", got, err)
			}
		}
		return nil
	}
	first := Batch(Message("m1", Body("a", "1")))
	for _, test := range []struct {
		name     string
		messages json.RawMessage
		looks    []snapshot.CollectionKey
	}{{"the first finds it done", first, keys()}, {"it comes again", first, keys("a")}} {
		got, err := b.handle(t, test.messages)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.looks, got.Collections); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	if row := b.Row("a"); row != "Sent 2/2" {
		t.Errorf("the row stands at %s", row)
	}
}

// The update takes effect, its answer is lost, and what the SDK tries again is refused.
func TestALostAnswerLeavesTheLookToNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(1))
	b.DB.After = func(op string, refs ...table.Ref) error {
		if op == "Update" && refs[0].Table == b.Tables.Status.Table {
			b.DB.After = nil
			return table.ErrConditionFailed
		}
		return nil
	}
	got, err := b.handle(t, Batch(Message("m1", Body("a", "1"))))
	if err != nil || len(got.Collections) != 1 {
		t.Errorf("got %+v, %v, want a look", got, err)
	}
}
