package store_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func TestCountAddsOncePerIdentity(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		first := w.count("a", receipts("a", 3)...)
		if len(first.Counted) != 3 || first.Row.FilesReceived.N != 3 {
			w.Errorf("first: %+v", first)
		}
		again := w.count("a", receipts("a", 4)...)
		if len(again.Counted) != 1 || len(again.Duplicates) != 3 || again.Row.FilesReceived.N != 4 {
			w.Errorf("again: %+v", again)
		}
		w.wantRow("a", table.Item{"FilesReceived": int64(4), "FilesCounted": int64(4), "CollectionStatus": "Sent", "FilesSent": int64(5)})
	})
}

func TestCountKeepsAnIdentityWithAnotherBody(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		w.count("a", receipt("a", "one"))
		other := receipt("a", "one")
		other.Message.Digest = "another"
		tally := w.count("a", other, receipt("a", "two"))
		if len(tally.Reused) != 1 || tally.Reused[0].Rejection.Reason != snapshot.ReasonIdentityReused || len(tally.Counted) != 1 {
			w.Errorf("got %+v", tally)
		}
		w.wantRow("a", table.Item{"FilesReceived": int64(2)})
	})
}

// The cost that the design promises for a receipt that completes nothing.
func TestHotPathMakesThreeCalls(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		w.count("a", receipt("a", "warm-up"))
		clear(w.db.calls)
		w.count("a", receipt("a", "hot"))
		if diff := cmp.Diff(map[string]int{"GetMany": 1, "Transact": 1, "Update": 1}, w.db.calls); diff != "" {
			w.Errorf("calls (-want +got)\n%s", diff)
		}
	})
}

// More messages of one collection than a transaction holds: a transaction for each 99, and still one update.
func TestABatchUpdatesItsRowOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		w.count("a", receipt("a", "warm-up"))
		counted := int64(1)
		for _, test := range []struct{ messages, transactions int }{{10, 1}, {99, 1}, {100, 2}, {200, 3}} {
			var batch []snapshot.Receipt
			for i := range test.messages {
				batch = append(batch, receipt("a", fmt.Sprint(test.messages, "-", i)))
			}
			clear(w.db.calls)
			tally := w.count("a", batch...)
			counted += int64(test.messages)
			if len(tally.Counted) != test.messages || tally.Row.FilesReceived.N != counted {
				w.Errorf("counted %d of %d messages, the row holds %d of %d", len(tally.Counted), test.messages, tally.Row.FilesReceived.N, counted)
			}
			if diff := cmp.Diff(map[string]int{"GetMany": 1, "Transact": test.transactions, "Update": 1}, w.db.calls); diff != "" {
				w.Errorf("calls for %d messages (-want +got)\n%s", test.messages, diff)
			}
			if again := w.count("a", batch...); len(again.Duplicates) != test.messages || again.Row.FilesReceived.N != counted {
				w.Errorf("again: %d of %d are duplicates, the row holds %d of %d", len(again.Duplicates), test.messages, again.Row.FilesReceived.N, counted)
			}
		}
	})
}

// A row that was replaced whole starts with the messages at hand, however many transactions they take, and whoever
// brings the row up to date between two of them.
func TestABatchAfterTheRowWasReplacedWhole(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		w.count("a", receipt("a", "old"))
		replaced(w, "a")
		var batch []snapshot.Receipt
		for i := range 120 {
			batch = append(batch, receipt("a", fmt.Sprint("new-", i)))
		}
		w.count("a", batch...)
		w.wantRow("a", table.Item{"FilesReceived": int64(120), "FilesCounted": int64(121)})

		replaced(w, "a")
		other, transactions := &store.Counter{DB: w.db.DB, Tables: w.tables, Now: w.counter.Now, Pause: store.Jitter}, 0
		w.db.fail = func(call string) error {
			if call != "Transact" {
				return nil
			}
			if transactions++; transactions != 2 {
				return nil
			}
			states, err := other.Read(w.Context(), []snapshot.CollectionKey{key("a")})
			if err == nil {
				_, err = other.Count(w.Context(), "other", states[key("a")], []snapshot.Receipt{receipt("a", "other")})
			}
			return err
		}
		var again []snapshot.Receipt
		for i := range 150 {
			again = append(again, receipt("a", fmt.Sprint("again-", i)))
		}
		w.count("a", again...)
		w.wantRow("a", table.Item{"FilesReceived": int64(151), "FilesCounted": int64(272)})
	})
}

