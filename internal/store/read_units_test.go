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

// wide is a run of many collections, whose checks are metered.
type wide struct {
	*world
	db   *metered
	rows []string
}

func newWide(t *testing.T, collections int) *wide {
	db := &metered{DB: &memory.DB{}}
	w := &wide{world: newWorld(t, db, store.NewTables("status", "ledger")), db: db}
	for i := range collections {
		name := fmt.Sprintf("db.database-%02d.collection-%05d", i%20, i)
		w.rows = append(w.rows, name)
		db.Put(w.tables.Status.At(run, name), table.Item{"CollectionStatus": "Sent", "FilesExported": int64(128),
			"FilesSent":     int64(128),
			"FilesReceived": int64(128), "EpochStart": int64(0), "SyncedFiles": int64(128), "ExportDate": "2020-01-01",
			"TimeToExist": int64(1_600_000_000)})
	}
	w.register(w.rows[collections/3]) // whichever message comes first
	slices.Sort(w.rows)
	return w
}

func (w *wide) set(collection string, status snapshot.Status) {
	w.Helper()
	_, err := w.db.DB.Update(w.Context(), table.Write{Ref: w.tables.Status.At(run, collection),
		Set: map[string]any{"CollectionStatus": string(status)}})
	if err != nil {
		w.Fatal(err)
	}
}

// reached is check-all after a reconciliation moved a collection there, and notify after it.
func (w *wide) reached(collection string, status snapshot.Status) {
	kinds := allReceived
	if status == snapshot.Success {
		kinds = both
	}
	w.check(collection, fmt.Sprintf("%s/%s", status, collection), true, kinds)
}

func (w *wide) oneByOne(order []string, status snapshot.Status) {
	for _, collection := range order {
		w.set(collection, status)
		w.reached(collection, status)
	}
}

// together moves collections and then checks all of them at once, in lockstep.
func (w *wide) together(collections []string, status snapshot.Status) {
	var each []func()
	for _, collection := range collections {
		w.set(collection, status)
		each = append(each, func() { w.reached(collection, status) })
	}
	w.atOnce(each...)
}

// orders are the orders in which the collections of a run are completed.
var orders = map[string]func(w *wide){
	"in order": func(w *wide) { w.inTurn(w.rows) },
	"reverse":  func(w *wide) { order := slices.Clone(w.rows); slices.Reverse(order); w.inTurn(order) },
	"random": func(w *wide) {
		order := slices.Clone(w.rows)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		w.inTurn(order)
	},
	"successful one by one": func(w *wide) {
		for i := range w.rows {
			w.oneByOne(w.rows[i:i+1], snapshot.Received)
			w.oneByOne(w.rows[i:i+1], snapshot.Success)
		}
	},
	"bursts of 20": func(w *wide) {
		for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
			for burst := range slices.Chunk(w.rows, 20) {
				w.together(burst, status)
			}
		}
	},
	"all at once": func(w *wide) {
		w.together(w.rows, snapshot.Received)
		w.together(w.rows, snapshot.Success)
	},
}

func (w *wide) inTurn(order []string) {
	w.oneByOne(order, snapshot.Received)
	w.oneByOne(order, snapshot.Success)
}

// The number of checks grows with the run, and what each reads must not: at most 3 units for each collection, for both
// notifications, the whole readings before them included.
func TestChecksOfARunReadALinearNumberOfUnits(t *testing.T) {
	for _, collections := range []int{200, 1000, 10000} {
		for name, complete := range orders {
			t.Run(fmt.Sprintf("%d %s", collections, name), func(t *testing.T) {
				t.Parallel()
				w := newWide(t, collections)
				complete(w)
				perCollection := w.db.reads / float64(collections)
				t.Logf("%.2f units for each of %d collections", perCollection, collections)
				if perCollection > 3 {
					t.Errorf("%.2f units for each of %d collections, want at most 3", perCollection, collections)
				}
				w.wantSent(bothOf(0)...)
			})
		}
	}
}

// Each page is twice as long as the one before, so a whole reading takes few.
func TestAWholeReadingTakesFewPages(t *testing.T) {
	t.Parallel()
	w := newWide(t, 10_000)
	for _, collection := range w.rows {
		w.set(collection, snapshot.Received)
	}
	w.reached(w.hint(snapshot.AllReceived).Collection, snapshot.Received)
	w.wantSent(notification(snapshot.AllReceived, 0))
	if w.db.pages > 20 {
		t.Errorf("10,000 rows took %d pages", w.db.pages)
	}
}
