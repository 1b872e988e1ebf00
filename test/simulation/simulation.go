package simulation

import (
	"fmt"
	"io"
)

// Plan says what a schedule may contain.
type Plan struct {
	Storm     bool      // processes die, answers get lost, executions lose their patience
	Sweep     bool      // the sweep runs, during the story and at its end
	Redeliver bool      // after a storm every message comes once more, and that must be enough
	Sabotage  *Sabotage // a guard that is taken away, to see that it is missed
}

// Plans are the kinds of schedule. Without a storm nothing may need the sweep: whatever waits then waits for
// an event that comes.
var Plans = []Plan{
	{},
	{Storm: true, Sweep: true},
	{Storm: true, Redeliver: true},
}

// Seeded returns the plan that a seed stands for.
func Seeded(seed uint64) Plan { return Plans[seed%uint64(len(Plans))] }

// Result is what became of one schedule.
type Result struct {
	Steps     int    // calls to the outside that were ordered
	Violation string // the guarantee that was broken first, "" if all held
	Calls     map[Call]bool
}

// Call is an operation of package table that a task made on a table, "status" or "ledger".
type Call struct{ Task, Operation, Table string }

// Run runs the schedule of a seed. The same seed and plan give the same schedule. If trace is not nil, the
// history is written to it in words.
func Run(seed uint64, plan Plan, trace io.Writer) (result Result) {
	w := newWorld(plan, seed, trace)
	defer func() {
		if cause := recover(); cause != nil {
			result = Result{Steps: w.steps, Violation: fmt.Sprintf("panic: %v", cause), Calls: w.called}
		}
	}()
	w.tell()
	return Result{Steps: w.steps, Violation: w.violation, Calls: w.called}
}
