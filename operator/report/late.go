package report

import (
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/show"
)

// setDeadline sets the deadline of a run that is not done, and whether it is late. It follows the sweep, which ignores
// a run that is abandoned or has no rows.
func (s *Summary) setDeadline(run snapshot.Run, settings Settings, now time.Time) {
	if s.State == Successful || s.State == Abandoned || s.Collections == 0 {
		return
	}
	s.Deadline, s.Late = moment(run.Deadline(settings.LateAfter)), run.Late(now, settings.LateAfter)
}

// Label is the state and, beside it, whether the run is late.
func (s Summary) Label() string {
	if s.Late {
		return string(s.State) + ", late"
	}
	return string(s.State)
}

// Tone is the colour of the label.
func (s Summary) Tone() show.Tone {
	if s.Late {
		return show.Bad
	}
	return s.State.Tone()
}
