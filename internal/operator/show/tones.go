package show

import (
	"strings"
	"unicode"

	"snapshot-status-checker/internal/operator/report"
)

// StateTone is the tone of a run's state.
func StateTone(state report.State) Tone {
	switch state {
	case report.Successful:
		return Good
	case report.Stalled, report.LetGo:
		return Bad
	}
	return Busy
}

// WaitTone is the tone of what a collection waits for.
func WaitTone(what report.WaitsFor) Tone {
	switch what {
	case report.ForNothing:
		return Good
	case report.ForRepair, report.ForNothingEver:
		return Bad
	}
	return Busy
}

// Clean replaces what a terminal would obey instead of showing: names come from others' messages and tables.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