func TestCountIsExactSideBySide(t *testing.T) {
	everywhere(t, func(w *world) {
		const executions, each = 12, 4
		w.row("a", "Sent", executions*each)
		var group sync.WaitGroup
		for i := range executions {
			group.Go(func() {
				db := &counting{DB: w.db.DB, calls: map[string]int{}}
				counter := &store.Counter{DB: db, Tables: w.tables, Now: w.counter.Now, Pause: store.Jitter}
				for j := range each {
					states, err := counter.Read(w.Context(), []snapshot.CollectionKey{key("a")})
					if err == nil {
						mine := receipt("a", fmt.Sprintf("%d-%d", i, j))
						_, err = counter.Count(w.Context(), "e", states[key("a")], []snapshot.Receipt{mine, receipt("a", "shared")})
					}
					if err != nil {
						w.Error(err)
					}
				}
			})
		}
		group.Wait()
		const total = int64(executions*each + 1)
		w.wantRow("a", table.Item{"FilesReceived": total, "FilesCounted": total})
	})
}

// Whoever dies between two calls leaves it to the same messages' next delivery.
func TestCountIsFinishedByTheNextDelivery(t *testing.T) {
	for _, death := range []struct {
		call string
		nth  int
	}{{"GetMany", 0}, {"Transact", 0}, {"Update", 0}, {"Update", 1}} {
		t.Run(fmt.Sprintf("%s %d", death.call, death.nth), func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", "Sent", 5)
				w.dies(death.call, death.nth)
				states, err := w.counter.Read(w.Context(), []snapshot.CollectionKey{key("a")})
				if err == nil {
					_, err = w.counter.Count(w.Context(), "execution-1", states[key("a")], receipts("a", 2))
				}
				if err == nil {
					w.Fatal("nothing died")
				}
				w.revives()
				tally := w.count("a", receipts("a", 2)...)
				if len(tally.Counted)+len(tally.Duplicates) != 2 {
					w.Errorf("got %+v", tally)
				}
				w.wantRow("a", table.Item{"FilesReceived": int64(2), "FilesCounted": int64(2)})
			})
		})
	}
}

func TestCountAfterCountersWereSetBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count("a", receipts("a", 2)...)
		w.overwrite("a", map[string]any{"FilesReceived": int64(0), "FilesSent": int64(0), "CollectionStatus": "Exporting"})
		tally := w.count("a", receipt("a", "new attempt"))
		w.wantRow("a", table.Item{"FilesReceived": int64(1), "FilesCounted": int64(3)})
		if attempt := tally.Row.Attempt(); attempt != 2 {
			w.Errorf("the new attempt has the number %d, want 2", attempt)
		}
	})
}

func TestCountAfterTheRowWasReplacedWhole(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count("a", receipts("a", 2)...)
		replaced(w, "a")
		for n, identity := range []string{"new attempt", "its second"} {
			tally := w.count("a", receipt("a", identity))
			if tally.Row.FilesReceived.N != int64(n+1) || tally.Row.Attempt() != 2 {
				w.Errorf("got %+v, want %d files received in attempt 2", *tally.Row, n+1)
			}
		}
	})
}

// A count that died right after it noticed the replacement is made up by the next one, whatever brings it.
func TestCountAfterReplacementAndDeath(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count("a", receipts("a", 2)...)
		replaced(w, "a")
		state := w.read("a")
		w.dies("Update", 0)
		if _, err := w.counter.Count(w.Context(), "e", state, []snapshot.Receipt{receipt("a", "dies")}); err == nil {
			w.Fatal("nothing died")
		}
		w.revives()
		tally := w.count("a", receipt("a", "next"))
		if tally.Row.FilesReceived.N != 2 || tally.Row.Attempt() != 2 {
			w.Errorf("got %+v, want 2 files received in attempt 2", *tally.Row)
		}
	})
}

