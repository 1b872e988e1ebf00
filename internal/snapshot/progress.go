package snapshot

import (
	"fmt"
	"time"
)

// LetGoAfter is how long after its first message a run is looked after.
const LetGoAfter = 14 * 24 * time.Hour

// MaxNamed is how many of the collections that hold a run a report names.
const MaxNamed = 5

// Progress is when a run's sums changed last.
type Progress struct {
	Sums    string
	Since   time.Time
	Settled bool // with these sums the run was found done, and nothing was owed any more
}

// Sums sums the rows up. A run moves as long as they change.
func (t *Tally) Sums() string {
	return fmt.Sprintf("%d rows, %d received, %d successful, %d of %d files, attempts %d",
		t.Rows, t.Rows-t.missing[AllReceived], t.Rows-t.missing[AllSuccessful], t.FilesReceived, t.FilesSent, t.Attempts)
}

// Holders are the collections that hold a run: those that are not received or, if all are, those that are not
// successful.
type Holders struct {
	Named []Row // the first of them, at most MaxNamed
	More  int   // how many others there are
}

// Holders says what holds the run. It is empty if the run is done.
func (t *Tally) Holders() Holders {
	for _, news := range News {
		if n := t.missing[news]; n > 0 {
			return Holders{Named: t.holders[news], More: n - len(t.holders[news])}
		}
	}
	return Holders{}
}

// Done reports whether nothing is left to do for the run: all of it is successful, and monitoring knows.
func (r Run) Done(t *Tally) bool {
	return t.True(AllSuccessful) && !r.NewsOwed(AllReceived, t.Attempts) && !r.NewsOwed(AllSuccessful, t.Attempts)
}

// Stall decides, with the sums that were just read, what is to be remembered of the run's progress and
// whether the run has stalled: its sums have not changed for so long.
func (r Run) Stall(t *Tally, now time.Time, after time.Duration) (progress Progress, stalled bool) {
	if sums := t.Sums(); r.Progress.Sums != sums {
		return Progress{Sums: sums, Since: now}, false
	}
	return r.Progress, !r.Done(t) && now.Sub(r.Progress.Since) >= after
}

// LettingGo reports whether the run is old enough to be let go.
func (r Run) LettingGo(now time.Time) bool { return now.Sub(r.RegisteredAt) >= LetGoAfter }
