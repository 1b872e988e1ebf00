package snapshot

import (
	"fmt"
	"time"
)

// AbandonedAfter is how long after its first message, or after it was reopened last, the sweep looks after a run.
const AbandonedAfter = 14 * 24 * time.Hour

// MaxNamed is how many of the collections that block a run an alert names.
const MaxNamed = 5

// Progress is when a run's sums last changed.
type Progress struct {
	Sums    string
	Since   time.Time
	Settled bool // with these sums the run was found done, with nothing pending
}

// Sums sums the rows up. A run makes progress as long as they change. The generation is among them: a run that is
// reopened may be done with the same rows as before, and has other notifications.
func (r Run) Sums(t *Tally) string {
	return fmt.Sprintf("generation %d: %d rows, %d received, %d successful, %d of %d files", r.Generation,
		t.Rows, t.Rows-t.missing[AllReceived], t.Rows-t.missing[AllSuccessful], t.FilesReceived, t.FilesSent)
}

// Blockers are the collections that a run waits for: those that are not received or, if all are, those that are not
// successful.
type Blockers struct {
	Named []Row // the first of them, at most MaxNamed
	More  int   // how many others there are
}

// Blockers says what the run waits for. It is empty if the run is done.
func (t *Tally) Blockers() Blockers {
	for _, kind := range Notifications {
		if n := t.missing[kind]; n > 0 {
			return Blockers{Named: t.blockers[kind], More: n - len(t.blockers[kind])}
		}
	}
	return Blockers{}
}

// Done reports whether nothing is left to do for the run: all of it is successful, and monitoring was notified.
func (r Run) Done(t *Tally) bool {
	return t.All(AllSuccessful) && !r.Due(AllReceived, t) && !r.Due(AllSuccessful, t)
}

// Stall decides, with the sums that were just read, what to remember of the run's progress and whether the run has
// stalled: its sums have not changed for so long.
func (r Run) Stall(t *Tally, now time.Time, after time.Duration) (progress Progress, stalled bool) {
	if sums := r.Sums(t); r.Progress.Sums != sums {
		return Progress{Sums: sums, Since: now}, false
	}
	return r.Progress, !r.Done(t) && now.Sub(r.Progress.Since) >= after
}

// Old reports whether the run is old enough to be abandoned.
func (r Run) Old(now time.Time) bool { return now.Sub(r.OpenedAt()) >= AbandonedAfter }

// OpenedAt is since when the run has been open: since its first message, or since it was reopened last.
func (r Run) OpenedAt() time.Time {
	if r.ReopenedAt.After(r.RegisteredAt) {
		return r.ReopenedAt
	}
	return r.RegisteredAt
}
