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
	Filename  string // as the message said; empty if it named none
	Success   bool   // it was the success file's
	CountedAt time.Time
	Execution string // that counted it
	Digest    string // of its body
}

// patient tries each call again by itself: of the many calls that a large run takes, DynamoDB may refuse a few at any time, and
// beginning anew for each of them would not come to an end.
type patient struct {
	db    ReadingDB
	pause Pause
	doing string
}

func (r *Reader) patient(doing string) patient { return patient{r.DB, r.Pause, doing} }

func (p patient) Query(ctx context.Context, query table.Query) (page table.Page, err error) {
	err = p.pause.tries(ctx, p.doing, func() error {
		page, err = p.db.Query(ctx, query)
		return err
	})
	return page, err
}

func (p patient) GetMany(ctx context.Context, reads []table.Read) (items map[table.Ref]table.Item, err error) {
	err = p.pause.tries(ctx, p.doing, func() error {
		items, err = p.db.GetMany(ctx, reads)
		return err
	})
	return items, err
}

// Runs lists the runs that the ledger knows, also those that were let go, in the order of their correlation ids.
func (r *Reader) Runs(ctx context.Context) ([]snapshot.Run, error) {
	return r.runs(ctx, r.patient("listing the runs"))
}

// Run reads a run with all of its rows and what the ledger knows of them: the rows by pages of a query, the ledger by
// batches of table.MaxBatch items.
func (r *Reader) Run(ctx context.Context, correlationID string) (state RunState, err error) {
	db, ref := r.patient("reading a run"), r.runRef(correlationID)
	items, err := db.GetMany(ctx, []table.Read{{Ref: ref, Consistent: true}})
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
	err = r.eachRow(ctx, db, r.rowsOf(correlationID), func(row snapshot.Row, malformed error) (goOn bool, err error) {
		state.Collections = append(state.Collections, State{Row: &row, Malformed: malformed})
		rows = append(rows, row)
		return true, nil
	})
	if err != nil {
		return state, err
	}
	collections, err := r.collections(ctx, db, rows)
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
	db := r.patient("reading a collection's messages")
	for {
		page, err := db.Query(ctx, query)
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
	if marker.Filename == snapshot.FilenameNotSet {
		marker.Filename = ""
	}
	return marker, d.err(r.Ledger.At(keyed.Partition, keyed.Sort))
}
