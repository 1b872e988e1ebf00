package store_test

import (
	"iter"
	"slices"

	"snapshot-status-checker/internal/table/tabletest"
)

// atOnce runs each of the functions concurrently, in lockstep: every one makes a call in turn, so each sees the tables
// as they were before any of them wrote. Nothing else may call the protocol meanwhile.
func (w *world) atOnce(each ...func()) {
	type thread struct {
		next  func() (struct{}, bool)
		yield func(struct{}) bool
	}
	var running []*thread
	var current *thread
	w.before = func(tabletest.Call) error { current.yield(struct{}{}); return nil }
	defer w.revives()
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
