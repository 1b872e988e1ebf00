package chaos

import (
	"context"
	"time"

	"snapshot-status-checker/test/scenario"
)

// executionsAhead is how many executions may run before the sender waits. The engine would refuse more than it has
// function processes for.
const executionsAhead = 40

const perSend = 10 // the limit of SQS

// sendAll sends the plan's messages faster than they are counted. It makes files that come again dead letters.
func (s *system) sendAll(ctx context.Context) error {
	left, sent := s.plan.sends, map[string]bool{}
	return every(ctx, 20*time.Millisecond, func() (done bool, err error) {
		for len(left) > 0 && s.rows.Load() != nil && len(sent)-received(*s.rows.Load()) < executionsAhead*s.BatchSize {
			var bodies, again []string
			for _, send := range left[:min(perSend, len(left))] {
				switch {
				case send.again:
					again = append(again, send.text)
					continue
				case sent[send.text]:
					s.seen.duplicates.Add(1)
				}
				sent[send.text] = true
				bodies = append(bodies, send.text)
			}
			if _, err := scenario.Post(ctx, s.queues, s.deadLettersURL, again...); err != nil {
				return false, err
			}
			if _, err := s.send(ctx, bodies...); err != nil {
				return false, err
			}
			left = left[len(bodies)+len(again):]
			s.seen.sendings.Add(int64(len(bodies) + len(again)))
		}
		return len(left) == 0, nil
	})
}
