package store

import (
	"context"
	"errors"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

type querier interface {
	Query(context.Context, table.Query) (table.Page, error)
}

// visit is called with each row, and says whether to go on. One that breaks the table's contract comes with its error.
type visit func(row snapshot.Row, malformed error) (goOn bool, err error)

// rowsOf asks for the rows of a run, strongly consistent.
func (t Tables) rowsOf(correlationID string) table.Query {
	return table.Query{Name: t.Status, Partition: correlationID, Attributes: rowAttributes, Consistent: true}
}

// eachRow reads rows over all pages, until visit says not to go on. If the query has a limit, every page may hold
// twice as many rows as the one before.
func (t Tables) eachRow(ctx context.Context, db querier, query table.Query, visit visit) error {
	for {
		next, err := t.page(ctx, db, query, visit)
		if err != nil || next == "" {
			return err
		}
		query.After, query.Limit = next, min(2*query.Limit, maxRows)
	}
}

// maxRows is more rows than a page can hold (1 MB).
const maxRows = 1 << 16

// page reads one page of rows. next is where the next begins, "" if this is the last or visit says not to go on.
func (t Tables) page(ctx context.Context, db querier, query table.Query, visit visit) (next string, err error) {
	page, err := db.Query(ctx, query)
	if err != nil {
		return "", err
	}
	for _, keyed := range page.Items {
		key := snapshot.CollectionKey{CorrelationID: query.Partition, CollectionName: keyed.Sort}
		goOn, err := visit(t.decodeRow(key, keyed.Item))
		if err != nil || !goOn {
			return "", err
		}
	}
	return page.Next, nil
}

type batchReader interface {
	GetMany(context.Context, []table.Read) (map[table.Ref]table.Item, error)
}

// collections reads what the ledger knows of the rows, in their order, strongly consistent.
func (t Tables) collections(ctx context.Context, db batchReader, rows []snapshot.Row) ([]snapshot.Collection, error) {
	var collections []snapshot.Collection
	for chunk := range slices.Chunk(rows, table.MaxBatch) {
		var reads []table.Read
		for _, row := range chunk {
			reads = append(reads, table.Read{Ref: t.collectionRef(row.CollectionKey), Attributes: collectionAttributes, Consistent: true})
		}
		items, err := db.GetMany(ctx, reads)
		if err != nil {
			return nil, err
		}
		for _, row := range chunk {
			collection, err := t.decodeCollection(row.CollectionKey, items[t.collectionRef(row.CollectionKey)])
			if err != nil {
				return nil, err
			}
			collections = append(collections, collection)
		}
	}
	return collections, nil
}

// runs lists the runs that the ledger knows, over all pages, strongly consistent. Those that cannot be read come as an
// error beside the others, a *failure.Malformed for each.
func (t Tables) runs(ctx context.Context, db querier) (runs []snapshot.Run, malformed error) {
	query := table.Query{Name: t.Ledger, Partition: runPartition, Consistent: true}
	for {
		page, err := db.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, keyed := range page.Items {
			run, err := t.decodeListedRun(keyed)
			if err != nil {
				malformed = errors.Join(malformed, err)
				continue
			}
			runs = append(runs, run)
		}
		if page.Next == "" {
			return runs, malformed
		}
		query.After = page.Next
	}
}

func (t Tables) decodeListedRun(keyed table.Keyed) (snapshot.Run, error) {
	d := decoder{item: keyed.Item}
	correlationID := d.string(attrCorrelationID)
	if err := d.err(t.Ledger.At(keyed.Partition, keyed.Sort)); err != nil {
		return snapshot.Run{}, err
	}
	return t.decodeRun(correlationID, keyed.Item)
}
