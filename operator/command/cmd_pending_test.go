package command

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/table"
)

// broken are a run whose item is malformed, and one with a malformed collection in the ledger.
func (n *tables) broken() {
	n.Helper()
	n.stored("broken", map[string]any{"CorrelationId": "broken", "RegisteredAt": "yesterday"})
	n.row("half", "db.a", "Sent", 2)
	n.arrive("half", "db.a", "file")
	_, err := n.db.Update(n.Context(), table.Write{Ref: n.tables.Ledger.At("collection#half#db.a", "collection"),
		Set: map[string]any{"Counted": "many"}})
	n.must(err)
}

// Malformed runs are named in the error; the others are listed, and the sweep is called, but not for a run that does
// not exist.
func TestMalformedRuns(t *testing.T) {
	t.Parallel()
	for line, c := range map[string]struct {
		said
		swept int
	}{
		"pending":                         {said{exitFailed, "db.core.leased", "RegisteredAt"}, 0},
		"pending half":                    {said{exitFailed, "", "Counted is a string"}, 0},
		"pending --yes":                   {said{exitUsage, "", "--yes only applies to --deliver"}, 0},
		"pending --deliver --yes":         {said{exitFailed, "The sweep examined", "RegisteredAt"}, 1},
		"pending --deliver --yes half":    {said{exitFailed, "", "Counted is a string"}, 1},
		"pending --deliver --yes unknown": {said{exitNotFound, "", "is in neither table"}, 0},
		"runs":                            {said{exitFailed, "half", "RegisteredAt"}, 0},
		"complete-words show tr":          {said{exitOK, "troubled\n", ""}, 0},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			n.troubled("troubled")
			n.broken()
			s := &services{}
			got := s.says(n, "", nil, strings.Fields(line)...)
			if got.code != c.code || !strings.Contains(got.out, c.out) || !strings.Contains(got.err, c.err) ||
				s.swept != c.swept || line == "pending" && !strings.Contains(got.err, "Counted") {
				t.Errorf("swept %d times, %+v, want %+v", s.swept, got, c)
			}
		})
	}
}

// A run that was settled and then reopened is read, though no sweep has examined it since.
func TestPendingOfAReopenedRun(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.abandoned("run")
	settled := map[string]any{"Abandoned": false, "Settled": true, "ProgressSince": n.now.Unix()}
	n.stored("run", settled)
	if got := n.says("", "pending"); got.code != exitOK {
		t.Errorf("settled: %+v", got)
	}
	for _, later := range []time.Duration{0, time.Minute} {
		n.stored("run", map[string]any{"Generation": int64(1), "ReopenedAt": n.now.Add(later).Unix()})
		if got := n.says("", "pending"); got.code != exitNotDone || !strings.Contains(got.out, "db.core.dead") {
			t.Errorf("reopened %s later: %+v", later, got)
		}
	}
}
