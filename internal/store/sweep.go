package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Examination is the result of a sweep for one run.
type Examination struct {
	Reconcile []snapshot.CollectionKey // collections to reconcile
	Alerts    []snapshot.Outgoing      // the alerts that the owner must deliver now
	Blockers  snapshot.Blockers        // for the alerts

	Open         bool      // something is left to do for the run
	Stalled      bool      // it is open and made no progress for StalledAfter, alerted or not
	Late         bool      // it is open and its deadline has passed, alerted or not
	PendingSince time.Time // since when its oldest message has been pending; zero if none is

	EndedByHand bool // the run was passed by: a person ended it, and nothing has moved since
	TakenUp     bool // a person ended it, but something has moved since

	Malformed error // a *failure.Malformed for each malformed row or ledger item; the others were examined

	abandon bool
}

// OpenRuns lists the runs that are not abandoned, over all pages, strongly consistent. Malformed runs are returned as
// an error beside the others, a *failure.Malformed for each.
func (s *Store) OpenRuns(ctx context.Context) ([]snapshot.Run, error) {
	runs, err := s.Runs(ctx)
	return slices.DeleteFunc(runs, func(run snapshot.Run) bool { return run.Abandoned }), err
}

// Examine reads a whole run, repairs its hints, stores its progress, and enqueues the alerts that are due. Repeated by
// the same owner, it returns the alerts that the owner enqueued and has not delivered. It takes up a run that was ended
// by hand if something has moved since, and otherwise passes it by.
func (s *Store) Examine(ctx context.Context, run snapshot.Run, owner string) (Examination, error) {
	e := examining{Store: s, run: run, owner: owner, tally: &snapshot.Tally{}}
	if err := e.readRows(ctx); err != nil {
		return Examination{}, fmt.Errorf("examining a run: %w", err)
	}
	if !run.ByHand.At.IsZero() {
		if run.EndedByHand(e.tally) {
			return Examination{EndedByHand: true, abandon: run.Old(s.Now())}, nil
		}
		// Something arrived or moved. If the condition fails, a person was faster; the next sweep sees the result.
		if resumed, err := s.setByHand(ctx, run, snapshot.Abandonment{}); err != nil || !resumed {
			return Examination{}, err
		}
		e.run.ByHand = snapshot.Abandonment{Stored: true}
	}
	found := Examination{Blockers: e.tally.Blockers(), Malformed: e.malformed,
		TakenUp: !run.ByHand.At.IsZero()}
	progress, stalled := run.Stall(e.tally, s.Now(), s.StalledAfter)
	if !progress.Settled {
		collections, malformed, err := s.collections(ctx, e.rows)
		if err != nil {
			return found, fmt.Errorf("examining a run: %w", err)
		}
		found.Malformed = errors.Join(found.Malformed, errors.Join(malformed...))
		found.PendingSince = run.PendingSince(e.tally, e.rows, collections, progress.Since)
		found.Reconcile, progress.Settled = e.due(collections, malformed)
		if err := e.repairHints(ctx); err != nil {
			return found, fmt.Errorf("repairing a run's hints: %w", err)
		}
	}
	found.Open = !progress.Settled && e.tally.Rows > 0
	found.Stalled = found.Open && stalled
	found.Late = found.Open && run.Late(s.Now(), s.LateAfter)
	if progress != run.Progress {
		if _, err := s.updateRun(ctx, run, map[string]any{attrProgress: progress.Sums,
			attrProgressSince: progress.Since.Unix(), attrSettled: progress.Settled}); err != nil {
			return found, fmt.Errorf("storing a run's progress: %w", err)
		}
	}
	return found, e.alert(ctx, &found, progress.Since)
}

// alert enqueues the alerts that are due. One about the whole run replaces the one about its standstill; a late run has
// its own.
func (e *examining) alert(ctx context.Context, found *Examination, stillSince time.Time) (err error) {
	enqueue := func(kind snapshot.Kind, since time.Time, conditions ...table.Condition) (ours bool) {
		if err == nil {
			ours, err = e.enqueueAlert(ctx, kind, since.Unix(), conditions)
		}
		if ours {
			found.Alerts = append(found.Alerts, e.run.Outgoing(kind, since.Unix()))
		}
		return ours
	}
	opened := e.run.OpenedAt()
	found.abandon = e.run.Old(e.Now())
	switch {
	case found.abandon && e.tally.Rows > 0 && !e.run.Done(e.tally):
		found.abandon = enqueue(snapshot.RunAbandoned, opened) ||
			e.run.Outbox[snapshot.RunAbandoned].Settles(opened.Unix())
	case found.Stalled:
		enqueue(snapshot.RunStalled, stillSince)
	}
	if found.Late { // unless the run was notified as successful since it was read
		enqueue(snapshot.RunLate, opened, entryAsRead(snapshot.AllSuccessful, e.run.Outbox[snapshot.AllSuccessful])...)
	}
	return err
}

