// Package simulation runs the real tasks over the real protocol, with simulated tables, executions and faults:
// executions interleave at every call, processes die, answers are lost, messages are delivered twice and out of order,
// and other systems write without conditions. One seed reproduces a schedule.
//
// The simulated interface is below the protocol, at the operations of package table and at the senders. So conditions,
// consistency and paging are tested too.
package simulation

import (
	"fmt"
	"io"
)

// Plan says what a schedule may contain.
type Plan struct {
	Storm     bool // processes die, answers get lost, executions time out
	Sweep     bool // the sweep runs, during a phase and at its end
	Redeliver bool // after a storm every message is delivered again, and that must be enough
	OnlyLines bool // only the tasks' log lines are checked, as those of a deployment are

	mutant *mutant
}

// Plans are the kinds of schedule. Without a storm nothing may need the sweep.
var Plans = []Plan{
	{},
	{Storm: true, Sweep: true},
	{Storm: true, Redeliver: true},
}

// Seeded returns the plan of a seed.
func Seeded(seed uint64) Plan { return Plans[seed%uint64(len(Plans))] }

// Result is the result of one schedule.
type Result struct {
	Steps     int    // calls of the tasks to tables and services
	Violation string // the first broken guarantee, "" if all held
	Calls     map[Call]bool
}

// Call is an operation of package table that a task made on a table, "status" or "ledger".
type Call struct{ Task, Operation, Table string }

// Run runs the schedule of a seed and writes its history to trace, if that is not nil. The same seed and plan give the
// same schedule.
func Run(seed uint64, plan Plan, trace io.Writer) (result Result) {
	s := newSchedule(plan, seed, trace)
	defer func() {
		if cause := recover(); cause != nil {
			result = Result{Steps: s.steps, Violation: fmt.Sprintf("panic: %v", cause), Calls: s.called}
		}
	}()
	s.play()
	return Result{Steps: s.steps, Violation: s.violation, Calls: s.called}
}
