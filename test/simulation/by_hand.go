package simulation

import (
	"context"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/store"
)

// abandonments sometimes has a person end the run by hand, once or twice, and perhaps take it up again. Nothing may be
// lost by it: what arrives afterwards takes the run up again.
func (s *schedule) abandonments() (chain chain) {
	random := s.stream(11)
	if !s.plan.Sweep || s.mutant.noSweep || random.Float64() >= 0.3 {
		return nil
	}
	for range 1 + random.IntN(2) {
		chain = append(chain, func() {
			s.invokeSweep("abandon", sweep.Input{Abandon: &sweep.Abandon{CorrelationID: run, Reason: "by hand"}})
		})
	}
	if random.Float64() < 0.2 {
		chain = append(chain, s.takeUpByHand)
	}
	return chain
}

func (s *schedule) takeUpByHand() {
	s.invokeSweep("resume", sweep.Input{Resume: &sweep.Resume{CorrelationID: run}})
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
