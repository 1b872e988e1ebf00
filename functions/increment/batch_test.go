package increment_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
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
