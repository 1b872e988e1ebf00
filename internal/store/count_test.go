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
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 5)
		first := ts.count(receipts("a", "m", 3)...)
		if len(first.Counted) != 3 || first.Row.FilesReceived.N != 3 || !first.Synced {
			ts.Errorf("first: %+v", first)
		}
		again := ts.count(receipts("a", "m", 4)...)
		if len(again.Counted) != 1 || len(again.Duplicates) != 3 || again.Row.FilesReceived.N != 4 {
			ts.Errorf("again: %+v", again)
		}
		ts.wantRow("a", table.Item{"FilesReceived": int64(4), "SyncedFiles": int64(4), "EpochStart": int64(0),
			"CollectionStatus": "Sent", "FilesSent": int64(5)})
	})
}

// A message is a duplicate in any batch and in any process.
func TestDuplicates(t *testing.T) {
	for name, again := range map[string]func(ts *testStore) store.Counts{
		"by the same execution": func(ts *testStore) store.Counts { return ts.count(receipt("a", "m1")) },
		"by another execution": func(ts *testStore) store.Counts {
			return ts.countAs("execution-2", receipt("a", "m1"))
		},
		"among new ones": func(ts *testStore) store.Counts {
			return ts.countAs("e", receipt("a", "x"), receipt("a", "m1"), receipt("a", "y"))
		},
		"after others": func(ts *testStore) store.Counts {
			ts.count(receipts("a", "others", 7)...)
			return ts.countAs("e", receipt("a", "m1"))
		},
		"after its page was turned": func(ts *testStore) store.Counts {
			ts.count(receipts("a", "page", 2*store.PageSize)...)
			return ts.count(receipt("a", "m1"))
		},
		"after the counter was set back": func(ts *testStore) store.Counts {
			ts.exportAgain("a")
			return ts.count(receipt("a", "m1"))
		},
		"after the row was replaced": func(ts *testStore) store.Counts {
			ts.replace("a", "Sent", 5)
			return ts.count(receipt("a", "m1"))
		},
		"by another process": func(ts *testStore) store.Counts {
			counts, err := receive(ts, ts.another(), "execution-2", []snapshot.Receipt{receipt("a", "m1")})
			if err != nil {
				ts.Error(err)
			}
			return counts
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := newMemoryStore(t)
			ts.row("a", "Sent", 5)
			ts.count(receipt("a", "m1"))
			counts := again(ts)
			if len(counts.Duplicates) != 1 || counts.Duplicates[0].Identity != "m1" {
				t.Errorf("duplicates: %+v", counts.Duplicates)
			}
		})
	}
}

// The design's cost of a count that completes nothing, and of a group of any size up to the limit of an update.
func TestHotPathIsOneReadAndThreeWrites(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 500)
		ts.count(receipt("a", "warm-up"))
		for _, n := range []int{1, 10, table.MaxContained} {
			clear(ts.calls)
			counts := ts.countAs(fmt.Sprint("execution of ", n), receipts("a", fmt.Sprint(n, "-"), n)...)
			if len(counts.Counted) != n {
				ts.Errorf("%d of %d counted", len(counts.Counted), n)
			}
			want := map[string]int{"GetMany": 1, "Update": 3, "Update receipts": 1, "Update collection": 1,
				"Update row": 1}
			if n == table.MaxContained { // fills a page
				want["Update"], want["Update collection"], want["Update page"] = 5, 2, 1
			}
			if diff := cmp.Diff(want, ts.calls); diff != "" {
				ts.Errorf("calls for %d messages (-want +got)\n%s", n, diff)
			}
		}
	})
}

// More messages of one collection than fit into an update: one update of the ledger for each 100, and one of the row.
func TestABatchUpdatesItsRowOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9000)
		ts.count(receipt("a", "warm-up"))
		counted := int64(1)
		for _, test := range []struct{ messages, updates int }{{101, 2}, {250, 3}} {
			batch := receipts("a", fmt.Sprint("batch of ", test.messages, " "), test.messages)
			clear(ts.calls)
			counts := ts.count(batch...)
			counted += int64(test.messages)
			if len(counts.Counted) != test.messages || counts.Row.FilesReceived.N != counted {
				ts.Errorf("counted %d of %d messages, the row holds %d of %d", len(counts.Counted), test.messages,
					counts.Row.FilesReceived.N, counted)
			}
			if rows, updates := ts.calls["Update row"],
				ts.calls["Update collection"]-ts.calls["Update page"]; rows != 1 ||
				updates != test.updates {
				ts.Errorf("%d updates of the row and %d that count, want 1 and %d", rows, updates, test.updates)
			}
			if again := ts.count(batch...); len(again.Duplicates) != test.messages ||
				again.Row.FilesReceived.N != counted {
				ts.Errorf("again: %d of %d are duplicates, the row holds %d of %d", len(again.Duplicates),
					test.messages, again.Row.FilesReceived.N, counted)
			}
		}
	})
}

// The maximum of an envelope.
func TestABatchOf3000(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 3000)
	batch := receipts("a", "m", 3000)
	ts.count(batch...)
	ts.wantRow("a", received(3000))
	if again := ts.countAs("another", batch...); len(again.Duplicates) != 3000 {
		t.Errorf("%d of 3000 are duplicates", len(again.Duplicates))
	}
	ts.wantRow("a", received(3000))
	ts.wantReceipts("a", batch)
}

