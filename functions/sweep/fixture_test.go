package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
)

const stalledAfter = tasktest.StalledAfter

var errDown = errors.New("service is down")

// fixture is the task with its tables, its state machine and its monitoring.
type fixture struct {
	*tasktest.Tables
	t          *testing.T
	machine    *starter
	monitoring *monitoring
	task       *sweep.Task
}

func newFixture(t *testing.T) *fixture {
	fx := &fixture{Tables: tasktest.New(t), t: t, machine: &starter{}, monitoring: &monitoring{}}
	fx.task = sweep.New(fx.Store, &machine.Machine{SFN: fx.machine, ARN: "arn"}, fx.monitoring, fx.Log)
	return fx
}

func (fx *fixture) handle(execution string) (sweep.Output, error) {
	fx.t.Helper()
	return fx.task.Handle(fx.t.Context(), sweep.Input{ExecutionID: execution})
}

// sweep sweeps without failures and expects so many alerts.
func (fx *fixture) sweep(execution string, alerts int) {
	fx.t.Helper()
	before := len(fx.monitoring.alerts)
	out, err := fx.handle(execution)
	if sent := len(fx.monitoring.alerts) - before; err != nil || sent != alerts || out.Alerts != alerts {
		fx.t.Errorf("sweep %s: %v, sent %d alerts and says %d, want %d", execution, err, sent, out.Alerts, alerts)
	}
}

func (fx *fixture) passes(d time.Duration) { fx.Now = fx.Now.Add(d) }

// complete registers runs with one complete collection that is not reconciled.
func (fx *fixture) complete(runs ...string) {
	fx.t.Helper()
	for _, run := range runs {
		fx.Put(run + ":a Sent 0/1")
		fx.Count(run + "-m " + run + ":a/f")
	}
}

// waits makes the test's run wait for files. A sweep stores its progress, then d passes.
func (fx *fixture) waits(d time.Duration) {
	fx.t.Helper()
	fx.Put("a Sent 0/9")
	fx.Count("m1 a/f")
	fx.sweep("before", 0)
	fx.passes(d)
}

// notify enqueues and delivers the notifications of a successful run.
func (fx *fixture) notify() {
	fx.t.Helper()
	pending := fx.Check("a", "notifies", snapshot.Notifications...)
	if len(pending) != 2 {
		fx.t.Fatalf("pending: %+v", pending)
	}
	fx.Deliver("notifies", pending...)
}

// wantStarted wants the executions since the last call, each as "run-1:a run-1:b".
func (fx *fixture) wantStarted(want ...string) {
	fx.t.Helper()
	if diff := cmp.Diff(want, fx.machine.started); diff != "" {
		fx.t.Error("started:", diff)
	}
	fx.machine.started = nil
}

// wantAlerts wants the kinds of the alerts since the last call.
func (fx *fixture) wantAlerts(want ...snapshot.Kind) {
	fx.t.Helper()
	var kinds []snapshot.Kind
	for _, alert := range fx.monitoring.alerts {
		kinds = append(kinds, alert.out.Kind)
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		fx.t.Error("alerted:", diff)
	}
	fx.monitoring.alerts = nil
}

// starter records the executions, as Step Functions reads their inputs: of up to 256 KiB
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
type starter struct {
	started []string
	fail    string // the run whose executions do not start
}

func (s *starter) StartExecution(
	_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options),
) (*sfn.StartExecutionOutput, error) {
	collections, ok, err := snapshot.Reconcilable([]byte(*in.Input))
	if !ok || err != nil || len(*in.Input) > 256*1024 {
		return nil, fmt.Errorf("an input of %d bytes asks for nothing or is too long: %w", len(*in.Input), err)
	}
	var names []string
	for _, key := range collections {
		if key.CorrelationID == s.fail {
			return nil, errDown
		}
		names = append(names, key.CorrelationID+":"+key.CollectionName)
	}
	s.started = append(s.started, strings.Join(names, " "))
	return &sfn.StartExecutionOutput{}, nil
}

type alert struct {
	out      snapshot.Outgoing
	export   snapshot.Export
	blockers snapshot.Blockers
}

// monitoring records the alerts.
type monitoring struct {
	alerts []alert
	fail   snapshot.Kind // of which every alert fails
}

func (m *monitoring) Alert(
	_ context.Context, out snapshot.Outgoing, export snapshot.Export, blockers snapshot.Blockers,
) error {
	if out.Kind == m.fail {
		return errDown
	}
	m.alerts = append(m.alerts, alert{out, export, blockers})
	return nil
}
