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
				attrCorrelationID:  correlationID,
				attrSnapshotType:   said.SnapshotType,
				attrExportDate:     said.ExportDate,
				attrShutdownFlag:   said.ShutdownFlag,
				attrReprocessFiles: said.ReprocessFiles,
				attrRegisteredAt:   c.Now().Unix(),
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

// Check claims the news of a run that is true and owed, if there is any. Asking again as the same claimer returns
// what it holds and has not delivered. reached is the status of the collection that the claimer looked at; it only
// decides what is read first.
//
// As long as the watched collection is in the news's way, nothing else is read. News is claimed only after every row
// of the run was read, strongly consistent, over all pages, in the wanted status or further.
func (r *Runs) Check(ctx context.Context, correlationID, claimer string, reached snapshot.Status) (Verdict, error) {
	var verdict Verdict
	consistent := reached.Is(snapshot.Success)
	err := r.Pause.tries(ctx, "checking a run", func() error {
		run, blocked, err := r.glance(ctx, correlationID, claimer, consistent)
		verdict, consistent = blocked, true
		if err == nil && run != nil {
			verdict, err = r.readOn(ctx, *run, claimer)
		}
		return err
	})
	return verdict, err
}

// readOn reads the rows from the watched one on until one is in the news's way, which is watched then. If none is, it
// reads all of them and claims the news that is true. It returns an error that asks for another check if it was
// overtaken: by a claim, by a question, or by whoever moved the collection that it found in the way.
func (r *Runs) readOn(ctx context.Context, run snapshot.Run, claimer string) (Verdict, error) {
	news, _ := run.MayOwe(r.Now())
	tally, whole, err := r.tally(ctx, run.CorrelationID, run.Watch.CollectionName, news)
	if err == nil && whole && run.Watch.CollectionName != "" {
		tally, whole, err = r.tally(ctx, run.CorrelationID, "", news)
	}
	if err != nil {
		return Verdict{}, err
	}
	verdict := Verdict{Claimed: run.Held(claimer)}
	verdict.Blocker, verdict.Blocked = tally.Blocked(news)
	var found []snapshot.DebtKind
	if whole {
		if found, err = r.claimWhatIsTrue(ctx, run, tally, claimer, &verdict); err != nil {
			return Verdict{}, err
		}
	}
	return verdict, r.leave(ctx, run, claimer, verdict, found)
}

// claimWhatIsTrue decides with all rows of the run. What the claimer held before it still has to deliver, also if that
// is true no more: it was when it was claimed.
func (r *Runs) claimWhatIsTrue(ctx context.Context, run snapshot.Run, tally *snapshot.Tally, claimer string, verdict *Verdict) ([]snapshot.DebtKind, error) {
	var found []snapshot.DebtKind
	verdict.Claimed = nil
	for _, news := range snapshot.News {
		if blocker, blocked := tally.Blocked(news); blocked && !verdict.Blocked {
			verdict.Blocker, verdict.Blocked = blocker, true
		}
		if tally.True(news) {
			found = append(found, news)
		}
		old := run.News[news]
		if tally.True(news) && run.NewsFree(news, tally.Attempts, claimer, r.Now()) {
			err := claim(ctx, r.DB, r.runRef(run.CorrelationID), news, old,
				snapshot.Claim{Attempt: snapshot.Count(tally.Attempts), By: claimer, Until: r.Now().Add(snapshot.Lease)})
			if err != nil {
				return nil, err
			}
			verdict.Claimed = append(verdict.Claimed, run.Debt(news, tally.Attempts))
		} else if old.HeldBy(claimer, old.Attempt.N) {
			verdict.Claimed = append(verdict.Claimed, run.Debt(news, old.Attempt.N))
		}
	}
	return found, nil
}
