package store

import (
	"context"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// DebtDB is what paying a debt asks of the ledger.
type DebtDB interface {
	Get(context.Context, table.Read) (table.Item, error)
	Update(context.Context, table.Write) (table.Item, error)
}

// Debts tells a payer what to send, and remembers what was delivered.
type Debts struct {
	DB DebtDB
	Tables
	Pause Pause
}

// Request returns what the request for the collection's _success file has to say. owed is false if it was
// delivered meanwhile or if its claim went to another claimer, who then pays it.
func (d *Debts) Request(ctx context.Context, debt snapshot.Debt, claimer string) (said snapshot.Export, owed bool, err error) {
	item, err := d.get(ctx, d.collectionRef(debt.CollectionKey))
	if err != nil {
		return said, false, err
	}
	collection, err := d.decodeCollection(debt.CollectionKey, item)
	return collection.Latest, collection.Request.HeldBy(claimer, debt.Attempt), err
}

// News returns the run that the news is about. owed is as for Request.
func (d *Debts) News(ctx context.Context, debt snapshot.Debt, claimer string) (run snapshot.Run, owed bool, err error) {
	item, err := d.get(ctx, d.runRef(debt.CorrelationID))
	if err != nil {
		return run, false, err
	}
	run, err = d.decodeRun(debt.CorrelationID, item)
	return run, run.News[debt.Kind].HeldBy(claimer, debt.Attempt), err
}

// Delivered marks a debt as paid. Marking it twice changes nothing.
func (d *Debts) Delivered(ctx context.Context, debt snapshot.Debt) error {
	ref := d.runRef(debt.CorrelationID)
	if debt.Kind == snapshot.SuccessFileRequest {
		ref = d.collectionRef(debt.CollectionKey)
	}
	return d.Pause.tries(ctx, "marking a debt delivered", func() error {
		return delivered(ctx, d.DB, ref, debt.Kind, debt.Attempt)
	})
}

func (d *Debts) get(ctx context.Context, ref table.Ref) (item table.Item, err error) {
	err = d.Pause.tries(ctx, "reading a debt", func() error {
		item, err = d.DB.Get(ctx, table.Read{Ref: ref, Consistent: true})
		return err
	})
	return item, err
}
