package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/store"
)

// abandonments sometimes has a person end the run by hand, once or twice, and perhaps take it up again. Nothing may be
// lost by it: what arrives afterwards takes the run up again.
func (s *schedule) abandonments() (chain chain) {
	random := rand.New(rand.NewPCG(s.seed, 11)) // of its own, so that the other events of a seed stay
	if !s.plan.Sweep || s.mutant.noSweep || random.Float64() >= 0.3 {
		return nil
	}
	for range 1 + random.IntN(2) {
		chain = append(chain, func() {
			s.byHand("abandon", sweep.Input{Abandon: &sweep.Abandon{CorrelationID: run, Reason: "by hand"}})
		})
	}
	if random.Float64() < 0.2 {
		chain = append(chain, s.takeUpByHand)
	}
	return chain
}

func (s *schedule) takeUpByHand() {
	s.byHand("resume", sweep.Input{Resume: &sweep.Resume{CorrelationID: run}})
}

// byHand calls the sweep as a person does.
func (s *schedule) byHand(what string, in sweep.Input) {
	s.started++
	s.spawn(fmt.Sprintf("%s-%d", what, s.started), func(a *actor) {
		out, err := sweep.New(s.store("sweep"), senders{s}, senders{s}, s.logger).Handle(context.Background(), in)
		s.log("%s: %+v, %v", a.name, out.ByHand, err)
	})
}

// takeUp has a person take up the run if it is ended by hand and nothing has moved since. If something has, the sweep
// must take it up.
func (s *schedule) takeUp() {
	stored := store.New(s.db, s.tables, store.Settings{})
	if state, err := stored.Run(context.Background(), run); err == nil && state.EndedByHand(s.exempt) {
		s.takeUpByHand()
		s.runUntilIdle(nil)
	}
}