// Somebody who read the row after it was replaced, and counts only after it was replaced once more, must not
// take for the new attempt what was counted in between.
func TestCountWithAnOldLookAtAReplacedRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count("a", receipts("a", 2)...)
		replaced(w, "a")
		old := w.read("a")
		w.count("a", receipt("a", "second attempt"))
		replaced(w, "a")
		state := w.read("a")
		w.dies("Update", 0)
		if _, err := w.counter.Count(w.Context(), "e", state, []snapshot.Receipt{receipt("a", "dies")}); err == nil {
			w.Fatal("nothing died")
		}
		w.revives()
		tally, err := w.counter.Count(w.Context(), "e", old, []snapshot.Receipt{receipt("a", "late")})
		if err != nil || tally.Row.FilesReceived.N != 2 || tally.Row.Attempt() != 3 {
			w.Errorf("got %+v, %v, want the 2 files since the second replacement in attempt 3", tally.Row, err)
		}
	})
}

func TestCountGoesOnFromARowThatOutlivedItsLedger(t *testing.T) {
	everywhere(t, func(w *world) {
		w.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesSent": int64(9), "FilesReceived": int64(4), "FilesCounted": int64(7)})
		tally := w.count("a", receipt("a", "one"))
		w.wantRow("a", table.Item{"FilesReceived": int64(5), "FilesCounted": int64(8)})
		if tally.Row.Attempt() != 3 {
			w.Errorf("the attempt became %d, want 3 as before", tally.Row.Attempt())
		}
	})
}

func TestNothingMakesARow(t *testing.T) {
	everywhere(t, func(w *world) {
		if state := w.read("none"); state.Row != nil {
			w.Errorf("got a row: %+v", state)
		}
		w.row("a", "Sent", 5)
		state := w.read("a")
		state.Row.CollectionName = "gone" // as if the row went away after it was read
		tally, err := w.counter.Count(w.Context(), "e", state, []snapshot.Receipt{receipt("gone", "one")})
		if err != nil || tally.Row != nil {
			w.Errorf("got %+v, %v", tally, err)
		}
		w.look("gone", "c")
		if item := w.stands("gone"); item != nil {
			w.Errorf("a row was made: %v", item)
		}
	})
}

func TestASuccessFileAddsNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		tally := w.count("a", receipt("a", "file"), successFile("a", "success"))
		if len(tally.Counted) != 2 {
			w.Errorf("got %+v", tally)
		}
		w.wantRow("a", table.Item{"FilesReceived": int64(1)})
		if state := w.read("a"); state.Collection.Success != snapshot.Count(0) {
			w.Errorf("remembered %+v, want attempt 0", state.Collection.Success)
		}
	})
}

func TestKeysOfAnyLengthAndSpelling(t *testing.T) {
	everywhere(t, func(w *world) {
		long := func(n int) string { return fmt.Sprintf("%0*d", n, 7) }
		for _, k := range []snapshot.CollectionKey{
			{CorrelationID: long(2048), CollectionName: long(1024)},
			{CorrelationID: "a#b", CollectionName: "c"},
			{CorrelationID: "a", CollectionName: "b#c"},
			{CorrelationID: "a%23b", CollectionName: "c"},
			{CorrelationID: "коллекция %", CollectionName: "集合 #1"},
		} {
			ref := w.tables.Status.At(k.CorrelationID, k.CollectionName)
			if _, err := w.db.DB.Update(w.Context(), table.Write{Ref: ref, Set: map[string]any{"CollectionStatus": "Sent", "FilesSent": int64(3)}}); err != nil {
				w.Fatal(err)
			}
			states, err := w.counter.Read(w.Context(), []snapshot.CollectionKey{k})
			if err != nil {
				w.Fatal(err)
			}
			one := receipt("", "the same identity everywhere")
			one.Message.CollectionKey = k
			tally, err := w.counter.Count(w.Context(), "e", states[k], []snapshot.Receipt{one})
			if err != nil || tally.Row.FilesReceived.N != 1 {
				w.Errorf("%.40v: %+v, %v", k, tally, err)
			}
		}
	})
}

// replaced makes the ledger and the row of a collection look as after somebody replaced the row whole.
func replaced(w *world, collection string) {
	w.Helper()
	item := maps.Clone(w.stands(collection))
	delete(item, "FilesCounted")
	delete(item, "FilesReceived")
	put(w, collection, item)
}
