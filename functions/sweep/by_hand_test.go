package sweep_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

// byHand calls the task with an input of a person, as JSON, and returns its answer. The call measures nothing: the sums
// of a sweep that did not take place would end alarms.
func (fx *fixture) byHand(input string) sweep.Answer {
	fx.t.Helper()
	var in sweep.Input
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		fx.t.Fatal(err)
	}
	var out sweep.Output
	measured := fx.Counted(func(ctx context.Context) {
		var err error
		if out, err = fx.task.Handle(ctx, in); err != nil {
			fx.t.Error(err)
		}
	})
	if out.ByHand == nil || out != (sweep.Output{ByHand: out.ByHand}) || len(measured) > 0 {
		fx.t.Fatalf("%+v, measured %v", out, measured)
	}
	return *out.ByHand
}

const (
	abandonRun = `{"abandon": {"correlation_id": "run-1", "reason": "its export failed for good"}}`
	resumeRun  = `{"resume": {"correlation_id": "run-1"}}`
)

// From the abandonment on: no alert, no execution, no metric. From the resumption on: all of them.
func TestARunEndedByHand(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.waits(tasktest.LateAfter)
	fx.complete("run-2")
	at := fx.Now
	if diff := cmp.Diff(sweep.Answer{AbandonedAt: &at}, fx.byHand(abandonRun)); diff != "" {
		t.Error(diff)
	}
	fx.sweep("e1", 0)
	fx.wantStarted("run-2:a")
	fx.passes(time.Hour)
	fx.measures("e2", measured{open: 1, oldestRun: 3600, stalled: 1}) // run-2 alone
	if out, err := fx.handle("e3"); err != nil || out.OpenRuns != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(sweep.Answer{AbandonedAt: &at}, fx.byHand(abandonRun)); diff != "" {
		t.Error("again: ", diff)
	}
	fx.wantAlerts(snapshot.RunStalled) // of run-2
	for _, want := range []sweep.Answer{{Resumed: true}, {}} {
		if diff := cmp.Diff(want, fx.byHand(resumeRun)); diff != "" {
			t.Error(diff)
		}
	}
	fx.sweep("e4", 2)
	fx.wantAlerts(snapshot.RunStalled, snapshot.RunLate)
	line := tasktest.Fields{"reason": "its export failed for good", "correlation_id": tasktest.Run}
	fx.WantLogged("abandoned by hand", line, line)
	fx.WantLogged("taken up again", tasktest.Fields{"correlation_id": tasktest.Run, "was_abandoned": true},
		tasktest.Fields{"was_abandoned": false})
}

// The sweep says that it takes up a run of which a message came.
func TestTakingUpIsLogged(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.waits(tasktest.LateAfter)
	fx.byHand(abandonRun)
	fx.sweep("e1", 0)
	fx.WantNotLogged("taken up again")
	fx.Count("m2 a/f2")
	fx.sweep("e2", 1)
	fx.sweep("e3", 0)
	fx.WantLogged("taken up again", tasktest.Fields{"correlation_id": tasktest.Run, "was_abandoned": true})
}

// What cannot be done is refused in words, without an error of the function. A failure is an error.
func TestByHandRefuses(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.Receive("a", "x")
	fx.Change("a Success -/-")
	fx.notify()
	for input, says := range map[string]string{
		`{"abandon": {"correlation_id": "none", "reason": "x"}}`:  "not in the ledger",
		`{"resume": {"correlation_id": "none"}}`:                  "not in the ledger",
		`{"abandon": {"correlation_id": "run-1", "reason": " "}}`: "the reason is empty",
		abandonRun: "the run is done",
	} {
		if got := fx.byHand(input); !strings.Contains(got.Refused, says) || got.AbandonedAt != nil {
			t.Errorf("%s: answered %+v, want %q", input, got, says)
		}
	}
	both := sweep.Input{Abandon: &sweep.Abandon{}, Resume: &sweep.Resume{}}
	if _, err := fx.task.Handle(t.Context(), both); err == nil || !strings.Contains(err.Error(), "ask for one") {
		t.Errorf("both: %v", err)
	}
	fx.DB.Before = func(tabletest.Call) error { return errDown }
	for _, in := range []sweep.Input{{Abandon: &sweep.Abandon{CorrelationID: tasktest.Run, Reason: "x"}},
		{Resume: &sweep.Resume{CorrelationID: tasktest.Run}}} {
		if _, err := fx.task.Handle(t.Context(), in); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
	}
}
