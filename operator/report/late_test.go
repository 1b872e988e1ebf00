package report_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// The tools agree with the sweep about which runs are late. Each run had its first message 5 hours ago.
func TestLate(t *testing.T) {
	t.Parallel()
	unfinished := []store.State{state("Sent", 1, 2)}
	abandoned := notified(0, -1, -1)
	abandoned.Abandoned = true
	for name, c := range map[string]struct {
		run      *snapshot.Run
		rows     []store.State
		after    time.Duration
		deadline bool
		late     bool
		label    string
	}{
		"in time": {notified(0, -1, -1), unfinished, 6 * time.Hour, true, false, "in progress"},
		"late":    {notified(0, -1, -1), unfinished, 5 * time.Hour, true, true, "in progress, late"},
		"never":   {notified(0, -1, -1), unfinished, 0, false, false, "in progress"},
		"all received": {notified(0, 0, -1), []store.State{state("Received", 1, 1)}, time.Hour, true, true,
			"received, late"},
		"successful": {notified(0, 0, 0), []store.State{state("Success", 1, 1)}, time.Hour, false, false,
			"successful"},
		"exported again":      {notified(0, 0, 0), unfinished, time.Hour, false, false, "in progress"},
		"reopened":            {notified(1, 0, 0), unfinished, time.Hour, true, true, "in progress, late"},
		"abandoned":           {abandoned, unfinished, time.Hour, false, false, "abandoned"},
		"without rows":        {notified(0, -1, -1), nil, time.Hour, false, false, "in progress"},
		"not in the ledger":   {nil, unfinished, time.Hour, false, false, "in progress"},
		"neither row nor run": {nil, nil, time.Hour, false, false, "in progress"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := report.Settings{StalledAfter: 24 * time.Hour, LateAfter: snapshot.LateAfter{"": c.after}}
			run := report.New("run", store.RunState{Run: c.run, Collections: c.rows}, settings, now)
			if run.Late != c.late || run.Label() != c.label || (run.Deadline != nil) != c.deadline {
				t.Errorf("late %v, deadline %v, %s", run.Late, run.Deadline, run.Label())
			}
			if want := ago(5*time.Hour - c.after); c.deadline && !run.Deadline.Equal(want) {
				t.Errorf("deadline %s, want %s", run.Deadline, want)
			}
		})
	}
}
