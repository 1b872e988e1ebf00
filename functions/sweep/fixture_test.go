package sweep_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
)

const stalledAfter = time.Hour

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
	fx.task = sweep.New(fx.Store, fx.machine, fx.monitoring, fx.Log)
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
	if err != nil {
		fx.t.Fatal(err)
	}
	if sent := len(fx.monitoring.alerts) - before; sent != alerts || out.Alerts != alerts {
		fx.t.Errorf("sweep %s sent %d alerts and says %d, want %d", execution, sent, out.Alerts, alerts)
	}
}

// run registers a run with one complete collection that is not reconciled.
func (fx *fixture) run(correlationID string) {
	fx.t.Helper()
	fx.PutAt(fx.Names.Status.At(correlationID, "a"), tasktest.Sent(1))
	fx.Count(tasktest.Message(correlationID+"-m", strings.Replace(tasktest.Body("a", "f"), tasktest.Run, correlationID,
		1)))
}

// stalls makes the test's run stall: a sweep stored its progress an hour ago.
func (fx *fixture) stalls() (since time.Time) {
	fx.t.Helper()
	fx.Put("a", tasktest.Sent(9))
	fx.Count(tasktest.Message("m1", tasktest.Body("a", "f")))
	fx.sweep("before", 0)
	since = fx.Now
	fx.Now = fx.Now.Add(stalledAfter)
	return since
}

// starter records the executions, each as "run-1/a run-1/b".
type starter struct {
	started []string
	fail    func(snapshot.CollectionKey) error // of an execution's first collection
}

func (s *starter) Reconcile(_ context.Context, collections []snapshot.CollectionKey) error {
	if s.fail != nil {
		if err := s.fail(collections[0]); err != nil {
			return err
		}
	}
	var names []string
	for _, key := range collections {
		names = append(names, fmt.Sprintf("%s/%s", key.CorrelationID, key.CollectionName))
	}
	s.started = append(s.started, strings.Join(names, " "))
	return nil
}

// monitoring records the alerts.
type monitoring struct {
	alerts   []snapshot.Outgoing
	exports  []snapshot.Export
	blockers []snapshot.Blockers
	fail     error
	refuses  snapshot.Kind // of which every alert fails
}

func (m *monitoring) Alert(
	_ context.Context, out snapshot.Outgoing, export snapshot.Export, blockers snapshot.Blockers,
) error {
	if m.fail != nil {
		return m.fail
	}
	if out.Kind == m.refuses {
		return errDown
	}
	m.alerts, m.exports, m.blockers = append(m.alerts, out), append(m.exports, export), append(m.blockers, blockers)
	return nil
}
