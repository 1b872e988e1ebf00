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
		db.Put(ts.rowRef(name), table.Item{"CollectionStatus": "Sent", "FilesExported": int64(128),
			"FilesSent":     int64(128),
			"FilesReceived": int64(128), "EpochStart": int64(0), "SyncedFiles": int64(128), "ExportDate": "2020-01-01",
			"TimeToExist": int64(1_600_000_000)})
	}
	ts.register(ts.rows[collections/3]) // whichever message comes first
	slices.Sort(ts.rows)
	return ts
}

// reached moves collections to the status, and then does the steps of check-all and notify for all of them
// concurrently, in lockstep.
func (ts *wide) reached(status snapshot.Status, collections ...string) {
	for _, collection := range collections {
		_, err := ts.db.DB.Update(ts.Context(), table.Write{Ref: ts.rowRef(collection),
			Set: map[string]any{"CollectionStatus": string(status)}})
		ts.ok(err)
	}
	kinds := allReceived
	if status == snapshot.Success {
		kinds = both
	}
	ts.lockstep(len(collections), func(i int) {
		ts.check(collections[i], fmt.Sprintf("%s/%s", status, collections[i]), kinds)
	})
}

// inBursts moves so many collections at a time, all to Received and then all to Success.
func (ts *wide) inBursts(size int) {
	for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
		for burst := range slices.Chunk(ts.rows, size) {
			ts.reached(status, burst...)
		}
	}
}

// orders are orders of completion of a run's collections.
var orders = map[string]func(ts *wide){
	"in order": func(ts *wide) { ts.inBursts(1) },
	"reverse":  func(ts *wide) { slices.Reverse(ts.rows); ts.inBursts(1) },
	"random": func(ts *wide) {
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(ts.rows), func(i, j int) {
			ts.rows[i], ts.rows[j] = ts.rows[j], ts.rows[i]
		})
		ts.inBursts(1)
	},
	"successful one by one": func(ts *wide) {
		for _, collection := range ts.rows {
			ts.reached(snapshot.Received, collection)
			ts.reached(snapshot.Success, collection)
		}
	},
	"bursts of 20": func(ts *wide) { ts.inBursts(20) },
	"all at once":  func(ts *wide) { ts.inBursts(len(ts.rows)) },
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
		ts.row(collection, "Received", 128)
	}
	ts.reached(snapshot.Received, ts.hint(snapshot.AllReceived).Collection)
	ts.wantSent(notification(snapshot.AllReceived, 0))
	if ts.db.pages > 20 {
		t.Errorf("10,000 rows took %d pages", ts.db.pages)
	}
}
