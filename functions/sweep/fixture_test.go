package sweep_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
)

const stalledAfter = time.Hour

// bench is the task with what it works on.
type bench struct {
	*World
	t          *testing.T
	machine    *starter
	monitoring *monitoring
	task       *sweep.Task
}

func newBench(t *testing.T) *bench {
	b := &bench{World: New(t), t: t, machine: &starter{}, monitoring: &monitoring{}}
	b.task = sweep.New(b.Store, b.machine, b.monitoring, b.Log)
	return b
}

func (b *bench) handle(execution string) (sweep.Output, error) {
	b.t.Helper()
	return b.task.Handle(b.t.Context(), sweep.Input{ExecutionID: execution})
}

// sweep sweeps without trouble and wants so many alerts.
func (b *bench) sweep(execution string, alerts int) {
	b.t.Helper()
	before := len(b.monitoring.alerts)
	out, err := b.handle(execution)
	if err != nil {
		b.t.Fatal(err)
	}
	if sent := len(b.monitoring.alerts) - before; sent != alerts || out.Alerts != alerts {
		b.t.Errorf("sweep %s sent %d alerts and says %d, want %d", execution, sent, out.Alerts, alerts)
	}
}

// run registers a run with one collection, which nobody reconciled since it is complete.
func (b *bench) run(correlationID string) {
	b.t.Helper()
	b.PutAt(b.Tables.Status.At(correlationID, "a"), Sent(1))
	b.Count(Message(correlationID+"-m", strings.Replace(Body("a", "f"), Run, correlationID, 1)))
}

// stalls makes the world's run stall for the sweeps of now: it was seen without progress.
func (b *bench) stalls() (since time.Time) {
	b.t.Helper()
	b.Put("a", Sent(9))
	b.Count(Message("m1", Body("a", "f")))
	b.sweep("before", 0)
	since = b.Now
	b.Now = b.Now.Add(stalledAfter)
	return since
}

// starter records what is reconciled, one string an execution: "run-1/a run-1/b".
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
}

func (m *monitoring) Alert(
	_ context.Context, out snapshot.Outgoing, export snapshot.Export, blockers snapshot.Blockers,
) error {
	if m.fail != nil {
		return m.fail
	}
	m.alerts, m.exports, m.blockers = append(m.alerts, out), append(m.exports, export), append(m.blockers, blockers)
	return nil
}
