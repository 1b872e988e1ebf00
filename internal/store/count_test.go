package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func TestCountAddsEachMessageOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		first := w.count(receipts("a", "m", 3)...)
		if len(first.Counted) != 3 || first.Row.FilesReceived.N != 3 || !first.Synced {
			w.Errorf("first: %+v", first)
		}
		again := w.count(receipts("a", "m", 4)...)
		if len(again.Counted) != 1 || len(again.Duplicates) != 3 || again.Row.FilesReceived.N != 4 {
			w.Errorf("again: %+v", again)
		}
		w.wantRow("a", table.Item{"FilesReceived": int64(4), "SyncedFiles": int64(4), "EpochStart": int64(0),
			"CollectionStatus": "Sent", "FilesSent": int64(5)})
	})
}

// A duplicate is one whoever counted it, in the batch of whatever others, and whichever process sees it.
func TestDuplicates(t *testing.T) {
	for name, again := range map[string]func(w *world) store.Tally{
		"by the same execution": func(w *world) store.Tally { return w.count(receipt("a", "m1")) },
		"by another execution":  func(w *world) store.Tally { return w.countAs("execution-2", receipt("a", "m1")) },
		"among new ones": func(w *world) store.Tally {
			return w.countAs("e", receipt("a", "x"), receipt("a", "m1"), receipt("a", "y"))
		},
		"after others": func(w *world) store.Tally {
			w.count(receipts("a", "others", 7)...)
			return w.countAs("e", receipt("a", "m1"))
		},
		"after its page was turned": func(w *world) store.Tally {
			w.count(receipts("a", "page", 2*store.PageSize)...)
			return w.count(receipt("a", "m1"))
		},
		"after the counter was set back": func(w *world) store.Tally {
			w.exportAgain("a")
			return w.count(receipt("a",
				"m1"))
		},
		"after the row was replaced": func(w *world) store.Tally {
			w.replace("a", "Sent",
				5)
			return w.count(receipt("a", "m1"))
		},
		"by another process": func(w *world) store.Tally {
			tally, err := receive(w, w.another(), "execution-2", []snapshot.Receipt{receipt("a", "m1")})
			if err != nil {
				w.Error(err)
			}
			return tally
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMemoryWorld(t)
			w.row("a", "Sent", 5)
			w.count(receipt("a", "m1"))
			tally := again(w)
			if len(tally.Duplicates) != 1 || tally.Duplicates[0].Identity != "m1" {
				t.Errorf("duplicates: %+v", tally.Duplicates)
			}
		})
	}
}

// The cost that the design promises for a receipt that completes nothing, and for a group of any size up to what an
// update takes.
func TestHotPathIsOneReadAndThreeWrites(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		w.count(receipt("a", "warm-up"))
		for _, n := range []int{1, 10, table.MaxContained} {
			clear(w.calls)
			tally := w.countAs(fmt.Sprint("execution of ", n), receipts("a", fmt.Sprint(n, "-"), n)...)
			if len(tally.Counted) != n {
				w.Errorf("%d of %d counted", len(tally.Counted), n)
			}
			want := map[string]int{"GetMany": 1, "Update": 3, "Update receipts": 1, "Update collection": 1,
				"Update row": 1}
			if n == table.MaxContained { // fills a page
				want["Update"], want["Update collection"], want["Update page"] = 5, 2, 1
			}
			if diff := cmp.Diff(want, w.calls); diff != "" {
				w.Errorf("calls for %d messages (-want +got)\n%s", n, diff)
			}
		}
	})
}

// More messages of one collection than an update takes: an update of the ledger for each 100, and still one of the row.
func TestABatchUpdatesItsRowOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 9000)
		w.count(receipt("a", "warm-up"))
		counted := int64(1)
		for _, test := range []struct{ messages, updates int }{{101, 2}, {250, 3}} {
			batch := receipts("a", fmt.Sprint("batch of ", test.messages, " "), test.messages)
			clear(w.calls)
			tally := w.count(batch...)
			counted += int64(test.messages)
			if len(tally.Counted) != test.messages || tally.Row.FilesReceived.N != counted {
				w.Errorf("counted %d of %d messages, the row holds %d of %d", len(tally.Counted), test.messages,
					tally.Row.FilesReceived.N, counted)
			}
			if rows, updates := w.calls["Update row"], w.calls["Update collection"]-w.calls["Update page"]; rows != 1 ||
				updates != test.updates {
				w.Errorf("%d updates of the row and %d that count, want 1 and %d", rows, updates, test.updates)
			}
			if again := w.count(batch...); len(again.Duplicates) != test.messages ||
				again.Row.FilesReceived.N != counted {
				w.Errorf("again: %d of %d are duplicates, the row holds %d of %d", len(again.Duplicates), test.messages,
					again.Row.FilesReceived.N, counted)
			}
		}
	})
}

