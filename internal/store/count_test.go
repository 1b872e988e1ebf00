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

// A message is a duplicate in any batch and in any process.
func TestDuplicates(t *testing.T) {
	for name, meanwhile := range map[string]func(ts *testStore){
		"at once": func(*testStore) {},
		"after its page was turned": func(ts *testStore) {
			ts.count(receipts("a", "page", 2*store.DefaultPageSize)...)
		},
		"after the counter was set back": func(ts *testStore) { ts.exportAgain("a") },
		"after the row was replaced":     func(ts *testStore) { ts.replace("a", "Sent", 5) },
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.row("a", "Sent", 5)
			ts.count(receipt("a", "m1"))
			meanwhile(ts)
			ts.wantCounts(ts.countAs("e", receipt("a", "x"), receipt("a", "m1"), receipt("a", "y")),
				[]string{"x", "y"}, nil, []string{"m1"})
			ts.wantCounts(ts.countIn(ts.another(), "f", receipt("a", "m1")), nil, nil, []string{"m1"})
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

// More messages of one collection than fit into an update, up to the maximum of an envelope: one update of the ledger
// for each 100, and one of the row.
func TestABatchUpdatesItsRowOnce(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 9000)
	ts.count(receipt("a", "warm-up"))
	counted := int64(1)
	for _, test := range []struct{ messages, updates int }{{101, 2}, {3000, 30}} {
		batch := receipts("a", fmt.Sprint("batch of ", test.messages, " "), test.messages)
		execution := fmt.Sprint("execution of ", test.messages)
		clear(ts.calls)
		ts.countAs(execution, batch...)
		counted += int64(test.messages)
		ts.wantRow("a", received(counted))
		rows, updates := ts.calls["Update row"], ts.calls["Update collection"]-ts.calls["Update page"]
		if rows != 1 || updates != test.updates {
			t.Errorf("%d updates of the row and %d that count, want 1 and %d", rows, updates, test.updates)
		}
		if again := ts.countAs(execution, batch...); len(again.Duplicates) != test.messages {
			t.Errorf("again: %d of %d are duplicates", len(again.Duplicates), test.messages)
		}
		ts.wantRow("a", received(counted))
		ts.wantReceipts("a", batch)
	}
}

// Success files add nothing. Their epochs are a set: a late file of an earlier export removes nothing, and a duplicate
// has no effect.
func TestSuccessEpochs(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		want := func(files int64, epochs ...int64) {
			ts.Helper()
			if diff := cmp.Diff(epochs, ts.ledger("a").SuccessEpochs); diff != "" {
				ts.Errorf("success epochs (-want +got)\n%s", diff)
			}
			ts.wantRow("a", received(files))
		}
		ts.row("a", "Sent", 2)
		ts.count(append(receipts("a", "first", 2), successFile("a", "success of the first"))...)
		want(2, 0)
		late := ts.read("a")
		ts.exportAgain("a")
		ts.count(receipt("a", "second"), successFile("a", "success of the second"))
		want(1, 0, 2)
		ts.countLate(late, successFile("a", "another of the first"))
		ts.count(successFile("a", "success of the second"))
		want(1, 0, 2)
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
		_, err := ts.store.Count(ts.Context(), "e", fresh, receipts("a", "one", 1))
		if !errors.Is(err, store.ErrNoRow) {
			ts.Errorf("got %v", err)
		}
		ts.row("a", "Sent", 5)
		ts.count(receipt("a", "two"))
		adopted := ts.read("a")
		ts.remove("a")
		if counts := ts.countLate(adopted, receipt("a", "three")); counts.Row != nil || len(counts.Counted) != 1 {
			ts.Errorf("got %+v", counts)
		}
		ts.reconcile("a", "me")
		if item := ts.item(ts.rowRef("a")); item != nil {
			ts.Errorf("a row was made: %v", item)
		}
	})
}

// Reading takes one call for each 50 collections. A row whose EpochStart or SyncedFiles is not a number is malformed;
// its neighbours are not.
func TestReadInBatches(t *testing.T) {
	ts := newStore(t)
	var keys []snapshot.CollectionKey
	for i := range 120 {
		keys = append(keys, key(fmt.Sprint("c", i)))
		if i != 7 {
			ts.row(keys[i].CollectionName, "Sent", int64(i))
		}
	}
	ts.overwrite("c50", map[string]any{"EpochStart": "three"})
	states, err := ts.store.Read(ts.Context(), keys)
	if err != nil || len(states) != 120 || ts.calls["GetMany"] != 3 {
		t.Errorf("%d states by %d calls: %v", len(states), ts.calls["GetMany"], err)
	}
	for i, key := range keys {
		row, failed := states[key].Row, states[key].Malformed
		if (row == nil) != (i == 7) || row != nil && row.FilesSent.N != int64(i) || (failed != nil) != (i == 50) {
			t.Errorf("%d: %+v, %v", i, row, failed)
		}
	}
	var malformed *failure.Malformed
	if err := states[key("c50")].Malformed; !errors.As(err, &malformed) ||
		!strings.Contains(err.Error(), "EpochStart is a string") {
		t.Errorf("got %v", err)
	}
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
			if counts := ts.countAs("e", one); counts.Row.FilesReceived.N != 1 {
				ts.Errorf("%.40v: %+v", k, counts)
			}
		}
	})
}