// Finish ends the examination after its alerts were delivered: it abandons a run that is old enough. Counts
// remain, and messages of the run are still counted.
func (s *Store) Finish(ctx context.Context, run snapshot.Run, found Examination) error {
	if !found.abandon {
		return nil
	}
	_, err := s.updateRun(ctx, run, map[string]any{attrAbandoned: true}, append(byHandAsRead(run.ByHand),
		generationIs(run.Generation))...)
	return err
}

// examining is one call of Examine.
type examining struct {
	*Store
	run       snapshot.Run
	owner     string         // of alerts only; it never owns other messages
	rows      []snapshot.Row // without malformed ones
	tally     *snapshot.Tally
	malformed error
}

// readRows reads the run's rows. A malformed row blocks the run and is only in the tally.
func (e *examining) readRows(ctx context.Context) error {
	for page, err := range e.pagesOf(ctx, e.rowsOf(e.run.CorrelationID)) {
		if err != nil {
			return err
		}
		for _, row := range page {
			if row.Malformed != nil {
				e.malformed = errors.Join(e.malformed, row.Malformed)
			} else {
				e.rows = append(e.rows, row.Row)
			}
			e.tally.Add(row.blocking(), e.Exempt)
		}
	}
	return nil
}

// due lists the collections to reconcile: those with a step to take, or one of them if a notification of the run is
// due. A leased message is not due, but the run is not settled.
func (e *examining) due(collections []snapshot.Collection, malformed []error) (
	due []snapshot.CollectionKey, settled bool,
) {
	settled = e.run.Done(e.tally)
	var readable []snapshot.CollectionKey
	for i, row := range e.rows {
		if malformed[i] != nil {
			settled = false
			continue
		}
		readable = append(readable, row.CollectionKey)
		if snapshot.NextStep(row, collections[i], e.owner, e.Now()) != snapshot.Rest {
			due = append(due, row.CollectionKey)
		}
		settled = settled && !collections[i].RequestPending(row)
	}
	for _, kind := range snapshot.Notifications {
		entry := e.run.Outbox[kind]
		leased := entry.For(e.run.Generation) && !entry.Free(e.owner, e.run.Generation, e.Now())
		if len(due) == 0 && e.run.Due(kind, e.tally) && !leased && len(readable) > 0 {
			// any collection: its reconciliation moves nothing, so its check reads the hint's row
			due = append(due, readable[0])
		}
	}
	return due, settled && len(due) == 0
}

// repairHints sets a hint to notified if the generation's notification was delivered, and to none if its collection
// does not block.
func (e *examining) repairHints(ctx context.Context) error {
	for _, kind := range snapshot.Notifications {
		hint := e.run.Hints[kind]
		right := hint
		if e.run.Outbox[kind].Settles(e.run.Generation) {
			right = snapshot.Hint{Notified: true}
		} else if !hint.Notified && !e.blocks(hint.Collection, kind) {
			right = snapshot.Hint{}
		}
		if right.Notified == hint.Notified && right.Collection == hint.Collection || right.Notified && hint.Notified {
			continue
		}
		set := map[string]any{}
		setHint(set, kind, right)
		conditions := append(hintAsRead(kind, hint), generationIs(e.run.Generation))
		if _, err := e.updateRun(ctx, e.run, set, conditions...); err != nil {
			return err
		}
	}
	return nil
}

func (e *examining) blocks(collection string, kind snapshot.Kind) bool {
	return slices.ContainsFunc(e.rows, func(row snapshot.Row) bool {
		return row.CollectionName == collection && !row.Status.AtLeast(kind.Wanted(), e.Exempt)
	})
}

// updateRun writes attributes of a run that exists. It does nothing and returns false if a condition does not hold.
func (s *Store) updateRun(
	ctx context.Context, run snapshot.Run, set map[string]any, conditions ...table.Condition,
) (written bool, err error) {
	ref := s.runRef(run.CorrelationID)
	_, err = s.db.Update(ctx, table.Write{Ref: ref, Set: set, If: append(conditions, exists(ref))})
	if errors.Is(err, table.ErrConditionFailed) {
		return false, nil
	}
	return err == nil, err
}

// enqueueAlert enqueues an alert and reports whether the owner must deliver it. It does nothing if the alert is
// delivered or leased by another sweep, if a condition does not hold, or if a person has ended the run since it was
// read.
func (e *examining) enqueueAlert(
	ctx context.Context, kind snapshot.Kind, version int64, conditions []table.Condition,
) (ours bool, err error) {
	entry, ref := e.run.Outbox[kind], e.runRef(e.run.CorrelationID)
	if entry.PendingOf(e.owner, version) {
		return true, nil
	}
	if entry.For(version) && !entry.Free(e.owner, version, e.Now()) {
		return false, nil
	}
	write := table.Write{Ref: ref, If: append(append(conditions, byHandAsRead(e.run.ByHand)...), exists(ref))}
	err = e.enqueue(ctx, write, kind, entry, entry.Take(version, e.owner, e.Now(), e.Lease))
	if errors.Is(err, table.ErrConditionFailed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("enqueuing %s: %w", kind, err)
	}
	return true, nil
}
