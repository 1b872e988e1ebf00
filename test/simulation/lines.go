package simulation

import (
	"context"
	"log/slog"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/operator/history"
)

// The tasks write their log lines as the functions do, and package history checks them as it checks the lines of a
// deployment.

// newLog makes the log of all tasks.
func (s *schedule) newLog() *slog.Logger {
	return slog.New(clocked{logging.New(recorder{s}, slog.LevelInfo, "simulation", "", "").Handler(), s})
}

// clocked gives the lines the time of the schedule, and drops those that tell no history.
type clocked struct {
	slog.Handler
	*schedule
}

func (h clocked) Handle(ctx context.Context, record slog.Record) error {
	if !history.Tells(record.Message) {
		return nil
	}
	record.Time = h.clock
	return h.Handler.Handle(ctx, record)
}

// recorder gets each log line.
type recorder struct{ *schedule }

func (r recorder) Write(line []byte) (int, error) {
	event, err := history.Parse(run, line)
	if err != nil {
		r.broke(err.Error())
	}
	r.history.Line(event)
	r.broke(r.history.Broken())
	return len(line), nil
}

// overwritten tells the history that another system changed the status of a row.
func (s *schedule) overwritten(collection string, old, now *snapshot.Row) {
	for _, status := range []snapshot.Status{snapshot.Sent, snapshot.Received} {
		if now != nil && now.Status.Is(status) && (old == nil || !old.Status.Is(status)) {
			s.history.Add(history.Overwritten{Collection: collection, To: status})
		}
	}
}

// newHistory forgets all lines.
func (s *schedule) newHistory() {
	s.history = history.New(run, history.Knowledge{Exempt: s.exempt, Calm: !s.plan.Storm, Complete: true})
}

// checkHistory checks the lines of all tasks against each other when nothing is left to do.
func (s *schedule) checkHistory() {
	for _, found := range s.history.Report().Violations {
		s.broke(found.String())
	}
}

// checkReceipts checks the lines against the receipts too, when the run is over.
func (s *schedule) checkReceipts() {
	ledger := store.New(s.db, s.tables, store.Settings{})
	for _, name := range s.history.Collections() {
		key := snapshot.CollectionKey{CorrelationID: run, CollectionName: name}
		if err := ledger.Receipts(context.Background(), key, s.history.Receipts(name)); err != nil {
			s.broke(err.Error())
		}
	}
	s.checkHistory()
}
