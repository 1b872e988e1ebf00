package snapshot

import (
	"fmt"
	"time"
)

// AbandonedAfter is the age at which the sweep abandons a run, since its first message or since it was reopened last.
const AbandonedAfter = 14 * 24 * time.Hour

// MaxNamed bounds the blockers that an alert names.
const MaxNamed = 5

// Progress is when a run's sums last changed.
type Progress struct {
	Sums    string
	Since   time.Time
	Settled bool // with these sums the run was done and nothing was pending
}

// Sums sums up the run's rows. A run makes progress when they change. They include the generation, because a reopened
// run may be done again with the same rows but has new notifications.
func (r Run) Sums(t *Tally) string {
	return fmt.Sprintf("generation %d: %d rows, %d sent, %d received, %d successful, %d of %d files", r.Generation,
		t.Rows, t.sent, t.Rows-t.missing[AllReceived], t.Rows-t.missing[AllSuccessful], t.FilesReceived, t.FilesSent)
}

// Blockers are the collections that a run waits for: those not received or, if all are received, those not successful.
type Blockers struct {
	Named []Row // the first MaxNamed
	More  int   // the number of the others
}

// Blockers returns the collections that the run waits for, none if it is done.
func (t *Tally) Blockers() Blockers {
	for _, kind := range Notifications {
		if n := t.missing[kind]; n > 0 {
			return Blockers{Named: t.blockers[kind], More: n - len(t.blockers[kind])}
		}
	}
	return Blockers{}
}

// Done reports whether the whole run is successful and monitoring was notified.
func (r Run) Done(t *Tally) bool {
	return t.All(AllSuccessful) && !r.Due(AllReceived, t) && !r.Due(AllSuccessful, t)
}

// Stall returns the progress to store for the sums that were just read, and whether the run has stalled: it is not done
// and its sums have not changed for the duration.
func (r Run) Stall(t *Tally, now time.Time, after time.Duration) (progress Progress, stalled bool) {
	if sums := r.Sums(t); r.Progress.Sums != sums {
		return Progress{Sums: sums, Since: now}, false
	}
	return r.Progress, !r.Done(t) && now.Sub(r.Progress.Since) >= after
}

// Old reports whether the run is old enough to be abandoned.
func (r Run) Old(now time.Time) bool { return now.Sub(r.OpenedAt()) >= AbandonedAfter }

// OpenedAt is the time of the run's first message, or of its last reopening.
func (r Run) OpenedAt() time.Time {
	if r.ReopenedAt.After(r.RegisteredAt) {
		return r.ReopenedAt
	}
	return r.RegisteredAt
}
