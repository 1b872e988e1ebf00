package command

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
)

// A person abandons a run, sees it, and takes it up again.
func TestAbandonAndTakeUpAgain(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	n.troubled("troubled")
	s := &services{tables: n}
	says := func(code int, want string, args ...string) {
		t.Helper()
		got := s.says(n, "", nil, args...)
		if got.code != code || !strings.Contains(got.out, want) || got.err != "" {
			t.Errorf("%v: %+v, want %s", args, got, want)
		}
		if args[len(args)-1] == "json" {
			matchesSchema(t, args[0], got.out)
		}
	}
	const reason = "--reason=the exporter's host is gone"
	says(exitOK, "To do it, add --yes", "abandon", "troubled", reason)
	says(exitOK, `"abandoned": false`, "abandon", "troubled", reason, "-o", "json")
	if s.swept > 0 {
		t.Fatal("a dry run called the sweep")
	}
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
	s := &services{tables: n}
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

// An error says what took effect.
func TestErrorsOfAbandon(t *testing.T) {
	t.Parallel()
	full := writer(func([]byte) (int, error) { return 0, errors.New("no space left on device") })
	fails := func(action string, err error) map[string]error { return map[string]error{action: err} }
	const abandon = "abandon troubled --reason=x --yes"
	for name, c := range map[string]struct {
		fail  map[string]error
		out   io.Writer
		old   bool // the deployed sweep is
		line  string
		want  string
		state report.State // afterwards
	}{
		"Denied": {fails("Invoke", httpStatus(http.StatusForbidden)), nil, false, abandon, "nothing was changed",
			report.Stalled},
		"Lost":      {fails("answer", errLost), nil, false, abandon, "trying again is safe", report.Abandoned},
		"Unwritten": {nil, full, false, abandon, "no space left on device; the run was abandoned", report.Abandoned},
		"OldSweep":  {nil, nil, true, abandon, "of an earlier version", report.Stalled},
		"NotStarted": {fails("StartExecution", httpStatus(http.StatusForbidden)), nil, false,
			"reconcile ended --yes", "; the run was taken up again", report.Stalled},
		"NotResumed": {fails("Invoke", httpStatus(http.StatusForbidden)), nil, false, "reconcile ended --yes",
			"nothing was changed", report.Stalled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			n.troubled("troubled")
			n.endedByHand("ended")
			s := &services{fail: c.fail, tables: n}
			if c.old {
				s.tables = nil
			}
			got := s.says(n, "", c.out, strings.Fields(c.line)...)
			if got.code != exitFailed || !strings.Contains(got.err, c.want) || strings.Count(got.err, "\n") != 1 {
				t.Errorf("%+v, want %s", got, c.want)
			}
			if after := n.says("", "show", "troubled"); !strings.Contains(after.out, ": "+string(c.state)) {
				t.Errorf("afterwards: %s", after.out)
			}
			if name == "NotResumed" && s.started > 0 {
				t.Error("an execution was started for a run that the sweep still ignores")
			}
		})
	}
	if err := afterEffects(nil, []string{"done"}); err != nil || deployment.AfterEffect(nil, "x") != nil {
		t.Error(err)
	}
}