func TestASuccessFileAddsNothing(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 5)
		counts := ts.count(receipt("a", "file"), successFile("a", "success"))
		if len(counts.Counted) != 2 {
			ts.Errorf("got %+v", counts)
		}
		ts.wantRow("a", received(1))
		ts.wantSuccessEpochs("a", 0)
	})
}

// The epochs of success files are a set: a late file of an earlier export removes nothing, and a duplicate has no
// effect.
func TestSuccessEpochsAreASet(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 2)
		ts.count(receipts("a", "first", 2)...)
		ts.count(successFile("a", "success of the first"))
		late := ts.read("a") // a late reading
		ts.exportAgain("a")
		ts.count(receipt("a", "second"), successFile("a", "success of the second"))
		ts.wantSuccessEpochs("a", 0, 2)
		if _, err := ts.store.Count(ts.Context(), "late", late,
			[]snapshot.Receipt{successFile("a", "another of the first")}); err != nil {
			ts.Fatal(err)
		}
		ts.count(successFile("a", "success of the second"))
		ts.wantSuccessEpochs("a", 0, 2)
		ts.wantRow("a", received(1))
	})
}

func (ts *testStore) wantSuccessEpochs(collection string, want ...int64) {
	ts.Helper()
	if diff := cmp.Diff(want, ts.ledger(collection).SuccessEpochs); diff != "" {
		ts.Errorf("success epochs (-want +got)\n%s", diff)
	}
}

// A row whose EpochStart or SyncedFiles is not a number is malformed.
func TestCountOfAMalformedRow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 5)
		ts.row("b", "Sent", 5)
		ts.overwrite("a", map[string]any{"EpochStart": "three"})
		states, err := ts.store.Read(ts.Context(), []snapshot.CollectionKey{key("a"), key("b")})
		if err != nil {
			ts.Fatal(err)
		}
		var malformed *failure.Malformed
		if err := states[key("a")].Malformed; !errors.As(err, &malformed) || !strings.Contains(err.Error(),
			"EpochStart is a string") {
			ts.Errorf("got %v", err)
		}
		if b := states[key("b")]; b.Malformed != nil || b.Row == nil {
			ts.Errorf("its neighbour: %+v", b)
		}
	})
}

func TestNothingMakesARow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		if state := ts.read("none"); state.Row != nil {
			ts.Errorf("got a row: %+v", state)
		}
		ts.row("a", "Sent", 5)
		fresh := ts.read("a")
		ts.remove("a") // after it was read
		if _, err := ts.store.Count(ts.Context(), "e", fresh, []snapshot.Receipt{receipt("a", "one")}); !errors.Is(err,
			store.ErrNoRow) {
			ts.Errorf("got %v", err)
		}
		ts.row("a", "Sent", 5)
		ts.count(receipt("a", "two"))
		adopted := ts.read("a")
		ts.remove("a")
		counts, err := ts.store.Count(ts.Context(), "e", adopted, []snapshot.Receipt{receipt("a", "three")})
		if err != nil || counts.Row != nil || len(counts.Counted) != 1 {
			ts.Errorf("got %+v, %v", counts, err)
		}
		ts.reconcile("a", "me")
		if item := ts.stands("a"); item != nil {
			ts.Errorf("a row was made: %v", item)
		}
	})
}

// Reading takes one call for each 50 collections.
func TestReadInBatches(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		var keys []snapshot.CollectionKey
		for i := range 120 {
			keys = append(keys, key(fmt.Sprint("c", i)))
		}
		for _, i := range []int{0, 49, 50, 119} {
			ts.row(keys[i].CollectionName, "Sent", int64(i))
		}
		states, err := ts.store.Read(ts.Context(), keys)
		if err != nil || len(states) != 120 || ts.calls["GetMany"] != 3 {
			ts.Errorf("%d states by %d calls: %v", len(states), ts.calls["GetMany"], err)
		}
		for i, key := range keys {
			there := i == 0 || i == 49 || i == 50 || i == 119
			if row := states[key].Row; (row != nil) != there || there && row.FilesSent.N != int64(i) {
				ts.Errorf("%d: %+v", i, row)
			}
		}
	})
}

func TestKeysOfAnyLengthAndSpelling(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		long := func(n int) string { return fmt.Sprintf("%0*d", n, 7) }
		for _, k := range []snapshot.CollectionKey{
			{CorrelationID: long(2048), CollectionName: long(1024)},
			{CorrelationID: "a#b", CollectionName: "c"},
			{CorrelationID: "a", CollectionName: "b#c"},
			{CorrelationID: "a%23b", CollectionName: "c"},
			{CorrelationID: "коллекция %", CollectionName: "集合 #1"},
		} {
			ts.write(table.Write{Ref: ts.tables.Status.At(k.CorrelationID, k.CollectionName),
				Set: map[string]any{"CollectionStatus": "Sent", "FilesSent": int64(3)}})
			one := receipt("", "the same identity everywhere")
			one.Message.CollectionKey = k
			counts, err := receive(ts, ts.store, "e", []snapshot.Receipt{one})
			if err != nil || counts.Row.FilesReceived.N != 1 {
				ts.Errorf("%.40v: %+v, %v", k, counts, err)
			}
		}
	})
}
