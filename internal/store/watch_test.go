package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

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

// Once somebody has read the whole run for the question that a new attempt asked, the checks after it read no more than
// before the question: the run, and nothing of its rows.
func TestAnAnsweredQuestionIsNotAnsweredAgain(t *testing.T) {
	w := newWide(t, 200)
	for _, collection := range w.rows {
		w.set(collection, snapshot.Success)
	}
	w.check("first", snapshot.Success)
	again := w.rows[100]
	for ref, change := range map[table.Ref]table.Write{
		w.runs.Status.At(run, again): {Set: map[string]any{"FilesCounted": int64(129)}},
		w.runs.Ledger.At("run", run): {Add: map[string]table.Sum{"Asked": {N: 1}}},
	} {
		change.Ref = ref
		if _, err := w.db.DB.Update(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	w.check(again, snapshot.Success)
	for _, kind := range snapshot.News {
		if told := w.told[news(kind, 1)]; told != 1 {
			t.Errorf("%s of the new attempt was told %d times", kind, told)
		}
	}
	w.db.units, w.db.pages = 0, 0
	for _, collection := range w.rows {
		w.check(collection, snapshot.Success)
	}
	perCheck := w.db.units / float64(len(w.rows))
	if t.Logf("%.2f units a check", perCheck); perCheck > 1.5 || w.db.pages > 0 {
		t.Errorf("a check after the answer reads %.2f units and the rows %d times", perCheck, w.db.pages)
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
	w.db.stale = true
	w.beforeTheReadingEnds(func() {
		w.set(last, snapshot.Received)
		if verdict := w.check(last, snapshot.Received); verdict.Blocked || len(verdict.Claimed) > 0 {
			t.Errorf("beside a reader: %+v, want it left to the reader", verdict)
		}
	})
	w.check("any", snapshot.Received)
	w.wantTold(1)
}

// It reads for the second news when a new attempt asks for the first.
func TestAReaderThatIsAskedForOtherNewsReadsAgain(t *testing.T) {
	w, _ := receivedBut(t)
	for _, collection := range w.rows {
		w.set(collection, snapshot.Success)
	}
	w.set(w.rows[5], snapshot.Received)
	w.set(w.rows[25], snapshot.Received)
	w.check("any", snapshot.Received)
	w.wantTold(1)
	w.set(w.rows[5], snapshot.Success)
	w.beforeTheReadingEnds(func() {
		for ref, change := range map[table.Ref]table.Write{
			w.runs.Status.At(run, w.rows[30]): {Set: map[string]any{"FilesCounted": int64(129), "CollectionStatus": "Received"}},
			w.runs.Ledger.At("run", run):      {Add: map[string]table.Sum{"Asked": {N: 1}}},
		} {
			change.Ref = ref
			if _, err := w.db.DB.Update(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}
		w.check(w.rows[30], snapshot.Received)
	})
	w.check(w.rows[5], snapshot.Success)
	if told := w.told[news(snapshot.AllReceived, 1)]; told != 1 {
		t.Errorf("the new attempt was told %d times: %v", told, w.told)
	}
}

// A run whose time is over while it is checked or asked about is not made anew.
func TestARunThatIsGoneStaysGone(t *testing.T) {
	ref := func(w *wide) table.Ref { return w.runs.Ledger.At("run", run) }
	goes := func(w *wide) (happened *bool) {
		happened = new(bool)
		w.db.before = func(op string, _ table.Write) {
			if op == "Update" && !*happened {
				*happened = true
				w.db.Put(ref(w), nil)
			}
		}
		return happened
	}
	for name, do := range map[string]func(w *wide){
		"whoever wants to read on": func(w *wide) {
			gone := goes(w)
			if verdict := w.check("any", snapshot.Received); len(verdict.Claimed) > 0 || !*gone {
				w.Errorf("got %+v; it went: %v", verdict, *gone)
			}
		},
		"whoever asks again": func(w *wide) {
			looker := &store.Looker{DB: w.db, Tables: w.runs.Tables, Now: w.runs.Now, Pause: w.runs.Pause}
			w.db.Put(w.runs.Ledger.At("collection#"+run+"#"+w.rows[0], "collection"), table.Item{"Counted": int64(129)})
			w.db.Put(w.runs.Status.At(run, w.rows[0]), table.Item{"CollectionStatus": "Received", "FilesSent": int64(1),
				"FilesReceived": int64(1), "FilesCounted": int64(129)})
			gone := goes(w)
			state, err := looker.Look(w.Context(), key(w.rows[0]), "me")
			if err != nil || !state.Collection.Request.HeldBy("me", 128) || !*gone {
				w.Errorf("got %+v, %v; it went: %v", state.Collection.Request, err, *gone)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, last := receivedBut(t)
			w.set(last, snapshot.Received)
			do(w)
			item, err := w.db.DB.Get(t.Context(), table.Read{Ref: ref(w), Consistent: true})
			if err != nil || item != nil {
				t.Errorf("the run is there again: %v, %v", item, err)
			}
		})
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
