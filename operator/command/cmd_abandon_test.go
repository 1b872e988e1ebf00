package command

import (
	"strings"
	"testing"
	"time"
)

// A person abandons a run, sees it, and takes it up again.
func TestAbandonAndTakeUpAgain(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.troubled("troubled")
	s := &services{}
	says := func(code int, want string, args ...string) {
		t.Helper()
		got := s.says(n, "", nil, args...)
		if got.code != code || !strings.Contains(got.out, want) || got.err != "" {
			t.Errorf("%v: %+v, want %s", args, got, want)
		}
		if args[len(args)-1] == "json" {
			matchesSchema(t, strings.Join(args, " "), got.out, got.code)
		}
	}
	const reason = "--reason=the exporter's host is gone"
	says(exitOK, "Abandoned troubled.", "abandon", "troubled", reason, "--yes")
	at := `"at": "` + n.now.Format(time.RFC3339) + `"`
	n.later(time.Minute)
	says(exitOK, at, "abandon", "troubled", reason, "--yes", "-o", "json") // keeps its time
	says(exitNotDone, "the exporter's host is gone", "show", "troubled")
	says(exitOK, `"state": "abandoned"`, "runs", "-o", "json")
	says(exitNotDone, `"reason": "the exporter's host is gone"`, "why", "troubled", "-o", "json")
	says(exitOK, "This takes it up again.", "reconcile", "troubled")
	says(exitOK, `"resumed": false`, "reconcile", "troubled", "-o", "json")
	says(exitOK, `"resumed": true`, "reconcile", "--yes", "troubled", "-o", "json")
	if s.started != 1 || s.swept != 3 {
		t.Errorf("%d executions, %d calls of the sweep", s.started, s.swept)
	}
	says(exitOK, `"state": "in progress"`, "runs", "-o", "json")
	says(exitOK, `"resumed": false`, "reconcile", "--yes", "troubled", "-o", "json")
	if s.swept != 3 {
		t.Error("taken up twice")
	}
}

// An abandoned run of which no collection waits is taken up again too.
func TestTakeUpARunWithoutRows(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.row("run", "db.core.one", "Sent", 2)
	n.arrive("run", "db.core.one", "one")
	n.db.Put(n.tables.Status.At("run", "db.core.one"), nil)
	s := &services{}
	for _, c := range []struct{ line, want string }{
		{"abandon run --reason=x --yes", "Abandoned run."},
		{"reconcile run", "run was abandoned by hand. This takes it up again. To do it, add --yes\nNo collection"},
		{"reconcile run --yes", "Taken up again: run was abandoned by hand.\nNo collection"},
		{"reconcile run", "No collection"},
	} {
		if got := s.says(n, "", nil, strings.Fields(c.line)...); got.code != exitOK ||
			!strings.HasPrefix(got.out, c.want) {
			t.Errorf("%s: %+v, want %s", c.line, got, c.want)
		}
	}
}

// A message takes a run up again: the commands say so before the sweep has noticed.
func TestAMessageTakesUpAnAbandonedRun(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.endedByHand("run")
	if got := n.says("", "pending"); got.code != exitOK {
		t.Errorf("its messages are pending: %+v", got)
	}
	n.arrive("run", "db.core.waits", "late")
	if got := n.says("", "show", "run"); strings.Contains(got.out, "abandoned") {
		t.Errorf("still abandoned: %+v", got)
	}
	if got := n.says("", "pending"); got.code != exitNotDone {
		t.Errorf("nothing is pending: %+v", got)
	}
}
