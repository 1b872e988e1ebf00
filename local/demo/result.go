package demo

import (
	"fmt"
	"sync"

	"snapshot-status-checker/test/scenario"
)

// result is the stack's output for the run so far. Its methods are safe for concurrent use.
type result struct {
	run           *run
	mutex         sync.Mutex
	rows          []scenario.Row
	requests      []scenario.Fields
	notifications []string // titles
	rejected      []rejected
	expected      []scenario.Reject // of the messages sent
}

// rejected is a message from the rejected-messages queue.
type rejected struct {
	scenario.Reject
	detail string
}

// locked lets do change the result.
func (r *result) locked(do func()) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	do()
}

// succeeded is the number of collections in status Success.
func (r *result) succeeded() (count int) {
	r.locked(func() { count = scenario.InStatus(r.rows, "Success") })
	return count
}

// arrived is the number of collections in status Exported whose files have all arrived.
func (r *result) arrived() (count int) {
	r.locked(func() {
		for _, row := range r.rows {
			if row.Status == "Exported" && row.Received >= row.Sent {
				count++
			}
		}
	})
	return count
}

// complete reports whether nothing expected is missing.
func (r *result) complete() (complete bool) {
	r.locked(func() {
		want := len(r.run.Collections)
		complete = scenario.InStatus(r.rows, "Success") == want && len(r.requests) >= want &&
			len(r.notifications) >= 2 && len(r.rejected) >= len(r.expected)
	})
	return complete
}

// String is the progress line.
func (r *result) String() (line string) {
	r.locked(func() {
		line = fmt.Sprintf("%s  requests %d  notifications %d  rejected %d/%d", scenario.Line(r.rows),
			len(r.requests), len(r.notifications), len(r.rejected), len(r.expected))
	})
	return line
}
