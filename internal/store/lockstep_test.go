package store_test

import (
	"iter"
	"slices"

	"snapshot-status-checker/internal/table/tabletest"
)

// atOnce runs the functions concurrently in lockstep: each makes one call in turn, so all see the tables before any of
// them writes. Nothing else may use the store meanwhile.
func (ts *testStore) atOnce(each ...func()) {
	type thread struct {
		next  func() (struct{}, bool)
		yield func(struct{}) bool
	}
	var running []*thread
	var current *thread
	ts.before = func(tabletest.Call) error { current.yield(struct{}{}); return nil }
	defer ts.recovers()
	for _, do := range each {
		th := &thread{}
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			th.yield = yield
			do()
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
}
