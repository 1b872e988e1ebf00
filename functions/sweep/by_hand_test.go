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

// byHand calls the task with an input of a person, as JSON, and returns its answer.
func (fx *fixture) byHand(input string) sweep.Answer {
	fx.t.Helper()
	var in sweep.Input
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		fx.t.Fatal(err)
	}
	out, err := fx.task.Handle(fx.t.Context(), in)
	if err != nil || out.ByHand == nil || out != (sweep.Output{ByHand: out.ByHand}) {
		fx.t.Fatalf("%+v, %v", out, err)
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
	fx.late()
	fx.run("run-2")
	at := fx.Now
	if diff := cmp.Diff(sweep.Answer{AbandonedAt: &at}, fx.byHand(abandonRun)); diff != "" {
		t.Error(diff)
	}
	fx.machine.started = nil
	fx.sweep("e1", 0)
	if diff := cmp.Diff([]string{"run-2/a"}, fx.machine.started); diff != "" {
		t.Error(diff)
	}
	fx.passes(time.Hour)
	want := sees(1, 3600, 1, 0) // run-2 alone
	if diff := cmp.Diff(want, fx.seen("e2")); diff != "" {
		t.Error(diff)
	}
	out, err := fx.handle("e3")
	if err != nil || out.OpenRuns != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(sweep.Answer{AbandonedAt: &at}, fx.byHand(abandonRun)); diff != "" {
		t.Error("again: ", diff)
	}
	fx.monitoring.alerts = nil
	for _, want := range []sweep.Answer{{Resumed: true}, {}} {
		if diff := cmp.Diff(want, fx.byHand(resumeRun)); diff != "" {
			t.Error(diff)
		}
	}
	fx.sweep("e4", 2)
	if diff := cmp.Diff([]snapshot.Kind{snapshot.RunStalled, snapshot.RunLate}, fx.kinds()); diff != "" {
		t.Error(diff)
	}
	logged := fx.Logged("abandoned by hand")
	if len(logged) != 2 || logged[0]["reason"] != "its export failed for good" ||
		logged[0]["correlation_id"] != tasktest.Run || len(fx.Logged("taken up again")) != 2 {
		t.Errorf("logged %v", logged)
	}
}

// The sweep says that it takes up a run of which a message came.
func TestTakingUpIsLogged(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.late()
	fx.byHand(abandonRun)
	fx.sweep("e1", 0)
	if logged := fx.Logged("taken up again"); len(logged) != 0 {
		t.Errorf("too early: %v", logged)
	}
	fx.Count(tasktest.Message("m2", tasktest.Body("a", "f2")))
	fx.sweep("e2", 1)
	fx.sweep("e3", 0)
	if logged := fx.Logged("taken up again"); len(logged) != 1 || logged[0]["correlation_id"] != tasktest.Run {
		t.Errorf("logged %v", logged)
	}
}

// A call by a person measures nothing: the sums of a sweep that did not take place would end alarms.
func TestByHandMeasuresNothing(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	fx.late()
	if got := fx.Counted(func(ctx context.Context) {
		if _, err := fx.task.Handle(ctx, sweep.Input{Abandon: &sweep.Abandon{CorrelationID: tasktest.Run,
			Reason: "gone"}}); err != nil {
			t.Error(err)
		}
	}); len(got) != 0 {
		t.Errorf("measured %v", got)
	}
}

// What cannot be done is refused in words, without an error of the function. A failure is an error.
func TestByHandRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ input, says string }{
		"unknown":         {`{"abandon": {"correlation_id": "none", "reason": "x"}}`, "not in the ledger"},
		"unknown, resume": {`{"resume": {"correlation_id": "none"}}`, "not in the ledger"},
		"no reason":       {`{"abandon": {"correlation_id": "run-1", "reason": " "}}`, "the reason is empty"},
		"a long reason": {`{"abandon": {"correlation_id": "run-1", "reason": "` + strings.Repeat("x", 1025) + `"}}`,
			"has 1025 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.late()
			if got := fx.byHand(c.input); !strings.Contains(got.Refused, c.says) || got.AbandonedAt != nil {
				t.Errorf("answered %+v, want %q", got, c.says)
			}
		})
	}
	fx := newFixture(t)
	both := sweep.Input{Abandon: &sweep.Abandon{}, Resume: &sweep.Resume{}}
	if _, err := fx.task.Handle(t.Context(), both); err == nil || !strings.Contains(err.Error(), "ask for one") {
		t.Errorf("both: %v", err)
	}
	fx.late()
	fx.DB.Before = func(tabletest.Call) error { return errDown }
	for _, in := range []sweep.Input{{Abandon: &sweep.Abandon{CorrelationID: tasktest.Run, Reason: "x"}},
		{Resume: &sweep.Resume{CorrelationID: tasktest.Run}}} {
		if _, err := fx.task.Handle(t.Context(), in); !errors.Is(err, errDown) {
			t.Errorf("got %v", err)
		}
	}
}
