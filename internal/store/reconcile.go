package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Reconciled is what a collection came to.
type Reconciled struct {
	Row     *snapshot.Row      // nil if the table has none
	Moved   bool               // this reconciliation moved the collection
	Pending *snapshot.Outgoing // the request, if the owner has to deliver it now
	// Check lists the notifications that the collection may have made due: its run is to be checked for them.
	Check []snapshot.Kind
}

// errAgain says that what was read was overtaken: read again.
var errAgain = errors.New("overtaken by another write")

// errNotOurs says that a collection was counted by others, in a run of which no message came here.
var errNotOurs = errors.New("the run is not in the ledger")

// Reconcile takes one step after the other, as snapshot.NextStep says, reading again before each, until nothing is left
// to do for the collection. owner names the reconciliation: the same for a task that runs again, another for every
// other.
//
// A collection that others counted, of a run of which no message came here, is left alone.
func (s *Store) Reconcile(ctx context.Context, key snapshot.CollectionKey, owner string) (Reconciled, error) {
	moved := false
	for range maxTries {
		// The ledger before the row: what the row holds beyond it was counted since, and not under another ledger.
		collection, err := s.getCollection(ctx, key)
		if err != nil {
			return Reconciled{}, err
		}
		row, err := s.getRow(ctx, key)
		if err != nil {
			return Reconciled{}, err
		}
		if row == nil {
			check, err := s.blockedBy(ctx, key)
			return Reconciled{Check: check}, err
		}
		step := snapshot.NextStep(*row, collection, owner, s.Now())
		err = s.take(ctx, step, *row, collection, owner)
		switch {
		case step == snapshot.Rest, errors.Is(err, errNotOurs):
			return s.rest(*row, collection, owner, moved), nil
		case errors.Is(err, table.ErrConditionFailed), errors.Is(err, errAgain):
			metrics.Add(ctx, metrics.ContentionRetries, 1)
		case err != nil:
			return Reconciled{}, err
		default:
			moved = moved || step == snapshot.MoveToReceived || step == snapshot.MoveToSuccess
		}
	}
	return Reconciled{}, fmt.Errorf("reconciling a collection: not at rest after %d steps", maxTries)
}

// rest says what follows from the state in which nothing is left to do.
func (s *Store) rest(row snapshot.Row, collection snapshot.Collection, owner string, moved bool) Reconciled {
	at := Reconciled{Row: &row, Moved: moved}
	epoch := collection.Epoch(row)
	if collection.RequestPending(row) && collection.Request.PendingOf(owner, epoch) {
		at.Pending = &snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: row.CollectionKey,
			Version: epoch}
	}
	for _, kind := range snapshot.Notifications {
		if row.Status.AtLeast(kind.Wanted(), s.Exempt) {
			at.Check = append(at.Check, kind)
		}
	}
	return at
}

// take takes one step, on condition that what it depends on still is as it was read.
func (s *Store) take(
	ctx context.Context, step snapshot.Step, row snapshot.Row, collection snapshot.Collection, owner string,
) error {
	epoch, ledger := collection.Epoch(row), table.Write{Ref: s.collectionRef(row.CollectionKey)}
	switch step {
	case snapshot.SyncRow:
		_, _, err := s.sync(ctx, row, collection.Counted)
		return err
	case snapshot.AdoptRow:
		run, err := s.getRun(ctx, row.CorrelationID)
		if err == nil && run == nil {
			err = errNotOurs
		}
		if err == nil {
			_, err = s.adopt(ctx, &row)
		}
		return err
	case snapshot.EnqueueRequest:
		return s.enqueueRequest(ctx, row, collection, owner)
	case snapshot.MoveToReceived:
		err := s.move(ctx, row, snapshot.Received)
		if err == nil && !collection.Request.Delivered { // a delivered request: Sent was written over Received
			metrics.Add(ctx, metrics.CollectionsReceived, 1)
		}
		return err
	case snapshot.MoveToSuccess:
		err := s.move(ctx, row, snapshot.Success)
		if err == nil {
			metrics.Add(ctx, metrics.CollectionsSuccessful, 1)
		}
		return err
	case snapshot.LeaseRequest:
		taken := collection.Request.Take(epoch, owner, s.Now(), s.Lease)
		return s.enqueue(ctx, ledger, snapshot.SuccessFileRequest, collection.Request, taken)
	case snapshot.ReleaseRequest:
		return s.enqueue(ctx, ledger, snapshot.SuccessFileRequest, collection.Request, collection.Request.Released())
	}
	return nil
}

