package store_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// metered is a table in memory that counts read units as DynamoDB bills them: one for each 4 KB that a strongly
// consistent read comes to, half of it for another. A query is billed for the items that it reads, whatever it returns of them
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
type metered struct {
	*memory.DB
	units  float64
	pages  int
	stale  bool                               // whether reads that are not consistent see the state before the last write
	before func(op string, write table.Write) // called before each call
}

func (m *metered) bill(bytes int, consistent bool) {
	units := float64(max(1, (bytes+4095)/4096))
	if !consistent {
		units /= 2
	}
	m.units += units
}

func (m *metered) Get(ctx context.Context, read table.Read) (table.Item, error) {
	m.before("Get", table.Write{})
	whole, _ := m.DB.Get(ctx, table.Read{Ref: read.Ref, Consistent: true})
	m.bill(size(read.Ref, whole), read.Consistent)
	read.Consistent = read.Consistent || !m.stale
	return m.DB.Get(ctx, read)
}

func (m *metered) Query(ctx context.Context, query table.Query) (table.Page, error) {
	m.before("Query", table.Write{})
	m.pages++
	whole := query
	whole.Attributes = nil
	bytes := 0
	page, _ := m.DB.Query(ctx, whole)
	for _, keyed := range page.Items {
		bytes += size(query.At(keyed.Partition, keyed.Sort), keyed.Item)
	}
	m.bill(bytes, query.Consistent)
	return m.DB.Query(ctx, query)
}

func (m *metered) Update(ctx context.Context, write table.Write) (table.Item, error) {
	m.before("Update", write)
	return m.DB.Update(ctx, write)
}

// size is an item's size after
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.
func size(ref table.Ref, item table.Item) int {
	bytes := len(ref.PartitionKey) + len(ref.Partition) + len(ref.SortKey) + len(ref.Sort)
	for attribute, value := range item {
		bytes += len(attribute)
		switch value := value.(type) {
		case string:
			bytes += len(value)
		case int64:
			bytes += len(fmt.Sprint(value))/2 + 2
		default:
			bytes++
		}
	}
	return bytes
}

// wide is a run of many collections, whose checks are metered.
type wide struct {
	*testing.T
	db    *metered
	runs  *store.Runs
	rows  []string
	now   time.Time
	told  map[snapshot.Debt]int
	debts *store.Debts
}

func newWide(t *testing.T, collections int) *wide {
	w := &wide{T: t, db: &metered{DB: &memory.DB{}, before: func(string, table.Write) {}}, now: time.Unix(1_600_000_000, 0), told: map[snapshot.Debt]int{}}
	tables, now, pause := store.NewTables("status", "ledger"), func() time.Time { return w.now }, func(context.Context, int) error { return nil }
	w.runs = &store.Runs{DB: w.db, Tables: tables, Now: now, Pause: pause}
	w.debts = &store.Debts{DB: w.db.DB, Tables: tables, Pause: pause}
	counter := &store.Counter{DB: w.db.DB, Tables: tables, Now: now, Pause: pause}
	if err := counter.RegisterRun(t.Context(), run, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"}); err != nil {
		t.Fatal(err)
	}
	for i := range collections {
		name := fmt.Sprintf("db.database-%02d.collection-%05d", i%20, i)
		w.rows = append(w.rows, name)
		w.db.Put(tables.Status.At(run, name), table.Item{"CollectionStatus": "Sent", "FilesExported": int64(128), "FilesSent": int64(128),
			"FilesReceived": int64(128), "FilesCounted": int64(128), "ExportDate": "2020-01-01", "TimeToExist": int64(1_600_000_000)})
	}
	slices.Sort(w.rows)
	return w
}

func (w *wide) set(collection string, status snapshot.Status) {
	w.Helper()
	_, err := w.db.DB.Update(w.Context(), table.Write{Ref: w.runs.Status.At(run, collection), Set: map[string]any{"CollectionStatus": string(status)}})
	if err != nil {
		w.Fatal(err)
	}
}

// check is check-all after a look at a collection, with notify after it.
func (w *wide) check(collection string, reached snapshot.Status) store.Verdict {
	verdict, err := w.runs.Check(w.Context(), run, fmt.Sprintf("%s/%s", reached, collection), reached)
	if err != nil {
		w.Error(err)
	}
	for _, debt := range verdict.Claimed {
		w.told[debt]++
		if err := w.debts.Delivered(w.Context(), debt); err != nil {
			w.Error(err)
		}
	}
	return verdict
}

// atOnce runs checks side by side, in lockstep: each makes one call, in turn, so that every one of them sees the run as
// it was before any of them wrote.
func (w *wide) atOnce(collections []string, reached snapshot.Status) {
	type thread struct {
		next  func() (struct{}, bool)
		yield func(struct{}) bool
	}
	var running []*thread
	var current *thread
	w.db.before = func(string, table.Write) { current.yield(struct{}{}) }
	for _, collection := range collections {
		th := &thread{}
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			th.yield = yield
			w.check(collection, reached)
		})
		defer stop()
		th.next = next
		running = append(running, th)
	}
	for len(running) > 0 {
		running = slices.DeleteFunc(running, func(th *thread) bool {
			current = th
			_, more := th.next()
			return !more
		})
	}
	w.db.before = func(string, table.Write) {}
}
