package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// What people read. Nothing here writes.

// RunState is what is stored of a run. The run, its rows and the ledger's collections are read one after the other, so
// a busy run may have moved in between.
type RunState struct {
	Run         *snapshot.Run // nil if the ledger does not know it: nothing was counted for it
	Collections []State       // of its rows, in the order of their names; each has a row
}

// Receipt is a message that was counted.
type Receipt struct {
	Identity   string
	Filename   string // as the message said; "" if it named none
	Success    bool   // it was the success file's
	ReceivedAt time.Time
	Execution  string // that received it first, of those whose receipts are still there
}

// Runs lists the runs that the ledger knows, abandoned ones too, in the order of their correlation ids, over all pages,
// strongly consistent. Those that cannot be read come as an error beside the others, a *failure.Malformed for each.
func (s *Store) Runs(ctx context.Context) (runs []snapshot.Run, malformed error) {
	query := table.Query{Name: s.Ledger, Partition: runPartition, Consistent: true}
	for {
		page, err := s.db.Query(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("listing the runs: %w", err)
		}
		for _, keyed := range page.Items {
			d := decoder{item: keyed.Item}
			correlationID := d.string(attrCorrelationID)
			run, err := s.decodeRun(correlationID, keyed.Item)
			if err = errors.Join(d.err(s.Ledger.At(keyed.Partition, keyed.Sort)), err); err != nil {
				malformed = errors.Join(malformed, err)
				continue
			}
			runs = append(runs, *run)
		}
		if page.Next == "" {
			return runs, malformed
		}
		query.After = page.Next
	}
}

// Run reads a run with all of its rows and what the ledger knows of them: the rows by pages of a query, the ledger by
// batches of table.MaxBatch items.
func (s *Store) Run(ctx context.Context, correlationID string) (state RunState, err error) {
	if state.Run, err = s.getRun(ctx, correlationID); err != nil {
		return state, fmt.Errorf("reading a run: %w", err)
	}
	var rows []snapshot.Row
	err = s.eachPage(ctx, s.rowsOf(correlationID), func(page []pagedRow) (goOn bool) {
		for _, row := range page {
			state.Collections = append(state.Collections, State{Row: &row.Row, Malformed: row.Malformed})
			rows = append(rows, row.Row)
		}
		return true
	})
	if err != nil {
		return state, fmt.Errorf("reading a run's rows: %w", err)
	}
	collections, err := s.collections(ctx, rows)
	if err != nil {
		return state, fmt.Errorf("reading a run's collections: %w", err)
	}
	for i := range state.Collections {
		state.Collections[i].Collection = collections[i]
	}
	return state, nil
}

// collections reads what the ledger knows of the rows, in their order, strongly consistent.
func (s *Store) collections(ctx context.Context, rows []snapshot.Row) ([]snapshot.Collection, error) {
	collections := make([]snapshot.Collection, 0, len(rows))
	for chunk := range slices.Chunk(rows, table.MaxBatch) {
		var reads []table.Read
		for _, row := range chunk {
			reads = append(reads, table.Read{Ref: s.collectionRef(row.CollectionKey), Consistent: true})
		}
		items, err := s.db.GetMany(ctx, reads)
		if err != nil {
			return nil, err
		}
		for _, row := range chunk {
			collection, err := s.decodeCollection(row.CollectionKey, items[s.collectionRef(row.CollectionKey)])
			if err != nil {
				return nil, err
			}
			collections = append(collections, collection)
		}
	}
	return collections, nil
}

// Receipts hands over the messages that were counted for a collection, each once, in no particular order, strongly
// consistent, page by page, until visit returns an error. Receipts are kept for 60 days.
//
// A receipt is written before its message is counted, so one whose digest stands in no set of the collection was not
// (yet) counted. The sets sort before the receipts, and a page is written before its digests leave the collection's
// item, so those read here hold all that was counted when the reading began.
func (s *Store) Receipts(ctx context.Context, key snapshot.CollectionKey, visit func(Receipt) error) error {
	counted := map[string]bool{} // by digest; false once it was handed over
	query := table.Query{Name: s.Ledger, Partition: collectionPartition(key), Consistent: true}
	for {
		page, err := s.db.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("reading a collection's receipts: %w", err)
		}
		for _, keyed := range page.Items {
			if err := s.receiptsIn(keyed, counted, visit); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.After = page.Next
	}
}

// receiptsIn takes in the digests of an item, or hands over its receipts.
func (s *Store) receiptsIn(keyed table.Keyed, counted map[string]bool, visit func(Receipt) error) error {
	d := decoder{item: keyed.Item}
	for _, digest := range slices.Concat(d.blobs(attrRecent), d.blobs(attrDigests)) {
		counted[digest] = true
	}
	var stored []storedReceipt
	ref := s.Ledger.At(keyed.Partition, keyed.Sort)
	if text := d.string(attrMessages); strings.HasPrefix(keyed.Sort, receiptsPrefix) {
		if err := json.Unmarshal([]byte(text), &stored); err != nil {
			return malformed(ref, err)
		}
	}
	at, execution := d.time(attrReceivedAt), d.string(attrExecution)
	if err := d.err(ref); err != nil {
		return err
	}
	for _, one := range stored {
		if !counted[string(one.Digest)] {
			continue
		}
		counted[string(one.Digest)] = false
		if err := visit(Receipt{one.Identity, one.File, one.Success, at, execution}); err != nil {
			return err
		}
	}
	return nil
}
