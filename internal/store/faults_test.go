package store_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// beforeCall counts a call.
func (ts *testStore) beforeCall(call tabletest.Call) error {
	ts.mu.Lock()
	ts.calls[call.Operation]++
	if call.Operation == "Update" {
		ts.calls["Update "+ts.part(call.Refs[0])]++
	}
	ts.mu.Unlock()
	if ts.before == nil {
		return nil
	}
	return ts.before(call)
}

// part is the kind of an item: row, run, collection, page or receipts.
func (ts *testStore) part(ref table.Ref) string {
	switch {
	case ref.Name == ts.tables.Status:
		return "row"
	case ref.Partition == "run":
		return "run"
	}
	part, _, _ := strings.Cut(ref.Sort, "#")
	return part
}

// which chooses calls. It is asked once for each.
type which func(tabletest.Call) bool

func anyCall(tabletest.Call) bool { return true }

// updates are the updates of the items of a part.
func (ts *testStore) updates(part string) which {
	return func(call tabletest.Call) bool { return call.Operation == "Update" && ts.part(call.Refs[0]) == part }
}

// nth is the n-th of these calls, from 0 on.
func nth(n int, calls which) which {
	return func(call tabletest.Call) bool {
		if calls(call) {
			n--
			return n == -1
		}
		return false
	}
}

var errCrashed = errors.New("the process has ended")

// crashesAt ends the process at a call, before it or after it took effect. All later calls fail, too.
func (ts *testStore) crashesAt(call which, after bool) {
	ended := false
	ts.before = func(now tabletest.Call) error {
		if ended || !after && call(now) {
			ended = true
			return errCrashed
		}
		return nil
	}
	ts.after = func(now tabletest.Call) error {
		if ended = after && (ended || call(now)); ended {
			return errCrashed
		}
		return nil
	}
}

func (ts *testStore) recovers() { ts.before, ts.after = nil, nil }

// everyCrash plays a scenario for every call of do: once the process ends before the call, once after it took effect.
// then gets the store afterwards.
func everyCrash(t *testing.T, given func(ts *testStore), do func(ts *testStore) error, then func(ts *testStore)) {
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			ts := newStore(t)
			given(ts)
			ts.crashesAt(nth(n, anyCall), after)
			err := do(ts)
			ts.recovers()
			if err != nil && !errors.Is(err, errCrashed) {
				t.Fatalf("call %d, after it took effect: %v: %v", n, after, err)
			}
			then(ts)
			if t.Failed() {
				t.Fatalf("crashed at call %d, after it took effect: %v", n, after)
			}
			if err == nil {
				if n == 0 {
					t.Fatal("nothing crashed")
				}
				break
			}
		}
	}
}

// meanwhile calls do once, before a call. The test fails if that call does not come.
func (ts *testStore) meanwhile(call which, do func()) {
	done := false
	ts.before = func(now tabletest.Call) error {
		if !done && call(now) {
			done = true
			do()
		}
		return nil
	}
	ts.Cleanup(func() {
		if !done && !ts.Failed() {
			ts.Error("what should happen meanwhile did not happen")
		}
	})
}

// triedTwice has the SDK repeat an update whose answer was lost: the store sees only that it is refused.
func (ts *testStore) triedTwice(update which) {
	ts.before = func(call tabletest.Call) error {
		if update(call) {
			ts.before = nil
			ts.write(call.Write)
		}
		return nil
	}
}

// concurrently calls do n times at the same time and adds up what it returns.
func concurrently(n int, do func(i int) int) int {
	var group sync.WaitGroup
	var sum atomic.Int64
	for i := range n {
		group.Go(func() { sum.Add(int64(do(i))) })
	}
	group.Wait()
	return int(sum.Load())
}

// lockstep runs the functions concurrently, each making one call in turn, so all see the tables before any of them
// writes. Nothing else may use the store meanwhile.
func (ts *testStore) lockstep(n int, do func(i int)) {
	type thread struct {
		next  func() (struct{}, bool)
		yield func(struct{}) bool
	}
	var running []*thread
	var current *thread
	ts.before = func(tabletest.Call) error { current.yield(struct{}{}); return nil }
	for i := range n {
		th := &thread{}
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			th.yield = yield
			do(i)
		})
		defer stop()
		th.next = next
		running = append(running, th)
	}
	for len(running) > 0 {
		running = slices.DeleteFunc(running, func(th *thread) bool {
			current = th
			_, more := th.next()
			return !more
		})
	}
	ts.before = nil
}
