package simulation

import (
	"errors"
	"fmt"
	"iter"
)

// actor is an execution of the state machine, one of its branches, or the invocation of a function. One actor runs at a
// time, up to its next call to tables or services.
type actor struct {
	name       string
	next       func() (struct{}, bool)
	stop       func()
	yield      func(struct{}) bool
	slow       bool   // seldom gets a turn, so that much happens between two of its calls
	pauseAfter int    // calls after which it pauses, 0 for never: see schedule.pauseAfter
	pausedFor  int    // turns
	fault      fault  // of its present call
	waitsFor   *actor // an invocation
	timedOut   bool   // the invocation took too long
	done       bool
	died       bool // crashed
}

// An execution gets errDied for an invocation that crashed, and errTimeout for one that takes too long.
var (
	errDied    = errors.New("the process died")
	errTimeout = errors.New("States.Timeout")
)

// death is the panic of a crashed actor.
type death struct{}

// spawn makes an actor. The scheduler picks its turns.
func (s *schedule) spawn(name string, body func(a *actor)) *actor {
	a := &actor{name: name, slow: s.chance(0.1)}
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		a.yield = yield
		defer func() {
			cause := recover()
			if _, a.died = cause.(death); cause != nil && !a.died {
				panic(fmt.Sprintf("%s: %v", name, cause))
			}
		}()
		body(a)
	})
	s.actors = append(s.actors, a)
	return a
}

// resume runs an actor up to its next call, or to its end.
func (s *schedule) resume(a *actor) {
	s.current = a
	if _, more := a.next(); !more {
		a.done = true
		if a.died {
			s.log("%s dies", a.name)
		}
	}
	s.current = nil
}

// endTurn ends the actor's turn. Its next turn begins when it returns.
func (a *actor) endTurn() {
	if !a.yield(struct{}{}) {
		panic(death{})
	}
}

// await waits until an invocation ends or times out. An invocation that timed out continues.
func (a *actor) await(invocation *actor) error {
	a.waitsFor, a.timedOut = invocation, false
	a.endTurn()
	a.waitsFor = nil
	switch {
	case a.timedOut:
		return errTimeout
	case invocation.died:
		return errDied
	}
	return nil
}

// blocked reports whether the actor waits for an invocation that has not ended.
func (a *actor) blocked() bool { return a.waitsFor != nil && !a.waitsFor.done && !a.timedOut }