// enqueueRequest enqueues the request for the row's epoch. If monitoring was notified of the run before, the
// notifications become due again first. The run is read before the ledger's collection is read again: a run that was
// notified had every request by then, so a collection that still has none belongs to a later export.
func (s *Store) enqueueRequest(
	ctx context.Context, row snapshot.Row, collection snapshot.Collection, owner string,
) error {
	run, err := s.getRun(ctx, row.CorrelationID)
	if err != nil {
		return err
	}
	if run == nil && !collection.Ours() {
		return errNotOurs
	}
	epoch := collection.Epoch(row)
	if run != nil && (run.Notified(snapshot.AllReceived) || run.Notified(snapshot.AllSuccessful)) {
		again, err := s.getCollection(ctx, row.CollectionKey)
		if err != nil {
			return err
		}
		if again.Request != collection.Request {
			return errAgain
		}
		if err := s.reopen(ctx, *run, row.CollectionKey, epoch); err != nil {
			return err
		}
	}
	export := collection.Latest
	if !collection.Known && run != nil {
		export = run.Export // of a collection that others counted, its run's first message speaks
	}
	write := table.Write{Ref: s.collectionRef(row.CollectionKey),
		Set: map[string]any{attrExpiresAt: s.expires(ledgerTTL)}, SetOnce: said(export)}
	entry := collection.Request.Take(epoch, owner, s.Now(), s.Lease)
	return s.enqueue(ctx, write, snapshot.SuccessFileRequest, collection.Request, entry)
}

// reopen makes the notifications of the run due again that monitoring got, in the next generation, with this collection
// as their blocker. A run that was abandoned is looked after again. Doing it again for the same collection and epoch
// does nothing.
func (s *Store) reopen(ctx context.Context, run snapshot.Run, key snapshot.CollectionKey, epoch int64) error {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d", key.CollectionName, epoch))
	by := string(sum[:12])
	if table.Blobs(run.Reopened).Has(by) {
		return nil
	}
	write := table.Write{
		Ref: s.runRef(run.CorrelationID),
		Set: map[string]any{attrGeneration: run.Generation + 1, attrReopenedAt: s.Now().Unix(), attrAbandoned: false},
		Add: map[string]any{attrReopened: table.NewBlobs(by)},
		If:  []table.Condition{generationIs(run.Generation)},
	}
	for _, kind := range snapshot.Notifications {
		write.If = append(append(write.If, entryAsRead(kind, run.Outbox[kind])...),
			hintAsRead(kind, run.Hints[kind])...)
		if run.Notified(kind) {
			setHint(write.Set, kind, snapshot.Hint{Collection: key.CollectionName})
		}
	}
	_, err := s.db.Update(ctx, write)
	return err
}

// blockedBy lists the notifications that wait for the collection, which is gone.
func (s *Store) blockedBy(ctx context.Context, key snapshot.CollectionKey) ([]snapshot.Kind, error) {
	run, err := s.getRun(ctx, key.CorrelationID)
	if err != nil || run == nil {
		return nil, err
	}
	var kinds []snapshot.Kind
	for _, kind := range snapshot.Notifications {
		if hint := run.Hints[kind]; !hint.Notified && hint.Collection == key.CollectionName {
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}
