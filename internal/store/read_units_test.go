package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// wide is a run of many collections with metered checks.
type wide struct {
	*testStore
	db   *metered
	rows []string
}

func newWide(t *testing.T, collections int) *wide {
	db := &metered{DB: &memory.DB{}}
	ts := &wide{testStore: newTestStore(t, db, store.NewTables("status", "ledger")), db: db}
	for i := range collections {
		name := fmt.Sprintf("db.database-%02d.collection-%05d", i%20, i)
		ts.rows = append(ts.rows, name)
		db.Put(ts.tables.Status.At(run, name), table.Item{"CollectionStatus": "Sent", "FilesExported": int64(128),
			"FilesSent":     int64(128),
			"FilesReceived": int64(128), "EpochStart": int64(0), "SyncedFiles": int64(128), "ExportDate": "2020-01-01",
			"TimeToExist": int64(1_600_000_000)})
	}
	ts.register(ts.rows[collections/3]) // whichever message comes first
	slices.Sort(ts.rows)
	return ts
}

func (ts *wide) set(collection string, status snapshot.Status) {
	ts.Helper()
	_, err := ts.db.DB.Update(ts.Context(), table.Write{Ref: ts.tables.Status.At(run, collection),
		Set: map[string]any{"CollectionStatus": string(status)}})
	if err != nil {
		ts.Fatal(err)
	}
}

// reached does the steps of check-all and notify after a reconciliation moved a collection to the status.
func (ts *wide) reached(collection string, status snapshot.Status) {
	kinds := allReceived
	if status == snapshot.Success {
		kinds = both
	}
	ts.check(collection, fmt.Sprintf("%s/%s", status, collection), true, kinds)
}

func (ts *wide) oneByOne(order []string, status snapshot.Status) {
	for _, collection := range order {
		ts.set(collection, status)
		ts.reached(collection, status)
	}
}

// together moves collections and then checks all of them concurrently, in lockstep.
func (ts *wide) together(collections []string, status snapshot.Status) {
	var each []func()
	for _, collection := range collections {
		ts.set(collection, status)
		each = append(each, func() { ts.reached(collection, status) })
	}
	ts.atOnce(each...)
}

// orders are orders of completion of a run's collections.
var orders = map[string]func(ts *wide){
	"in order": func(ts *wide) { ts.inTurn(ts.rows) },
	"reverse":  func(ts *wide) { order := slices.Clone(ts.rows); slices.Reverse(order); ts.inTurn(order) },
	"random": func(ts *wide) {
		order := slices.Clone(ts.rows)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		ts.inTurn(order)
	},
	"successful one by one": func(ts *wide) {
		for i := range ts.rows {
			ts.oneByOne(ts.rows[i:i+1], snapshot.Received)
			ts.oneByOne(ts.rows[i:i+1], snapshot.Success)
		}
	},
	"bursts of 20": func(ts *wide) {
		for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
			for burst := range slices.Chunk(ts.rows, 20) {
				ts.together(burst, status)
			}
		}
	},
	"all at once": func(ts *wide) {
		ts.together(ts.rows, snapshot.Received)
		ts.together(ts.rows, snapshot.Success)
	},
}

func (ts *wide) inTurn(order []string) {
	ts.oneByOne(order, snapshot.Received)
	ts.oneByOne(order, snapshot.Success)
}

// The number of checks grows with the run, the reads of a check must not: at most 3 units for each collection, for both
// notifications, including the readings of the whole run.
func TestChecksOfARunReadALinearNumberOfUnits(t *testing.T) {
	for _, collections := range []int{200, 1000, 10000} {
		for name, complete := range orders {
			t.Run(fmt.Sprintf("%d %s", collections, name), func(t *testing.T) {
				t.Parallel()
				ts := newWide(t, collections)
				complete(ts)
				perCollection := ts.db.reads / float64(collections)
				t.Logf("%.2f units for each of %d collections", perCollection, collections)
				if perCollection > 3 {
					t.Errorf("%.2f units for each of %d collections, want at most 3", perCollection, collections)
				}
				ts.wantSent(bothOf(0)...)
			})
		}
	}
}

// Each page is twice as long as the one before, so the reading of a whole run takes few.
func TestAWholeReadingTakesFewPages(t *testing.T) {
	t.Parallel()
	ts := newWide(t, 10_000)
	for _, collection := range ts.rows {
		ts.set(collection, snapshot.Received)
	}
	ts.reached(ts.hint(snapshot.AllReceived).Collection, snapshot.Received)
	ts.wantSent(notification(snapshot.AllReceived, 0))
	if ts.db.pages > 20 {
		t.Errorf("10,000 rows took %d pages", ts.db.pages)
	}
}
