package show

import (
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/visible"
)

// StateTone is the tone of a run's state.
func StateTone(state report.State) Tone {
	switch state {
	case report.Successful:
		return Good
	case report.Stalled, report.Abandoned:
		return Bad
	}
	return Busy
}

// WaitTone is the tone of what a collection waits for.
func WaitTone(what report.WaitsFor) Tone {
	switch what {
	case report.ForNothing:
		return Good
	case report.ForRepair, report.ForStatus, report.ForNothingEver:
		return Bad
	}
	return Busy
}

// Clean escapes control characters and invisible ones, since names come from messages and tables of other systems.
func Clean(text string) string { return visible.Text(text) }
