package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// This file reads for people. It writes nothing.

// RunState is a run with its collections. They are read one after the other: a run in progress may change in between.
type RunState struct {
	Run         *snapshot.Run // nil if the ledger does not have it: nothing was counted for it
	Collections []State       // of its rows, in the order of their names; each has a row

	tallied []snapshot.Row // its rows as a sweep adds them up
}

// Runs lists the ledger's runs, abandoned ones included, in the order of their correlation ids, over all pages,
// strongly consistent. Malformed runs are returned as an error beside the others, a *failure.Malformed for each.
func (s *Store) Runs(ctx context.Context) (runs []snapshot.Run, malformed error) {
	for page, err := range s.query(ctx, s.allOf(runPartition)) {
		if err != nil {
			return nil, fmt.Errorf("listing the runs: %w", err)
		}
		for _, keyed := range page {
			d := decoder{item: keyed.Item}
			correlationID := d.string(attrCorrelationID)
			run, err := s.decodeRun(correlationID, keyed.Item)
			if err = errors.Join(d.err(s.Ledger.At(keyed.Partition, keyed.Sort)), err); err != nil {
				malformed = errors.Join(malformed, err)
				continue
			}
			runs = append(runs, *run)
		}
	}
	return runs, malformed
}

// Run reads a run with all its rows and the ledger's collections of these rows.
func (s *Store) Run(ctx context.Context, correlationID string) (state RunState, err error) {
	if state.Run, err = s.getRun(ctx, correlationID); err != nil {
		return state, fmt.Errorf("reading a run: %w", err)
	}
	var rows []snapshot.Row
	for page, err := range s.pagesOf(ctx, s.rowsOf(correlationID)) {
		if err != nil {
			return state, fmt.Errorf("reading a run's rows: %w", err)
		}
		for _, row := range page {
			state.Collections = append(state.Collections, State{Row: &row.Row, Malformed: row.Malformed})
			rows, state.tallied = append(rows, row.Row), append(state.tallied, row.blocking())
		}
	}
	collections, malformed, err := s.collections(ctx, rows)
	if err != nil {
		return state, fmt.Errorf("reading a run's collections: %w", err)
	}
	for i := range state.Collections {
		state.Collections[i].Collection = collections[i]
		state.Collections[i].Malformed = errors.Join(state.Collections[i].Malformed, malformed[i])
	}
	return state, nil
}

// collections reads the ledger's collections of the rows, in their order, strongly consistent. A malformed one has its
// error, a *failure.Malformed, in malformed.
func (s *Store) collections(ctx context.Context, rows []snapshot.Row) (
	collections []snapshot.Collection, malformed []error, err error,
) {
	for chunk := range slices.Chunk(rows, table.MaxBatch) {
		var reads []table.Read
		for _, row := range chunk {
			reads = append(reads, table.Read{Ref: s.collectionRef(row.CollectionKey), Consistent: true})
		}
		items, err := s.db.GetMany(ctx, reads)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range chunk {
			collection, err := s.decodeCollection(row.CollectionKey, items[s.collectionRef(row.CollectionKey)])
			collections, malformed = append(collections, collection), append(malformed, err)
		}
	}
	return collections, malformed, nil
}
