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
	"snapshot-status-checker/internal/store"
)

const stalledAfter = time.Hour

// bench is the task with what it works on.
type bench struct {
	*World
	t          *testing.T
	looks      *starter
	monitoring *monitoring
	task       *sweep.Task
}

func newBench(t *testing.T) *bench {
	b := &bench{World: New(t), t: t, looks: &starter{}, monitoring: &monitoring{}}
	sweeper := &store.Sweeper{DB: b.DB, Tables: b.Tables, StalledAfter: stalledAfter, Now: func() time.Time { return b.Now },
		Pause: func(ctx context.Context, _ int) error { return ctx.Err() }}
	b.task = sweep.New(sweeper, b.looks, b.monitoring, b.Log)
	return b
}

func (b *bench) handle(execution string) (sweep.Output, error) {
	b.t.Helper()
	return b.task.Handle(b.t.Context(), sweep.Input{ExecutionID: execution})
}

// sweep sweeps without trouble and wants so many reports.
func (b *bench) sweep(execution string, reports int) {
	b.t.Helper()
	before := len(b.monitoring.reports)
	out, err := b.handle(execution)
	if err != nil {
		b.t.Fatal(err)
	}
	if sent := len(b.monitoring.reports) - before; sent != reports || out.Reports != reports {
		b.t.Errorf("sweep %s sent %d reports and says %d, want %d", execution, sent, out.Reports, reports)
	}
}

// run registers a run with one collection, which nobody looked at since it is complete.
func (b *bench) run(correlationID string) {
	b.t.Helper()
	b.DB.Put(b.Tables.Status.At(correlationID, "a"), Sent(1))
	b.Count(Message(correlationID+"-m", strings.Replace(Body("a", "f"), Run, correlationID, 1)))
}

// stalls makes the world's run stall for the sweeps of now: it was seen standing still.
func (b *bench) stalls() (since time.Time) {
	b.t.Helper()
	b.Put("a", Sent(9))
	b.Count(Message("m1", Body("a", "f")))
	b.sweep("before", 0)
	since = b.Now
	b.Now = b.Now.Add(stalledAfter)
	return since
}

// starter records the looks, one string an execution: "run-1/a run-1/b".
type starter struct {
	started []string
	fail    func(snapshot.CollectionKey) error // of an execution's first collection
}

func (s *starter) Start(_ context.Context, collections []snapshot.CollectionKey) error {
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

// monitoring records the reports.
type monitoring struct {
	reports []snapshot.Debt
	holders []snapshot.Holders
	runs    []snapshot.Run
	fail    error
}

func (m *monitoring) Report(_ context.Context, report snapshot.Debt, run snapshot.Run, holders snapshot.Holders) error {
	if m.fail != nil {
		return m.fail
	}
	m.reports, m.runs, m.holders = append(m.reports, report), append(m.runs, run), append(m.holders, holders)
	return nil
}