// As many as an envelope may bring.
func TestABatchOf3000(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 3000)
	batch := receipts("a", "m", 3000)
	w.count(batch...)
	w.wantRow("a", received(3000))
	if again := w.countAs("another", batch...); len(again.Duplicates) != 3000 {
		t.Errorf("%d of 3000 are duplicates", len(again.Duplicates))
	}
	w.wantRow("a", received(3000))
	w.wantReceipts("a", batch)
}

func TestASuccessFileAddsNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		tally := w.count(receipt("a", "file"), successFile("a", "success"))
		if len(tally.Counted) != 2 {
			w.Errorf("got %+v", tally)
		}
		w.wantRow("a", received(1))
		w.wantSuccessEpochs("a", 0)
	})
}

// The epochs of success files are a set: a late one of an earlier export takes nothing away, and comes twice without
// effect.
func TestSuccessEpochsAreASet(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count(receipts("a", "first", 2)...)
		w.count(successFile("a", "success of the first"))
		late := w.read("a") // who has read this is late
		w.exportAgain("a")
		w.count(receipt("a", "second"), successFile("a", "success of the second"))
		w.wantSuccessEpochs("a", 0, 2)
		if _, err := w.store.Count(w.Context(), "late", late,
			[]snapshot.Receipt{successFile("a", "another of the first")}); err != nil {
			w.Fatal(err)
		}
		w.count(successFile("a", "success of the second"))
		w.wantSuccessEpochs("a", 0, 2)
		w.wantRow("a", received(1))
	})
}

func (w *world) wantSuccessEpochs(collection string, want ...int64) {
	w.Helper()
	if diff := cmp.Diff(want, w.ledger(collection).SuccessEpochs); diff != "" {
		w.Errorf("success epochs (-want +got)\n%s", diff)
	}
}

// A row whose attributes of our own are no numbers cannot be counted for, and says so.
func TestCountOfAMalformedRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 5)
		w.row("b", "Sent", 5)
		w.overwrite("a", map[string]any{"EpochStart": "three"})
		states, err := w.store.Read(w.Context(), []snapshot.CollectionKey{key("a"), key("b")})
		if err != nil {
			w.Fatal(err)
		}
		var malformed *failure.Malformed
		if err := states[key("a")].Malformed; !errors.As(err, &malformed) || !strings.Contains(err.Error(),
			"EpochStart is a string") {
			w.Errorf("got %v", err)
		}
		if b := states[key("b")]; b.Malformed != nil || b.Row == nil {
			w.Errorf("its neighbour: %+v", b)
		}
	})
}

func TestNothingMakesARow(t *testing.T) {
	everywhere(t, func(w *world) {
		if state := w.read("none"); state.Row != nil {
			w.Errorf("got a row: %+v", state)
		}
		w.row("a", "Sent", 5)
		fresh := w.read("a")
		w.remove("a") // after it was read
		if _, err := w.store.Count(w.Context(), "e", fresh, []snapshot.Receipt{receipt("a", "one")}); !errors.Is(err,
			store.ErrNoRow) {
			w.Errorf("got %v", err)
		}
		w.row("a", "Sent", 5)
		w.count(receipt("a", "two"))
		adopted := w.read("a")
		w.remove("a")
		tally, err := w.store.Count(w.Context(), "e", adopted, []snapshot.Receipt{receipt("a", "three")})
		if err != nil || tally.Row != nil || len(tally.Counted) != 1 {
			w.Errorf("got %+v, %v", tally, err)
		}
		w.reconcile("a", "me")
		if item := w.stands("a"); item != nil {
			w.Errorf("a row was made: %v", item)
		}
	})
}

// Reading takes a call for each 50 collections, however many an execution brings.
func TestReadInBatches(t *testing.T) {
	everywhere(t, func(w *world) {
		var keys []snapshot.CollectionKey
		for i := range 120 {
			keys = append(keys, key(fmt.Sprint("c", i)))
		}
		for _, i := range []int{0, 49, 50, 119} {
			w.row(keys[i].CollectionName, "Sent", int64(i))
		}
		states, err := w.store.Read(w.Context(), keys)
		if err != nil || len(states) != 120 || w.calls["GetMany"] != 3 {
			w.Errorf("%d states by %d calls: %v", len(states), w.calls["GetMany"], err)
		}
		for i, key := range keys {
			there := i == 0 || i == 49 || i == 50 || i == 119
			if row := states[key].Row; (row != nil) != there || there && row.FilesSent.N != int64(i) {
				w.Errorf("%d: %+v", i, row)
			}
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
			w.write(table.Write{Ref: w.tables.Status.At(k.CorrelationID, k.CollectionName),
				Set: map[string]any{"CollectionStatus": "Sent", "FilesSent": int64(3)}})
			one := receipt("", "the same identity everywhere")
			one.Message.CollectionKey = k
			tally, err := receive(w, w.store, "e", []snapshot.Receipt{one})
			if err != nil || tally.Row.FilesReceived.N != 1 {
				w.Errorf("%.40v: %+v, %v", k, tally, err)
			}
		}
	})
}
