package store

import (
	"context"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// RegisterRun makes a run known to the ledger, with what its first message said. Doing it again changes
// nothing but how long the run is kept.
func (c *Counter) RegisterRun(ctx context.Context, correlationID string, said snapshot.Export) error {
	return c.Pause.tries(ctx, "registering a run", func() error {
		_, err := c.DB.Update(ctx, table.Write{
			Ref: c.runRef(correlationID),
			Set: map[string]any{attrExpiresAt: expires(c.Now(), ledgerTTL)},
			SetOnce: map[string]any{
				attrCorrelationID: correlationID,
				attrSnapshotType:  said.SnapshotType,
				attrExportDate:    said.ExportDate,
				attrRegisteredAt:  c.Now().Unix(),
			},
		})
		return err
	})
}

// RunDB is what deciding about a run asks of the tables.
type RunDB interface {
	Get(context.Context, table.Read) (table.Item, error)
	Query(context.Context, table.Query) (table.Page, error)
	Update(context.Context, table.Write) (table.Item, error)
}

// Runs decides whether a run has news, and claims it.
type Runs struct {
	DB RunDB
	Tables
	Exempt []snapshot.Status // count as done although they never finish
	Now    func() time.Time
	Pause  Pause
}

// Verdict is what a check of a run came to.
type Verdict struct {
	Claimed []snapshot.Debt  // news that the claimer has to deliver now
	Blocker snapshot.Blocker // a collection that is not received or, if all are, not successful
	Blocked bool
}

// Check reads the run and claims the news that is true and owed. Asking again as the same claimer returns
// what it holds and has not delivered.
//
// News is claimed only after every row of the run was read, strongly consistent, over all pages, in the
// wanted status or further. The run's claims are read before the rows, so that a claim which is not seen was
// made for rows at least as new as those seen.
func (r *Runs) Check(ctx context.Context, correlationID, claimer string) (Verdict, error) {
	var verdict Verdict
	err := r.Pause.tries(ctx, "checking a run", func() error {
		var err error
		verdict, err = r.check(ctx, correlationID, claimer)
		return err
	})
	return verdict, err
}

func (r *Runs) check(ctx context.Context, correlationID, claimer string) (Verdict, error) {
	item, err := r.DB.Get(ctx, table.Read{Ref: r.runRef(correlationID), Consistent: true})
	if err != nil {
		return Verdict{}, err
	}
	run, err := r.decodeRun(correlationID, item)
	if err != nil {
		return Verdict{}, err
	}
	tally, err := r.tally(ctx, correlationID)
	if err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	for _, news := range snapshot.News {
		if !verdict.Blocked {
			verdict.Blocker, verdict.Blocked = tally.Blocked(news)
		}
		if item == nil || !tally.True(news) {
			continue
		}
		held := run.News[news].HeldBy(claimer, tally.Attempts)
		if run.NewsFree(news, tally.Attempts, claimer, r.Now()) {
			if err := r.claim(ctx, run, news, tally.Attempts, claimer); err != nil {
				return Verdict{}, err
			}
			held = true
		}
		if held {
			verdict.Claimed = append(verdict.Claimed, snapshot.Debt{
				Kind: news, CollectionKey: snapshot.CollectionKey{CorrelationID: correlationID}, Attempt: tally.Attempts})
		}
	}
	return verdict, nil
}

func (r *Runs) claim(ctx context.Context, run snapshot.Run, news snapshot.DebtKind, attempts int64, claimer string) error {
	return claim(ctx, r.DB, r.runRef(run.CorrelationID), news, run.News[news],
		snapshot.Claim{Attempt: snapshot.Count(attempts), By: claimer, Until: r.Now().Add(snapshot.Lease)})
}

// tally reads the run's rows up to the page with the first that is not received: from there on no news can
// be true.
func (r *Runs) tally(ctx context.Context, correlationID string) (*snapshot.Tally, error) {
	tally := &snapshot.Tally{}
	err := r.eachRow(ctx, r.DB, correlationID, func(row snapshot.Row, malformed error) (goOn bool, err error) {
		tally.Add(row, r.Exempt)
		_, blocked := tally.Blocked(snapshot.AllReceived)
		return !blocked, malformed
	})
	return tally, err
}

type querier interface {
	Query(context.Context, table.Query) (table.Page, error)
}

// eachRow reads the rows of a run, strongly consistent and over all pages, until visit says not to go on. A row
// that breaks the table's contract is visited with its error.
func (t Tables) eachRow(ctx context.Context, db querier, correlationID string, visit func(row snapshot.Row, malformed error) (goOn bool, err error)) error {
	query := table.Query{Name: t.Status, Partition: correlationID, Attributes: rowAttributes, Consistent: true}
	for {
		page, err := db.Query(ctx, query)
		if err != nil {
			return err
		}
		for _, keyed := range page.Items {
			goOn, err := visit(t.decodeRow(snapshot.CollectionKey{CorrelationID: correlationID, CollectionName: keyed.Sort}, keyed.Item))
			if err != nil || !goOn {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.After = page.Next
	}
}
