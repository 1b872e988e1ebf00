package live

import (
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// label is a run's state and, beside it, how long the run is late or has until its deadline.
func label(run report.Summary, now time.Time) string {
	switch {
	case run.Late:
		return run.Label() + " for " + show.Duration(now.Sub(*run.Deadline))
	case run.Deadline != nil:
		return run.Label() + ", deadline in " + show.Duration(run.Deadline.Sub(now))
	}
	return run.Label()
}

// ByDeadline says how long before or after the deadline all files will have arrived, "" without a deadline.
func (t Tracker) ByDeadline(in time.Duration) string {
	if t.Run.Deadline == nil {
		return ""
	}
	left := t.Run.Deadline.Sub(t.At.Add(in))
	if left < 0 {
		return ", " + show.Duration(-left) + " after the deadline"
	}
	return ", " + show.Duration(left) + " before the deadline"
}
