package store

import (
	"context"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// glanceRows is how many rows are read from the watched one on: as many as fit into one read unit (4 KB), at about
// 220 bytes a row. Whoever reads on doubles it from page to page, so that what is read too far stays in proportion.
const glanceRows = 16

// read reads a run, nil if the ledger does not know it: then nothing was counted for it.
func (r *Runs) read(ctx context.Context, correlationID string, consistent bool) (*snapshot.Run, error) {
	item, err := r.DB.Get(ctx, table.Read{Ref: r.runRef(correlationID), Consistent: consistent})
	if err != nil || item == nil {
		return nil, err
	}
	run, err := r.decodeRun(correlationID, item)
	return &run, err
}

// view reads a run as far as a glance needs it. As long as no news was ever claimed, an eventually consistent view is
// enough: it only says which collection to look at first, and if that one is not received, there is no news. Later it
// is not: somebody may have asked a moment ago.
func (r *Runs) view(ctx context.Context, correlationID, claimer string, consistent bool) (*snapshot.Run, error) {
	if !consistent {
		run, err := r.read(ctx, correlationID, false)
		if err != nil || run != nil && !run.News[snapshot.AllReceived].Attempt.Set && run.Watch.Reader != claimer {
			return run, err
		}
	}
	return r.read(ctx, correlationID, true)
}

// glance reads the run and a page of rows from the watched one on. If one of them is in the way of the news that may be
// owed, that is all. Else it returns the run, if it is the claimer's turn to read on.
func (r *Runs) glance(ctx context.Context, correlationID, claimer string, consistent bool) (*snapshot.Run, Verdict, error) {
	run, err := r.view(ctx, correlationID, claimer, consistent)
	if err != nil || run == nil {
		return nil, Verdict{}, err
	}
	if run.Watch.Reader == claimer { // it runs again, or was overtaken: it goes on, and ends what it began
		return run, Verdict{}, nil
	}
	verdict := Verdict{Claimed: run.Held(claimer)}
	news, may := run.MayOwe(r.Now())
	if !may {
		return nil, verdict, nil
	}
	tally := &snapshot.Tally{}
	next, err := r.page(ctx, r.DB, r.rowsFrom(correlationID, run.Watch.CollectionName), r.until(news, tally))
	if err != nil {
		return nil, Verdict{}, err
	}
	if verdict.Blocker, verdict.Blocked = tally.Blocked(news); verdict.Blocked {
		return nil, verdict, nil
	}
	seen := run.Watch.CollectionName
	if run, err = r.takeTurn(ctx, correlationID, claimer); err != nil || run == nil {
		return nil, Verdict{}, err
	}
	if run.Watch.Reader != claimer {
		return nil, Verdict{Claimed: run.Held(claimer)}, nil // whoever reads, sees that we came
	}
	if seen != "" && run.Watch.CollectionName == seen {
		run.Watch.CollectionName = next // up to there nothing is in the way
	}
	return run, Verdict{}, nil
}

// takeTurn counts the claimer among those who want to read on, and makes it the reader unless there is one. It returns
// the run as it then is, nil if it is gone.
func (r *Runs) takeTurn(ctx context.Context, correlationID, claimer string) (*snapshot.Run, error) {
	ref, until := r.runRef(correlationID), r.Now().Add(snapshot.ReaderLease).Unix()
	item, err := r.DB.Update(ctx, table.Write{
		Ref:     ref,
		SetOnce: map[string]any{attrReader: claimer, attrReaderUntil: until},
		Add:     map[string]table.Sum{attrTurns: {N: 1}},
		If:      r.itemExists(),
	})
	if err != nil {
		return nil, unlessOvertaken(err)
	}
	run, err := r.decodeRun(correlationID, item)
	if dead := run.Watch; err == nil && dead.Reader != claimer && dead.ReaderDied(r.Now()) {
		item, err = r.DB.Update(ctx, table.Write{
			Ref: ref,
			Set: map[string]any{attrReader: claimer, attrReaderUntil: until},
			If: []table.Condition{
				{Attribute: attrReader, Operator: table.Equals, Value: dead.Reader},
				{Attribute: attrReaderUntil, Operator: table.Equals, Value: dead.ReaderUntil.Unix()},
			},
		})
		if err != nil {
			return nil, err
		}
		run, err = r.decodeRun(correlationID, item)
	}
	return &run, err
}

// leave ends the reading: it notes which collection is watched from now on, and for which news the questions that it knew
// of are answered. Whoever came meanwhile left it to this reader; if somebody asked another, or if the watched collection
// is out of the way by now, it returns errAgain.
func (r *Runs) leave(ctx context.Context, run snapshot.Run, claimer string, verdict Verdict, found []snapshot.DebtKind) error {
	watched := verdict.Blocker.CollectionName
	write := table.Write{
		Ref:    r.runRef(run.CorrelationID),
		Set:    map[string]any{attrWatch: watched},
		Remove: []string{attrReader, attrReaderUntil},
		If:     []table.Condition{{Attribute: attrReader, Operator: table.Equals, Value: claimer}},
	}
	for _, news := range found {
		write.Set[claimPrefix(news)+newsAnswered] = run.Watch.Asked
	}
	item, err := r.DB.Update(ctx, write)
	if err != nil {
		return err
	}
	left, err := r.decodeRun(run.CorrelationID, item)
	switch {
	case err != nil || left.Watch.Turns == run.Watch.Turns:
		return err
	case left.Watch.Asked != run.Watch.Asked: // whoever came may have come for news that was not looked for
		return errAgain
	case watched == "":
		return nil
	}
	key := snapshot.CollectionKey{CorrelationID: run.CorrelationID, CollectionName: watched}
	item, err = r.DB.Get(ctx, table.Read{Ref: r.rowRef(key), Attributes: rowAttributes, Consistent: true})
	if err != nil {
		return err
	}
	row, err := r.decodeRow(key, item)
	if err == nil && (item == nil || row.Status != verdict.Blocker.Status) {
		return errAgain
	}
	return err
}

// askForNews asks whether news that was told is owed again: the next check reads the run on.
func (t Tables) askForNews(ctx context.Context, db updater, correlationID string) error {
	_, err := db.Update(ctx, table.Write{Ref: t.runRef(correlationID), Add: map[string]table.Sum{attrAsked: {N: 1}}, If: t.itemExists()})
	return unlessOvertaken(err)
}

// tally reads the run's rows from one on, up to the first that is in the news's way. whole reports that none is.
func (r *Runs) tally(ctx context.Context, correlationID, from string, news snapshot.DebtKind) (tally *snapshot.Tally, whole bool, err error) {
	tally = &snapshot.Tally{}
	err = r.eachRow(ctx, r.DB, r.rowsFrom(correlationID, from), r.until(news, tally))
	_, blocked := tally.Blocked(news)
	return tally, !blocked, err
}

// until adds rows to the tally up to the first that is in the news's way.
func (r *Runs) until(news snapshot.DebtKind, tally *snapshot.Tally) visit {
	return func(row snapshot.Row, malformed error) (goOn bool, err error) {
		tally.Add(row, r.Exempt)
		_, blocked := tally.Blocked(news)
		return !blocked, malformed
	}
}

func (r *Runs) rowsFrom(correlationID, from string) table.Query {
	query := r.rowsOf(correlationID)
	query.From, query.Limit = from, glanceRows
	return query
}
