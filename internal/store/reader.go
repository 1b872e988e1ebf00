package store

import (
	"context"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// ReadingDB is what looking on asks of the tables: nothing is written.
type ReadingDB interface {
	querier
	batchReader
}

// Reader reads what is stored, for people. It writes nothing and decides nothing.
type Reader struct {
	DB ReadingDB
	Tables
	Pause Pause
}

// RunState is what is stored of a run. The run and its rows are read one after the other, so a busy run may have moved
// in between.
type RunState struct {
	Run         *snapshot.Run // nil if the ledger does not know it: nothing was counted for it
	Collections []State       // of its rows, in the order of their names; each has a row
}

// Marker is a message that was counted.
type Marker struct {
	Identity  string
	Filename  string // as the message said; may be empty
	Success   bool   // it was the success file's
	CountedAt time.Time
	Execution string // that counted it
	Digest    string // of its body
}

// Runs lists the runs that the ledger knows, also those that were let go, in the order of their correlation ids.
func (r *Reader) Runs(ctx context.Context) (runs []snapshot.Run, err error) {
	err = r.Pause.tries(ctx, "listing the runs", func() error {
		runs, err = r.runs(ctx, r.DB)
		return err
	})
	return runs, err
}

// Run reads a run with all of its rows and what the ledger knows of them: the rows by pages of a query, the ledger by
// batches of table.MaxBatch items.
func (r *Reader) Run(ctx context.Context, correlationID string) (state RunState, err error) {
	err = r.Pause.tries(ctx, "reading a run", func() error {
		state, err = r.run(ctx, correlationID)
		return err
	})
	return state, err
}

func (r *Reader) run(ctx context.Context, correlationID string) (state RunState, err error) {
	ref := r.runRef(correlationID)
	items, err := r.DB.GetMany(ctx, []table.Read{{Ref: ref, Consistent: true}})
	if err != nil {
		return state, err
	}
	if item := items[ref]; item != nil {
		run, err := r.decodeRun(correlationID, item)
		if err != nil {
			return state, err
		}
		state.Run = &run
	}
	var rows []snapshot.Row // those that can be read
	err = r.eachRow(ctx, r.DB, r.rowsOf(correlationID), func(row snapshot.Row, malformed error) (goOn bool, err error) {
		state.Collections = append(state.Collections, State{Row: &row, Malformed: malformed})
		rows = append(rows, row)
		return true, nil
	})
	if err != nil {
		return state, err
	}
	collections, err := r.collections(ctx, r.DB, rows)
	if err != nil {
		return state, err
	}
	for i := range state.Collections {
		state.Collections[i].Collection = collections[i]
	}
	return state, nil
}

// Messages hands over the messages that were counted for a collection, in the order of their identities, strongly
// consistent, page by page, until visit returns an error.
func (r *Reader) Messages(ctx context.Context, key snapshot.CollectionKey, visit func(Marker) error) error {
	query := table.Query{Name: r.Ledger, Partition: collectionPartition(key), From: markerPrefix, Consistent: true}
	for {
		var page table.Page
		err := r.Pause.tries(ctx, "reading a collection's messages", func() (err error) {
			page, err = r.DB.Query(ctx, query)
			return err
		})
		if err != nil {
			return err
		}
		for _, keyed := range page.Items {
			marker, err := r.decodeMarker(keyed)
			if err == nil {
				err = visit(marker)
			}
			if err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.After = page.Next
	}
}

func (r *Reader) decodeMarker(keyed table.Keyed) (Marker, error) {
	d := decoder{item: keyed.Item}
	marker := Marker{
		Identity:  d.string(attrIdentity),
		Filename:  d.string(attrFilename),
		Success:   d.string(attrKind) == kindSuccess,
		CountedAt: d.time(attrCountedAt),
		Execution: d.string(attrExecution),
		Digest:    d.string(attrDigest),
	}
	return marker, d.err(r.Ledger.At(keyed.Partition, keyed.Sort))
}
