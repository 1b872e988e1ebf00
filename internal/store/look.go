package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// LookingDB is what a look at a collection asks of the tables.
type LookingDB interface {
	Get(context.Context, table.Read) (table.Item, error)
	Update(context.Context, table.Write) (table.Item, error)
}

// Looker moves collections as far as they may go.
type Looker struct {
	DB LookingDB
	Tables
	Now   func() time.Time
	Pause Pause
}

// maxSteps bounds a look. Undisturbed it takes five steps at most; the rest is for disturbances.
const maxSteps = 12

// Look does one step after the other, reading anew before each, until nothing is left to do for the
// collection: bring the row up to date, take it over, move it, claim its request. A collection that others counted, of
// a run of which no message has come here, is theirs: it is left alone. Look returns the state that it came to
// rest in; the row is nil if the table has none.
//
// claimer names who looks: the same for a task that runs again, another for every other look.
func (l *Looker) Look(ctx context.Context, key snapshot.CollectionKey, claimer string) (State, error) {
	for try := range maxSteps {
		state, err := l.read(ctx, key)
		if err == nil && state.Row == nil {
			return state, nil
		}
		if err == nil {
			step := snapshot.NextStep(*state.Row, state.Collection, claimer, l.Now())
			if step == snapshot.Rest {
				return state, nil
			}
			err = l.take(ctx, step, state, claimer)
		}
		if errors.Is(err, errOthers) {
			return state, nil
		}
		if overtaken(err) {
			metrics.Add(ctx, metrics.ContentionRetries, 1)
			err = l.Pause(ctx, try)
		}
		if err != nil {
			return state, err
		}
	}
	return State{}, fmt.Errorf("looking at a collection: no rest after %d steps", maxSteps)
}

// read reads the ledger before the row: a claim or a success file that is not seen here was made for a row
// that is at least as new as the one seen.
func (l *Looker) read(ctx context.Context, key snapshot.CollectionKey) (State, error) {
	item, err := l.DB.Get(ctx, table.Read{Ref: l.collectionRef(key), Attributes: collectionAttributes, Consistent: true})
	if err != nil {
		return State{}, err
	}
	collection, err := l.decodeCollection(key, item)
	if err != nil {
		return State{}, err
	}
	item, err = l.DB.Get(ctx, table.Read{Ref: l.rowRef(key), Attributes: rowAttributes, Consistent: true})
	if err != nil || item == nil {
		return State{Collection: collection}, err
	}
	row, err := l.decodeRow(key, item)
	return State{Row: &row, Collection: collection}, err
}

// take takes one step, on condition that the state still is as it was read.
func (l *Looker) take(ctx context.Context, step snapshot.Step, s State, claimer string) error {
	var err error
	switch row := *s.Row; step {
	case snapshot.BringUpToDate:
		_, err = l.project(ctx, l.DB, row, s.Collection, by(claimer))
	case snapshot.TakeOver:
		err = l.takeOver(ctx, row.CollectionKey)
	case snapshot.MoveToReceived:
		// A request for this attempt says that the collection was Received before, and somebody wrote Sent over it.
		if err = l.move(ctx, row, snapshot.Received); err == nil && !s.Collection.Request.For(s.Collection.Attempt(row)) {
			metrics.Add(ctx, metrics.CollectionsReceived, 1)
		}
	case snapshot.MoveToSuccess:
		if err = l.move(ctx, row, snapshot.Success); err == nil {
			metrics.Add(ctx, metrics.CollectionsSuccessful, 1)
		}
	case snapshot.ClaimRequest:
		if !s.Collection.FirstAttempt(row) {
			// Asked before the claim: if we die in between, whoever claims asks again.
			if err := l.askForNews(ctx, l.DB, row.CorrelationID); err != nil {
				return err
			}
		}
		err = claim(ctx, l.DB, l.collectionRef(row.CollectionKey), snapshot.SuccessFileRequest, s.Collection.Request,
			snapshot.Claim{Attempt: snapshot.Count(s.Collection.Attempt(row)), By: claimer, Until: l.Now().Add(snapshot.Lease)})
	}
	return err
}

// errOthers says that a collection is none of ours.
var errOthers = errors.New("the run is not known to the ledger")

// takeOver makes the ledger answer for a collection whose files others counted: the system that this one replaces, which
// has gone and will not look again. What its request has to say is taken from the run's first message; without one
// nobody knows, and it returns errOthers. Doing it twice changes nothing, nor does it if a message was counted meanwhile.
func (l *Looker) takeOver(ctx context.Context, key snapshot.CollectionKey) error {
	ref := l.runRef(key.CorrelationID)
	item, err := l.DB.Get(ctx, table.Read{Ref: ref, Consistent: true})
	if err != nil {
		return err
	}
	if item == nil {
		return errOthers
	}
	d := decoder{item: item}
	said := d.export()
	if err := d.err(ref); err != nil {
		return err
	}
	_, err = l.DB.Update(ctx, table.Write{
		Ref: l.collectionRef(key),
		Set: map[string]any{attrTakenOver: true},
		SetOnce: map[string]any{
			attrCorrelationID:  key.CorrelationID,
			attrCollectionName: key.CollectionName,
			attrSnapshotType:   said.SnapshotType,
			attrExportDate:     said.ExportDate,
			attrShutdownFlag:   said.ShutdownFlag,
			attrReprocessFiles: said.ReprocessFiles,
			attrExpiresAt:      expires(l.Now(), ledgerTTL),
		},
	})
	return err
}

// move is the only write of CollectionStatus: from the row as it was read, and from nothing else.
func (l *Looker) move(ctx context.Context, row snapshot.Row, to snapshot.Status) error {
	_, err := l.DB.Update(ctx, table.Write{
		Ref: l.rowRef(row.CollectionKey),
		Set: map[string]any{attrStatus: string(to.As(row.Status))},
		If: []table.Condition{
			{Attribute: attrStatus, Operator: table.Equals, Value: string(row.Status)},
			asRead(attrFilesSent, row.FilesSent),
			asRead(attrFilesReceived, row.FilesReceived),
			asRead(attrFilesCounted, row.FilesCounted),
		},
	})
	return err
}
