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

// Malformed runs are named in the error; the others are listed, and the sweep is called.
func TestMalformedRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line, out, err string
		swept          int
	}{
		"Pending": {"pending", "db.core.leased", "Counted", 0},
		"Deliver": {"pending --deliver --yes", "The sweep examined", "Counted", 1},
		"Runs":    {"runs", "half", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			n.troubled("troubled")
			n.broken()
			s := &services{}
			got := s.says(n, "", nil, strings.Fields(c.line)...)
			if got.code != exitFailed || !strings.Contains(got.out, c.out) || s.swept != c.swept ||
				!strings.Contains(got.err, "RegisteredAt") || !strings.Contains(got.err, c.err) {
				t.Errorf("swept %d times, %+v", s.swept, got)
			}
		})
	}
	n := newTables(t)
	n.troubled("troubled")
	n.broken()
	if got := n.says("", "complete-words", "show", "tr"); got.out != "troubled\n" {
		t.Errorf("completion: %+v", got)
	}
	if got := n.says("", "pending", "half"); got.code != exitFailed || !strings.Contains(got.err, "Counted") {
		t.Errorf("the run itself: %+v", got)
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

// --deliver does not depend on the list, but on a run that exists.
func TestDeliverWithoutAList(t *testing.T) {
	t.Parallel()
	for line, c := range map[string]struct {
		code, swept int
		want        string
	}{
		"pending --yes":                   {exitUsage, 0, "--yes only applies to --deliver"},
		"pending --deliver --yes unknown": {exitNotFound, 0, "is in neither table"},
		"pending --deliver --yes half":    {exitFailed, 1, "Counted is a string"},
	} {
		n := newTables(t)
		n.broken()
		s := &services{}
		if got := s.says(n, "", nil, strings.Fields(line)...); got.code != c.code || s.swept != c.swept ||
			!strings.Contains(got.err, c.want) {
			t.Errorf("%s: swept %d times, %+v", line, s.swept, got)
		}
	}
}
