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

// Reconciled is the result of a reconciliation.
type Reconciled struct {
	Row     *snapshot.Row      // nil if the table has none
	Moves   []Move             // of this call, also beside an error
	Epoch   int64              // of the row
	Pending *snapshot.Outgoing // the request, if the owner must deliver it now
	Check   []snapshot.Kind    // notifications that may be due now: check the run for them
}

// Moved reports whether this call moved the collection.
func (r Reconciled) Moved() bool { return len(r.Moves) > 0 }

// Move is one move of a collection. The row was in the status From and in the epoch when it was read.
type Move struct {
	From, To snapshot.Status
	Epoch    int64
}

// errStale asks to read again, because another write followed the last read.
var errStale = errors.New("another write followed the read")

// errNotOurs reports a collection that another system counts: the ledger has neither its run nor a count of it.
var errNotOurs = errors.New("the run is not in the ledger")

// Reconcile takes the steps that snapshot.NextStep names, reading again before each, until none is left. owner names
// the reconciliation: it is the same when the task is retried and differs for every other reconciliation. Repeating it
// takes no step twice. It leaves a collection alone that another system counts.
func (s *Store) Reconcile(ctx context.Context, key snapshot.CollectionKey, owner string) (Reconciled, error) {
	var moves []Move
	for range maxTries {
		// The ledger is read first, so the row may include a later count; AdoptRow reads the ledger again.
		collection, err := s.getCollection(ctx, key)
		if err != nil {
			return Reconciled{Moves: moves}, err
		}
		row, err := s.getRow(ctx, key)
		if err != nil {
			return Reconciled{Moves: moves}, err
		}
		if row == nil {
			check, err := s.blockedBy(ctx, key)
			return Reconciled{Check: check, Moves: moves}, err
		}
		step := snapshot.NextStep(*row, collection, owner, s.Now())
		err = s.take(ctx, step, *row, collection, owner)
		switch {
		case step == snapshot.Rest, errors.Is(err, errNotOurs):
			return s.reconciled(*row, collection, owner, moves), nil
		case errors.Is(err, table.ErrConditionFailed), errors.Is(err, errStale):
			metrics.Add(ctx, metrics.ContentionRetries, 1)
		case err != nil:
			return Reconciled{Moves: moves}, err
		case step == snapshot.MoveToReceived:
			moves = append(moves, Move{row.Status, snapshot.Received, collection.Epoch(*row)})
		case step == snapshot.MoveToSuccess:
			moves = append(moves, Move{row.Status, snapshot.Success, collection.Epoch(*row)})
		}
	}
	return Reconciled{Moves: moves}, fmt.Errorf("reconciling a collection: not finished after %d steps", maxTries)
}

// reconciled is the result for a collection without a step left.
func (s *Store) reconciled(row snapshot.Row, collection snapshot.Collection, owner string, moves []Move) Reconciled {
	epoch := collection.Epoch(row)
	at := Reconciled{Row: &row, Moves: moves, Epoch: epoch}
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

// take takes one step. It fails with table.ErrConditionFailed if the data has changed since it was read.
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

// enqueueRequest enqueues the request for the row's epoch. If monitoring was notified of the run before, it first
// reopens the run. It reads the run and then the ledger's collection again: every collection had its request before
// monitoring was notified, so a collection without one belongs to a later export.
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
			return errStale
		}
		if err := s.reopen(ctx, *run, row.CollectionKey, epoch); err != nil {
			return err
		}
	}
	export := collection.Latest
	if !collection.Known && run != nil {
		export = run.Export // another system counted the collection
	}
	write := table.Write{Ref: s.collectionRef(row.CollectionKey),
		Set: map[string]any{attrExpiresAt: s.expires(ledgerTTL)}, SetOnce: exportAttributes(export)}
	entry := collection.Request.Take(epoch, owner, s.Now(), s.Lease)
	return s.enqueue(ctx, write, snapshot.SuccessFileRequest, collection.Request, entry)
}

// reopen begins the run's next generation, in which the notifications that monitoring received are due again, with this
// collection as their blocker. An abandoned run is open again. It does nothing for a collection and epoch that reopened
// the run before.
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

// blockedBy lists the notifications whose blocker is the collection.
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
