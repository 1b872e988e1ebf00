package store_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
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

// The number of checks grows with the run, and what each reads must not: at most 4 units for each collection, for both
// kinds of news, the whole readings before the claims among them.
func TestChecksOfARunReadALinearNumberOfUnits(t *testing.T) {
	oneByOne := func(w *wide, order []string, status snapshot.Status) {
		for _, collection := range order {
			w.set(collection, status)
			w.check(collection, status)
		}
	}
	inTurn := func(w *wide, order []string) {
		oneByOne(w, order, snapshot.Received)
		oneByOne(w, order, snapshot.Success)
	}
	for _, collections := range []int{200, 1000, 10000} {
		for name, complete := range map[string]func(w *wide){
			"sorted":  func(w *wide) { inTurn(w, w.rows) },
			"reverse": func(w *wide) { order := slices.Clone(w.rows); slices.Reverse(order); inTurn(w, order) },
			"random": func(w *wide) {
				order := slices.Clone(w.rows)
				rand.New(rand.NewPCG(1, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				inTurn(w, order)
			},
			"successful one by one": func(w *wide) {
				for _, collection := range w.rows {
					oneByOne(w, []string{collection}, snapshot.Received)
					oneByOne(w, []string{collection}, snapshot.Success)
				}
			},
			"in bursts of 20": func(w *wide) {
				for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
					for burst := range slices.Chunk(w.rows, 20) {
						for _, collection := range burst {
							w.set(collection, status)
						}
						w.atOnce(burst, status)
					}
				}
			},
			"at the same moment": func(w *wide) {
				for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
					for _, collection := range w.rows {
						w.set(collection, status)
					}
					w.atOnce(w.rows, status)
				}
			},
		} {
			t.Run(fmt.Sprintf("%d %s", collections, name), func(t *testing.T) {
				t.Parallel()
				w := newWide(t, collections)
				complete(w)
				perCollection := w.db.units / float64(collections)
				t.Logf("%.2f units for each of %d collections", perCollection, collections)
				if perCollection > 4 {
					t.Errorf("%.2f units for each of %d collections, want at most 4", perCollection, collections)
				}
				for _, kind := range snapshot.News {
					if told := w.told[news(kind, 0)]; told != 1 {
						t.Errorf("%s was told %d times", kind, told)
					}
				}
			})
		}
	}
}

// receivedBut is a run of 40 collections that are received but for one, which stands behind the first page.
func receivedBut(t *testing.T) (w *wide, last string) {
	w = newWide(t, 40)
	for _, collection := range w.rows {
		w.set(collection, snapshot.Received)
	}
	last = w.rows[25]
	w.set(last, "Sent")
	return w, last
}

// beforeTheReadingEnds does something once when a reader has read all that it wants to, and not yet written so.
func (w *wide) beforeTheReadingEnds(do func()) {
	w.db.before = func(_ string, write table.Write) {
		if slices.Contains(write.Remove, "Reader") {
			w.db.before = func(string, table.Write) {}
			do()
		}
	}
}

func (w *wide) wantTold(times int) {
	w.Helper()
	if told := w.told[news(snapshot.AllReceived, 0)]; told != times {
		w.Errorf("told %d times, want %d", told, times)
	}
}

func TestTheWatchedCollectionIsReadFirst(t *testing.T) {
	w, last := receivedBut(t)
	for range 2 {
		if verdict := w.check("any", snapshot.Received); verdict.Blocker.CollectionName != last {
			t.Errorf("got %+v, want it blocked by %s", verdict, last)
		}
		// The rows before the watched one are not read, so this one does not matter now.
		w.set(w.rows[3], "Sent")
	}
	w.set(last, snapshot.Received)
	if verdict := w.check(last, snapshot.Received); verdict.Blocker.CollectionName != w.rows[3] {
		t.Errorf("got %+v, want the collection that went back to be seen", verdict)
	}
	w.set(w.rows[3], snapshot.Received)
	w.check(w.rows[3], snapshot.Received)
	w.wantTold(1)
}

func TestACollectionThatAppearsLateIsSeen(t *testing.T) {
	w, last := receivedBut(t)
	w.check("any", snapshot.Received)
	w.db.Put(w.runs.Status.At(run, "a-late-one"), table.Item{"CollectionStatus": "Exporting"})
	w.set(last, snapshot.Received)
	if verdict := w.check(last, snapshot.Received); verdict.Blocker.CollectionName != "a-late-one" {
		t.Errorf("got %+v", verdict)
	}
	w.wantTold(0)
}

func TestAWholeReadingTakesFewPages(t *testing.T) {
	w := newWide(t, 10_000)
	for _, collection := range w.rows {
		w.set(collection, snapshot.Received)
	}
	w.check("any", snapshot.Received)
	w.wantTold(1)
	if w.db.pages > 12 {
		t.Errorf("10,000 rows took %d pages", w.db.pages)
	}
}

func TestAReaderThatIsAskedMeanwhileReadsAgain(t *testing.T) {
	w, last := receivedBut(t)
	w.beforeTheReadingEnds(func() {
		w.set(last, snapshot.Received)
		if verdict := w.check(last, snapshot.Received); verdict.Blocked || len(verdict.Claimed) > 0 {
			t.Errorf("beside a reader: %+v, want it left to the reader", verdict)
		}
	})
	w.check("any", snapshot.Received)
	w.wantTold(1)
}

func TestAReadersPlaceIsTakenOnceItsTimeIsOver(t *testing.T) {
	w, last := receivedBut(t)
	w.db.before = func(_ string, write table.Write) {
		if slices.Contains(write.Remove, "Reader") {
			panic("dies")
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.check("dying", snapshot.Received)
		t.Fatal("it did not die")
	}()
	w.db.before = func(string, table.Write) {}
	w.set(last, snapshot.Received)
	w.check("too early", snapshot.Received)
	w.wantTold(0)
	w.now = w.now.Add(snapshot.ReaderLease)
	w.check("heir", snapshot.Received)
	w.wantTold(1)
}

// A reader that runs again after its answer was lost goes on, and ends what it began.
func TestAReaderThatRunsAgainGoesOn(t *testing.T) {
	w, last := receivedBut(t)
	w.set(last, snapshot.Received)
	w.db.before = func(_ string, write table.Write) {
		if slices.Contains(write.Remove, "Reader") {
			panic("dies")
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.check(last, snapshot.Received)
	}()
	w.db.before = func(string, table.Write) {}
	w.set(w.rows[0], "Sent") // which is what it would see first
	if claimed := w.check(last, snapshot.Received).Claimed; len(claimed) != 1 {
		t.Errorf("claimed %v, want what it had claimed before it died", claimed)
	}
	item, err := w.db.DB.Get(t.Context(), table.Read{Ref: w.runs.Ledger.At("run", run), Consistent: true})
	if err != nil || item.Has("Reader") {
		t.Errorf("the run still has a reader: %v, %v", item, err)
	}
}

// A view that is not the latest may cost a reading, and hides nothing.
func TestAStaleViewHidesNothing(t *testing.T) {
	w, last := receivedBut(t)
	w.db.stale = true
	w.check("any", snapshot.Received)
	w.set(last, snapshot.Received)
	w.check(last, snapshot.Received)
	w.check("any", snapshot.Received)
	w.wantTold(1)
}
