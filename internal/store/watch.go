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
// is not: somebody may have asked a moment ago. A successful collection tells that it is later.
func (r *Runs) view(ctx context.Context, correlationID string, reached snapshot.Status) (*snapshot.Run, error) {
	if !reached.Is(snapshot.Success) {
		run, err := r.read(ctx, correlationID, false)
		if err != nil || run != nil && !run.News[snapshot.AllReceived].Attempt.Set {
			return run, err
		}
	}
	return r.read(ctx, correlationID, true)
}

// glance reads the run and what it watches. If that is not in the way of the news that may be owed, it asks for the
// run to be read on, and returns the run if that is for the claimer to do.
func (r *Runs) glance(ctx context.Context, correlationID, claimer string, reached snapshot.Status) (Verdict, *snapshot.Run, error) {
	run, err := r.view(ctx, correlationID, reached)
	if err != nil || run == nil {
		return Verdict{}, nil, err
	}
	if run.Watch.Reader == claimer { // it runs again: it goes on, and ends what it began
		run, err = r.read(ctx, correlationID, true)
		return Verdict{}, run, err
	}
	verdict := Verdict{Claimed: run.Held(claimer)}
	news, may := run.MayOwe(r.Now())
	if !may {
		return verdict, nil, nil
	}
	tally := &snapshot.Tally{}
	if _, err := r.page(ctx, r.DB, r.rowsFrom(correlationID, run.Watch.CollectionName), r.until(news, tally)); err != nil {
		return Verdict{}, nil, err
	}
	if verdict.Blocker, verdict.Blocked = tally.Blocked(news); verdict.Blocked {
		return verdict, nil, nil
	}
	if run, err = r.ask(ctx, correlationID, news, claimer); err != nil || run == nil {
		return Verdict{}, nil, err
	}
	if run.Watch.Reader != claimer {
		return Verdict{Claimed: run.Held(claimer)}, nil, nil
	}
	return Verdict{}, run, nil
}

// ask asks for the run to be read on, and makes the claimer its reader unless there is one: that one sees that we
// asked, and reads again. Asking twice costs a reading. It returns the run as it then is, nil if it is gone.
func (r *Runs) ask(ctx context.Context, correlationID string, news snapshot.DebtKind, claimer string) (*snapshot.Run, error) {
	ref, until := r.runRef(correlationID), r.Now().Add(snapshot.ReaderLease).Unix()
	item, err := r.DB.Update(ctx, table.Write{
		Ref:     ref,
		SetOnce: map[string]any{attrReader: claimer, attrReaderUntil: until},
		Add:     map[string]table.Sum{claimPrefix(news) + newsAsked: {N: 1}},
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

// endReading notes what is watched from now on and which news was found true. It fails with table.ErrConditionFailed,
// and the reader stays the reader, if somebody asked since the run was read.
func (r *Runs) endReading(ctx context.Context, run snapshot.Run, claimer string, watched snapshot.Blocker, found []snapshot.DebtKind) error {
	write := table.Write{
		Ref:    r.runRef(run.CorrelationID),
		Set:    map[string]any{attrWatch: watched.CollectionName},
		Remove: []string{attrReader, attrReaderUntil},
		If:     []table.Condition{{Attribute: attrReader, Operator: table.Equals, Value: claimer}},
	}
	for _, news := range snapshot.News {
		asked := snapshot.Counter{N: run.Watch.Asked[news], Set: run.Watch.Asked[news] != 0}
		write.If = append(write.If, asRead(claimPrefix(news)+newsAsked, asked))
	}
	for _, news := range found {
		write.Set[claimPrefix(news)+newsAnswered] = run.Watch.Asked[news]
	}
	_, err := r.DB.Update(ctx, write)
	return err
}

// askForNews notes that the run may owe news although it was told before: the next check reads it on.
func (t Tables) askForNews(ctx context.Context, db updater, correlationID string) error {
	ask := map[string]table.Sum{}
	for _, news := range snapshot.News {
		ask[claimPrefix(news)+newsAsked] = table.Sum{N: 1}
	}
	_, err := db.Update(ctx, table.Write{Ref: t.runRef(correlationID), Add: ask, If: t.itemExists()})
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
