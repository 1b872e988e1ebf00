package simulation

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
)

// runUntilIdle plays events and runs actors in random order until nothing is left to do. The events of a chain keep
// their order.
func (s *schedule) runUntilIdle(chains []chain) {
	for s.violation == "" {
		chains, s.followUps = append(chains, s.followUps...), nil
		chains = slices.DeleteFunc(chains, func(chain chain) bool { return len(chain) == 0 })
		s.actors = slices.DeleteFunc(s.actors, func(a *actor) bool { return a.done })
		switch {
		case len(chains) > 0 && (len(s.actors) == 0 || s.chance(0.12)):
			i := s.random.IntN(len(chains))
			event := chains[i][0]
			chains[i] = chains[i][1:]
			event()
		case len(s.streamRecords) > 0 && (len(s.actors) == 0 || s.chance(0.12)):
			i := s.random.IntN(len(s.streamRecords))
			change := s.streamRecords[i]
			s.streamRecords = slices.Delete(s.streamRecords, i, i+1)
			s.start("change", "a stream record", change)
		case len(s.actors) > 0:
			s.step(s.actors[s.random.IntN(len(s.actors))])
		case len(s.waiting) > 0:
			s.receiveBatch()
		default:
			return
		}
	}
	for _, a := range s.actors { // some still run: a guarantee is broken
		a.stop()
	}
	s.actors = nil
}

// step gives an actor its turn. One that waits for an invocation may time out.
func (s *schedule) step(a *actor) {
	if a.slow && s.chance(0.9) {
		return
	}
	if a.pausedFor > 0 {
		a.pausedFor--
		return
	}
	if a.blocked() {
		if !s.faulty || !s.chance(0.005) {
			return
		}
		s.log("%s times out waiting for %s", a.name, a.waitsFor.name)
		a.timedOut = true
	}
	s.resume(a)
}

// start starts an execution of the state machine. EXPRESS sometimes runs it twice, since nothing waits for its end.
func (s *schedule) start(why, words, input string) *execution {
	e := s.execute(&execution{id: s.newID(why), input: input}, words)
	if s.express && s.faulty && s.chance(0.05) {
		s.execute(&execution{id: e.id, input: input}, "the same input, a second time")
	}
	return e
}

// startForMessages starts an execution for messages of the queue.
func (s *schedule) startForMessages(input string, receive int) {
	if !s.express {
		receive = 0 // Pipes has deleted them
	}
	s.execute(&execution{id: s.newID("message"), input: input, receive: receive},
		fmt.Sprintf("messages, receive count %d", receive))
}

func (s *schedule) newID(why string) string {
	s.started++
	return fmt.Sprintf("%s-%d", why, s.started)
}

func (s *schedule) execute(e *execution, words string) *execution {
	e.schedule = s
	s.log("%s starts with %s", e.id, words)
	s.spawn(e.id, e.run)
	return e
}

// store is the protocol in a new process of a task. Every run is late at once: its first message is stored in whole
// seconds, and the clock is past them.
func (s *schedule) store(task string) *store.Store {
	return store.New(taskTables{s, task}, s.tables, store.Settings{Exempt: s.exempt, StalledAfter: time.Hour,
		LateAfter: snapshot.LateAfter{"": time.Nanosecond}, PageSize: s.pageSize, CountBy: s.countBy,
		Now: func() time.Time { return s.clock }, Nonce: func() string { s.nonces++; return strconv.Itoa(s.nonces) }})
}

// process takes a warm process of increment, which may have cached old data, or a new one.
func (s *schedule) process() *increment.Task {
	if n := len(s.idle); n > 0 && s.chance(0.7) {
		i := s.random.IntN(n)
		process := s.idle[i]
		s.idle = slices.Delete(s.idle, i, i+1)
		return process
	}
	return increment.New(s.store("increment"), senders{s}, 0, increment.InOrder, s.logger)
}

// invokeSweep invokes the sweep, as its schedule or a person does.
func (s *schedule) invokeSweep(who string, in sweep.Input) {
	in.ExecutionID = s.newID(who)
	s.spawn(in.ExecutionID, func(*actor) {
		out, err := sweep.New(s.store("sweep"), senders{s}, senders{s}, s.logger).
			Handle(logging.Begin(context.Background(), s.logger), in)
		if err != nil || out.ByHand != nil {
			s.log("%s: %+v, %v", in.ExecutionID, out.ByHand, err)
		}
	})
}

func (s *schedule) sweep() { s.invokeSweep("sweep", sweep.Input{}) }

func (s *schedule) reject(k rejected) {
	s.log("rejected: %s as %s", k.identity, k.reason)
	s.rejected = append(s.rejected, k)
	s.everRejected[k.identity] = true
}
