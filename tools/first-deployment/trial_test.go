package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// broken is a deployer that fails.
type broken struct{}

func (broken) deploy(context.Context, []string) error { return errors.New("not bootstrapped") }
func (broken) diff(context.Context, []string) error   { return nil }
func (broken) serve(context.Context, string) error    { return nil }

// The questions about the stack are skipped, and what was created before is removed.
func TestFailedDeploymentIsCleanedUp(t *testing.T) {
	trial := newTestTrial(t, "fails")
	trial.cdk = broken{}
	var questions []question
	for _, q := range trial.questions() {
		if !strings.HasPrefix(q.what, "TestState") {
			questions = append(questions, q)
		}
	}
	trial.askAll(t.Context(), questions)
	var got []string
	for _, f := range trial.facts {
		if f.answer != yes && !(f.answer == notAsked && f.seen == "nothing is deployed") {
			got = append(got, string(f.answer)+" "+f.what+": "+f.seen)
		}
	}
	if diff := cmp.Diff([]string{"NO cdk deploy creates the stack: not bootstrapped"}, got); diff != "" {
		t.Errorf("facts (-want +got)\n%s", diff)
	}
	if want := len(questions) + 4; len(trial.facts) != want { // the stack, its tables, a queue and a topic are removed
		t.Errorf("%d facts, want %d", len(trial.facts), want)
	}
	trial.tablesAre(t, 0)
	trial.isGone(t)
}

// A removal that fails stops no other, and a panic no removal.
func TestCleanUpGoesOnInReverseOrder(t *testing.T) {
	t.Parallel()
	trial := &trial{progress: t.Output()}
	var order []string
	for _, one := range []string{"first", "second", "third"} {
		trial.atEnd(one, func(context.Context) (string, error) {
			order = append(order, one)
			if one == "second" {
				return "", errors.New("refused")
			}
			return "", nil
		})
	}
	func() {
		defer func() {
			if got := recover(); got != "for the test" {
				t.Errorf("recovered %v, want the question's own panic", got)
			}
		}()
		trial.askAll(t.Context(), []question{
			{what: "panics", ask: func(context.Context) (string, error) { panic("for the test") }}})
	}()
	if diff := cmp.Diff([]string{"third", "second", "first"}, order); diff != "" {
		t.Error(diff)
	}
	if allGood(trial.facts) {
		t.Error("all facts are good though one removal failed")
	}
}

func TestUntilPollsUntilDoneOrTimeout(t *testing.T) {
	t.Parallel()
	trial := &trial{}
	trial.pollInterval = time.Microsecond
	asked := 0
	third := func() (bool, error) { asked++; return asked == 3, nil }
	if err := trial.until(t.Context(), time.Hour, third); err != nil || asked != 3 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	never := func() (bool, error) { return false, nil }
	if err := trial.until(t.Context(), 0, never); !errors.Is(err, errTimeout) {
		t.Errorf("without time: %v", err)
	}
	wrong := errors.New("wrong")
	err := trial.until(t.Context(), time.Hour, func() (bool, error) { return false, wrong })
	if !errors.Is(err, wrong) {
		t.Errorf("an error: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := trial.until(cancelled, time.Hour, never); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
