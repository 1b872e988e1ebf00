package sweep

import (
	"context"
	"time"

	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// sight is what a sweep saw of all runs together.
type sight struct {
	open, stalled         int
	oldestRun, oldestDebt time.Time // zero if there is none
}

func (s *sight) add(run snapshot.Run, found store.Examination) {
	if found.Open {
		s.open++
		s.oldestRun = older(s.oldestRun, run.RegisteredAt)
	}
	if found.Stalled {
		s.stalled++
	}
	s.oldestDebt = older(s.oldestDebt, found.OwedSince)
}

// older is the earlier of two moments, the zero time being none.
func older(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// measure says all of it, zeros too, so that an alarm ends when what it tells of has ended.
func (s *sight) measure(ctx context.Context) {
	metrics.Measure(ctx, metrics.OpenRuns, float64(s.open))
	metrics.Measure(ctx, metrics.StalledRuns, float64(s.stalled))
	metrics.Age(ctx, metrics.OldestOpenRunAge, s.oldestRun)
	metrics.Age(ctx, metrics.OldestDebtAge, s.oldestDebt)
}
