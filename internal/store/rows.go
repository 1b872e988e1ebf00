package store

import (
	"context"

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
