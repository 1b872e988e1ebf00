// Package simulation runs the real tasks over the real protocol in a simulated world: tables in memory,
// executions that interleave at every call, processes that die, answers that are lost, messages that come
// twice and out of order, other writers who do not look, all from one seed that reproduces.
//
// The seam is below the protocol, at the operations of package table and at the senders. So conditions,
// consistency and paging are under test too.
package simulation

import (
	"errors"
	"fmt"
	"iter"
)

// actor is a thread of control: an execution of the state machine, a branch of one, or the invocation of a
// function. Only one runs at a time; it gives way before every call to the outside.
type actor struct {
	name     string
	next     func() (struct{}, bool)
	stop     func()
	yield    func(struct{}) bool
	slow     bool   // seldom gets its turn, so that much happens between two of its calls
	stands   int    // calls after which it stands still until a new export begins; 0 for never. See standStill
	still    int    // turns for which it stands still
	waitsFor *actor // the invocation that this execution waits for
	gaveUp   bool   // … and waited too long for
	done     bool
	died     bool // ended by a crash instead of its end
}

// errDied is what an execution learns of an invocation that crashed, errTimeout of one that takes too long.
var (
	errDied    = errors.New("the process died")
	errTimeout = errors.New("States.Timeout")
)

// death unwinds a crashed actor.
type death struct{}

// spawn makes an actor that runs when the scheduler picks it.
func (w *world) spawn(name string, body func(a *actor)) *actor {
	a := &actor{name: name, slow: w.chance(0.1)}
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		a.yield = yield
		defer func() {
			switch cause := recover().(type) {
			case nil:
			case death:
				a.died = true
			default:
				panic(fmt.Sprintf("%s: %v", name, cause))
			}
		}()
		body(a)
	})
	w.actors = append(w.actors, a)
	return a
}

// resume lets an actor run up to its next call to the outside, or to its end.
func (w *world) resume(a *actor) {
	w.current = a
	if _, more := a.next(); !more {
		a.done = true
		if a.died {
			w.say("%s dies", a.name)
		}
	}
	w.current = nil
}

// giveWay ends the actor's turn. Its next turn begins when it returns.
func (a *actor) giveWay() {
	if !a.yield(struct{}{}) {
		panic(death{})
	}
}

// await waits until an invocation ended, or until the scheduler decides that it takes too long; it then goes
// on by itself.
func (a *actor) await(invocation *actor) error {
	a.waitsFor, a.gaveUp = invocation, false
	a.giveWay()
	a.waitsFor = nil
	switch {
	case a.gaveUp:
		return errTimeout
	case invocation.died:
		return errDied
	}
	return nil
}

// blocked reports whether the actor waits for an invocation that has not ended.
func (a *actor) blocked() bool { return a.waitsFor != nil && !a.waitsFor.done && !a.gaveUp }
