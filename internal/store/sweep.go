package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// SweepDB is what sweeping asks of the tables.
type SweepDB interface {
	Query(context.Context, table.Query) (table.Page, error)
	GetMany(context.Context, []table.Read) (map[table.Ref]table.Item, error)
	Update(context.Context, table.Write) (table.Item, error)
}

// Sweeper finds what no event will finish any more: debts whose claimer died, rows that are behind, runs
// that have stalled.
type Sweeper struct {
	DB SweepDB
	Tables
	Exempt       []snapshot.Status
	StalledAfter time.Duration
	Now          func() time.Time
	Pause        Pause
}

// Examination is what a sweep found about one run.
type Examination struct {
	Looks   []snapshot.CollectionKey // collections to look at
	Report  *snapshot.Debt           // the report that the claimer has to deliver now, if any
	Holders snapshot.Holders         // for the report
	LetGo   bool                     // the run is to be let go

	Open      bool      // something is left to do for the run
	Stalled   bool      // it is open and stands still for too long, whether that was reported or not
	OwedSince time.Time // since when the oldest of its debts has been owed, at least; zero if nothing is

	Malformed error // *failure.Malformed for each row that nobody can read; the others were examined all the same
}

// OpenRuns lists the runs that are looked after, over all pages. To find one whose first message was counted
// a moment ago, it reads strongly consistent. Runs that cannot be read come as an error beside the others, a
// *failure.Malformed for each.
func (s *Sweeper) OpenRuns(ctx context.Context) (runs []snapshot.Run, err error) {
	err = s.Pause.tries(ctx, "listing the open runs", func() error {
		runs, err = s.openRuns(ctx)
		return err
	})
	return runs, err
}

func (s *Sweeper) openRuns(ctx context.Context) ([]snapshot.Run, error) {
	runs, err := s.runs(ctx, s.DB)
	return slices.DeleteFunc(runs, func(run snapshot.Run) bool { return run.LetGo }), err
}

// Examine reads a run whole, remembers its progress, and claims the report that is due. Examining again as
// the same claimer returns the report that it holds and has not delivered.
func (s *Sweeper) Examine(ctx context.Context, run snapshot.Run, claimer string) (found Examination, err error) {
	err = s.Pause.tries(ctx, "examining a run", func() error {
		found, err = s.examine(ctx, run, claimer)
		return err
	})
	return found, err
}

func (s *Sweeper) examine(ctx context.Context, run snapshot.Run, claimer string) (Examination, error) {
	rows, tally, malformed, err := s.rows(ctx, run.CorrelationID)
	if err != nil {
		return Examination{}, err
	}
	found := Examination{Holders: tally.Holders(), LetGo: run.LettingGo(s.Now()), Malformed: malformed}
	progress, stalled := run.Stall(tally, s.Now(), s.StalledAfter)
	if !progress.Settled {
		collections, err := s.collections(ctx, s.DB, rows)
		if err != nil {
			return found, err
		}
		found.OwedSince = run.OwedSince(tally, rows, collections, progress.Since)
		if found.Looks, progress.Settled, err = s.looks(ctx, run, rows, collections, tally); err != nil {
			return found, err
		}
	}
	found.Open = !progress.Settled && tally.Rows > 0
	found.Stalled = found.Open && stalled
	if progress != run.Progress {
		if err := s.remember(ctx, run, progress); err != nil {
			return found, err
		}
	}
	switch {
	case found.LetGo && tally.Rows > 0 && !run.Done(tally):
		found.Report, err = s.report(ctx, run, snapshot.RunLetGo, run.RegisteredAt, claimer)
		found.LetGo = found.Report != nil || run.News[snapshot.RunLetGo].Settles(run.RegisteredAt.Unix())
	case stalled && tally.Rows > 0:
		found.Report, err = s.report(ctx, run, snapshot.RunStalled, progress.Since, claimer)
	}
	return found, err
}

