package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

func (w *world) receiptsOf(collection string) []store.Receipt {
	w.Helper()
	var all []store.Receipt
	err := w.store.Receipts(w.Context(), key(collection),
		func(r store.Receipt) error { all = append(all, r); return nil })
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// wantReceipts wants people to see a receipt for each of these messages, once, among others perhaps.
func (w *world) wantReceipts(collection string, of []snapshot.Receipt) {
	w.Helper()
	seen := map[string]int{}
	for _, r := range w.receiptsOf(collection) {
		seen[r.Identity]++
	}
	for _, r := range of {
		if seen[r.Identity] != 1 {
			w.Errorf("%d receipts of %s, want 1", seen[r.Identity], r.Identity)
			return
		}
	}
}

func TestReceipts(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 9)
		w.row("ab", "Sent", 9)
		nameless := receipt("a", "two")
		nameless.Message.Filename = snapshot.FilenameNotSet
		w.countAs("execution-1", receipt("a", "one"), nameless)
		w.pass(time.Second)
		w.countAs("execution-2", receipt("a", "one"), successFile("a", "three")) // one is a duplicate
		w.count(receipt("ab", "of another"))
		got := w.receiptsOf("a")
		slices.SortFunc(got, func(a, b store.Receipt) int { return strings.Compare(a.Identity, b.Identity) })
		at := w.now.UTC()
		before := at.Add(-time.Second)
		// Of a message that two executions brought either may be shown: both received it.
		if got[0].Execution == "execution-2" {
			got[0].Execution, got[0].ReceivedAt = "execution-1", before
		}
		want := []store.Receipt{{"one", "one.gz", false, before, "execution-1"}, {"three", "three.gz", true, at,
			"execution-2"}, {"two", "", false, before, "execution-1"}}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("receipts (-want +got)\n%s", diff)
		}
	})
}

// A receipt is written before its message is counted. Until that is, nobody sees it.
func TestAReceiptOfWhatWasNotCounted(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 9)
		w.count(receipt("a", "counted"))
		state := w.read("a")
		w.diesBefore(0, w.isUpdate("collection"))
		if _, err := w.store.Count(w.Context(), "e", state,
			[]snapshot.Receipt{receipt("a", "not counted")}); !errors.Is(err, errDied) {
			w.Fatal(err)
		}
		w.revives()
		if got := w.receiptsOf("a"); len(got) != 1 || got[0].Identity != "counted" {
			w.Errorf("got %+v", got)
		}
		w.countAs("e", receipt("a", "not counted"))
		w.wantReceipts("a", []snapshot.Receipt{receipt("a", "counted"), receipt("a", "not counted")})
	})
}

// The part of a batch that was counted keeps its receipts when the rest is tried again.
func TestReceiptsOfABatchThatIsTriedAgain(t *testing.T) {
	t.Parallel()
	batch := receipts("a", "m", 250)
	for i := range batch {
		batch[i].Message.Filename = strings.Repeat("x", 1200) // so that 100 of them take more than one item
	}
	for counted := range 3 {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 500)
		counts := func(call tabletest.Call) bool { return w.isUpdate("collection")(call) && call.Write.Add != nil }
		w.diesBefore(counted, counts)
		if _, err := receive(w, w.store, "execution-1", batch); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		w.revives()
		w.count(batch...)
		w.wantReceipts("a", batch)
	}
}

// visit may end the reading.
func TestReceiptsUntilAnError(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 9)
	w.count(receipts("a", "m", 5)...)
	enough, seen := errors.New("enough"), 0
	err := w.store.Receipts(t.Context(), key("a"), func(store.Receipt) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		t.Errorf("saw %d: %v", seen, err)
	}
}

func TestReceiptsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.write(table.Write{Ref: w.tables.Ledger.At("collection#"+run+"#a", "receipts#x#0"),
		Set: map[string]any{"Messages": "[{"}})
	err := w.store.Receipts(t.Context(), key("a"), func(store.Receipt) error { return nil })
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "receipts#x#0") {
		t.Errorf("got %v, want an error that names the item", err)
	}
}

// Over pages of rows and batches of the ledger's collections, each beside its row.
func TestRunOfManyCollections(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c000")
		for i := range 120 {
			w.row(fmt.Sprintf("c%03d", i), "Sent", int64(i))
		}
		w.overwrite("c050", map[string]any{"FilesSent": "fifty"})
		w.count(receipts("c119", "m", 3)...)
		state, err := w.store.Run(w.Context(), run)
		if err != nil || state.Run == nil || len(state.Collections) != 120 {
			w.Fatalf("%d collections, run %+v: %v", len(state.Collections), state.Run, err)
		}
		for i, c := range state.Collections {
			if name := fmt.Sprintf("c%03d", i); c.Row.CollectionName != name || (c.Malformed != nil) != (i == 50) {
				w.Errorf("%d: %+v, %v", i, c.Row, c.Malformed)
			}
		}
		if last := state.Collections[119]; last.Collection.Counted != 3 || last.Row.FilesReceived.N != 3 {
			w.Errorf("got %+v", last)
		}
		if none, err := w.store.Run(w.Context(), "no such run"); err != nil || none.Run != nil ||
			none.Collections != nil {
			w.Errorf("got %+v, %v", none, err)
		}
	})
}

func TestReadingKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 1)
	for n, doing := range []string{"reading a run", "reading a run's rows", "reading a run's collections"} {
		w.dies(n)
		if _, err := w.store.Run(t.Context(), run); !errors.Is(err, errDied) || !strings.HasPrefix(err.Error(), doing+
			": ") {
			t.Errorf("%d: %v", n, err)
		}
	}
	w.dies(0)
	if _, err := w.store.Runs(t.Context()); !errors.Is(err, errDied) || !strings.HasPrefix(err.Error(),
		"listing the runs: ") {
		t.Error(err)
	}
}
