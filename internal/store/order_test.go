package store_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// parted reads a batch one item after the other, in an order of the test's choice: a batch is no snapshot.
type parted struct {
	*memory.DB
	last    table.Name // of a batch's reads, those of this table come last
	between func()     // goes once, after the next read
}

func (p *parted) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	reads = slices.Clone(reads)
	slices.SortStableFunc(reads, func(a, b table.Read) int {
		switch {
		case a.Name == b.Name:
			return 0
		case a.Name == p.last:
			return 1
		}
		return -1
	})
	items := map[table.Ref]table.Item{}
	for _, read := range reads {
		one, err := p.DB.GetMany(ctx, []table.Read{read})
		if err != nil {
			return nil, err
		}
		maps.Copy(items, one)
		if others := p.between; others != nil {
			p.between = nil
			others()
		}
	}
	return items, nil
}

func newPartedWorld(t *testing.T) (*world, *parted) {
	db := &parted{DB: &memory.DB{}}
	return newWorld(t, db, store.NewTables("status", "ledger")), db
}

func (w *world) counts(execution string, state store.State, receipts ...snapshot.Receipt) {
	w.Helper()
	if _, err := w.counter.Count(w.Context(), execution, state, receipts); err != nil {
		w.Fatal(err)
	}
}

// Between the two reads of a batch somebody counts the collection's first file, so the row seems to have lost FilesCounted.
// A success file that took the row for replaced would be remembered for an attempt that never comes.
func TestARowThatWasCountedBetweenTwoReadsIsNotReplaced(t *testing.T) {
	t.Parallel()
	w, db := newPartedWorld(t)
	w.row("a", "Sent", 1)
	db.last = w.tables.Ledger
	db.between = func() { w.count("a", receipt("a", "file")) }
	w.counts("execution-2", w.read("a"), successFile("a", "success"))
	w.look("a", "execution-3")
	w.wantRow("a", table.Item{"CollectionStatus": "Success"})
}

// Between the two reads of somebody who reads again, another one records a file and updates the row by what he knew: with
// the reads the other way round nobody would add the first one's file.
func TestFilesThatAreRecordedBetweenTwoReadsReachTheRow(t *testing.T) {
	t.Parallel()
	w, db := newPartedWorld(t)
	w.row("a", "Sent", 5)
	w.count("a", receipt("a", "first"))
	mine, others := w.read("a"), w.read("a")
	db.last = w.tables.Status
	db.between = func() { w.counts("execution-5", others, receipt("a", "others")) }
	w.counts("execution-3", mine, receipt("a", "first"), receipt("a", "mine")) // a duplicate, so that it reads again
	if db.between != nil {
		t.Fatal("it did not read again")
	}
	w.wantRow("a", table.Item{"FilesReceived": int64(3), "FilesCounted": int64(3)})
}

// Who fails after some of its messages were recorded says which.
func TestATallyThatComesWithAnErrorSaysWhatWasCounted(t *testing.T) {
	t.Parallel()
	w, _ := newPartedWorld(t)
	w.row("a", "Sent", 500)
	state := w.read("a")
	w.dies("Transact", 1)
	tally, err := w.counter.Count(t.Context(), "execution-1", state, receipts("a", 150))
	if err == nil || len(tally.Counted) != 99 {
		t.Errorf("%d counted with error %v, want 99 with one", len(tally.Counted), err)
	}
}