// Settle ends the examination: the report, if there is one, was delivered, and a run that is old enough is let
// go. What is counted stays, and its messages are counted as before.
func (s *Sweeper) Settle(ctx context.Context, run snapshot.Run, found Examination) error {
	return s.Pause.tries(ctx, "settling a run", func() error { return s.settle(ctx, run, found) })
}

func (s *Sweeper) settle(ctx context.Context, run snapshot.Run, found Examination) error {
	ref := s.runRef(run.CorrelationID)
	if report := found.Report; report != nil {
		if err := delivered(ctx, s.DB, ref, report.Kind, report.Attempt); err != nil {
			return err
		}
	}
	if !found.LetGo {
		return nil
	}
	_, err := s.DB.Update(ctx, table.Write{Ref: ref, Set: map[string]any{attrLetGo: true}, If: s.itemExists()})
	return unlessOvertaken(err)
}

// looks lists the collections for which there is something to do: a step that is due, or news of the run
// that is due after it. While a claimer lives, what it claimed is not due, but the run is not settled.
func (s *Sweeper) looks(ctx context.Context, run snapshot.Run, rows []snapshot.Row, collections []snapshot.Collection, tally *snapshot.Tally) (due []snapshot.CollectionKey, settled bool, err error) {
	settled = run.Done(tally)
	for i, row := range rows {
		if snapshot.NextStep(row, collections[i], "", s.Now()) != snapshot.Rest {
			due = append(due, row.CollectionKey)
		}
		settled = settled && !collections[i].RequestOwed(row)
	}
	for _, news := range snapshot.News {
		if len(due) == 0 && tally.True(news) && run.NewsFree(news, tally.Attempts, "", s.Now()) {
			due = append(due, rows[0].CollectionKey)
			if err := s.askForNews(ctx, s.DB, run.CorrelationID); err != nil {
				return nil, false, err
			}
		}
	}
	return due, settled && len(due) == 0, nil
}

// rows reads the run's rows. One that breaks the table's contract holds the run, and is in the tally only.
func (s *Sweeper) rows(ctx context.Context, correlationID string) (rows []snapshot.Row, tally *snapshot.Tally, malformed, err error) {
	tally = &snapshot.Tally{}
	err = s.eachRow(ctx, s.DB, s.rowsOf(correlationID), func(row snapshot.Row, broken error) (goOn bool, err error) {
		if broken != nil {
			malformed = errors.Join(malformed, broken)
			row = snapshot.Row{CollectionKey: row.CollectionKey, Status: "Malformed row"}
		} else {
			rows = append(rows, row)
		}
		tally.Add(row, s.Exempt)
		return true, nil
	})
	return rows, tally, malformed, err
}

func (s *Sweeper) remember(ctx context.Context, run snapshot.Run, progress snapshot.Progress) error {
	_, err := s.DB.Update(ctx, table.Write{
		Ref: s.runRef(run.CorrelationID),
		Set: map[string]any{attrProgress: progress.Sums, attrProgressSince: progress.Since.Unix(), attrSettled: progress.Settled},
		If:  s.itemExists(),
	})
	return unlessOvertaken(err)
}

func (s *Sweeper) report(ctx context.Context, run snapshot.Run, kind snapshot.DebtKind, since time.Time, claimer string) (*snapshot.Debt, error) {
	debt := run.Debt(kind, since.Unix())
	old := run.News[kind]
	if old.HeldBy(claimer, debt.Attempt) {
		return &debt, nil
	}
	if !old.Free(debt.Attempt, claimer, s.Now()) {
		return nil, nil
	}
	err := claim(ctx, s.DB, s.runRef(run.CorrelationID), kind, old,
		snapshot.Claim{Attempt: snapshot.Count(debt.Attempt), By: claimer, Until: s.Now().Add(snapshot.Lease)})
	if err != nil {
		return nil, unlessOvertaken(err)
	}
	return &debt, nil
}
