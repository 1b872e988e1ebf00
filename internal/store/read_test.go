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

func (ts *testStore) receiptsOf(collection string) []store.Receipt {
	ts.Helper()
	var all []store.Receipt
	err := ts.store.Receipts(ts.Context(), key(collection),
		func(r store.Receipt) error { all = append(all, r); return nil })
	if err != nil {
		ts.Fatal(err)
	}
	return all
}

// wantReceipts expects that people see one receipt for each of these messages, possibly among others.
func (ts *testStore) wantReceipts(collection string, of []snapshot.Receipt) {
	ts.Helper()
	seen := map[string]int{}
	for _, r := range ts.receiptsOf(collection) {
		seen[r.Identity]++
	}
	for _, r := range of {
		if seen[r.Identity] != 1 {
			ts.Errorf("%d receipts of %s, want 1", seen[r.Identity], r.Identity)
			return
		}
	}
}

func TestReceipts(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9)
		ts.row("ab", "Sent", 9)
		nameless := receipt("a", "two")
		nameless.Message.Filename = snapshot.FilenameNotSet
		ts.countAs("execution-1", receipt("a", "one"), nameless)
		ts.pass(time.Second)
		ts.countAs("execution-2", receipt("a", "one"), successFile("a", "three")) // one is a duplicate
		ts.count(receipt("ab", "of another"))
		got := ts.receiptsOf("a")
		slices.SortFunc(got, func(a, b store.Receipt) int { return strings.Compare(a.Identity, b.Identity) })
		at := ts.now.UTC()
		before := at.Add(-time.Second)
		// Of a message that two executions received, either receipt may be shown.
		if got[0].Execution == "execution-2" {
			got[0].Execution, got[0].ReceivedAt = "execution-1", before
		}
		digests := map[string]bool{}
		for i := range got {
			digests[got[i].Digest], got[i].Digest = true, ""
		}
		if len(digests) != 3 || digests[""] {
			ts.Errorf("digests %v", digests)
		}
		want := []store.Receipt{{"one", "one.gz", false, false, before, "execution-1", ""},
			{"three", "three.gz", true, false, at, "execution-2", ""},
			{"two", "", false, false, before, "execution-1", ""}}
		if diff := cmp.Diff(want, got); diff != "" {
			ts.Errorf("receipts (-want +got)\n%s", diff)
		}
	})
}

// A receipt is written before its message is counted, and hidden until then.
func TestReceiptsOfUncountedMessagesAreHidden(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9)
		ts.count(receipt("a", "counted"))
		state := ts.read("a")
		ts.crashesBefore(0, ts.isUpdate("collection"))
		if _, err := ts.store.Count(ts.Context(), "e", state,
			[]snapshot.Receipt{receipt("a", "not counted")}); !errors.Is(err, errCrashed) {
			ts.Fatal(err)
		}
		ts.recovers()
		if got := ts.receiptsOf("a"); len(got) != 1 || got[0].Identity != "counted" {
			ts.Errorf("got %+v", got)
		}
		ts.countAs("e", receipt("a", "not counted"))
		ts.wantReceipts("a", []snapshot.Receipt{receipt("a", "counted"), receipt("a", "not counted")})
	})
}

// The counted part of a batch keeps its receipts when the batch is retried.
func TestReceiptsOfARetriedBatch(t *testing.T) {
	t.Parallel()
	batch := receipts("a", "m", 250)
	for i := range batch {
		batch[i].Message.Filename = strings.Repeat("x", 1200) // so that 100 of them take more than one item
	}
	for counted := range 3 {
		ts := newMemoryStore(t)
		ts.row("a", "Sent", 500)
		counts := func(call tabletest.Call) bool { return ts.isUpdate("collection")(call) && call.Write.Add != nil }
		ts.crashesBefore(counted, counts)
		if _, err := receive(ts, ts.store, "execution-1", batch); !errors.Is(err, errCrashed) {
			t.Fatal(err)
		}
		ts.recovers()
		ts.count(batch...)
		ts.wantReceipts("a", batch)
	}
}

// visit may end the reading.
func TestReceiptsUntilAnError(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 9)
	ts.count(receipts("a", "m", 5)...)
	enough, seen := errors.New("enough"), 0
	err := ts.store.Receipts(t.Context(), key("a"), func(store.Receipt) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		t.Errorf("saw %d: %v", seen, err)
	}
}

func TestMalformedReceipts(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.write(table.Write{Ref: ts.tables.Ledger.At("collection#"+run+"#a", "receipts#x#0"),
		Set: map[string]any{"Messages": "[{"}})
	err := ts.store.Receipts(t.Context(), key("a"), func(store.Receipt) error { return nil })
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "receipts#x#0") {
		t.Errorf("got %v, want an error that names the item", err)
	}
}

// Over pages of rows and batches of collections, each collection is returned with its row.
func TestRunOfManyCollections(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c000")
		for i := range 120 {
			ts.row(fmt.Sprintf("c%03d", i), "Sent", int64(i))
		}
		ts.overwrite("c050", map[string]any{"FilesSent": "fifty"})
		ts.count(receipts("c119", "m", 3)...)
		state, err := ts.store.Run(ts.Context(), run)
		if err != nil || state.Run == nil || len(state.Collections) != 120 {
			ts.Fatalf("%d collections, run %+v: %v", len(state.Collections), state.Run, err)
		}
		for i, c := range state.Collections {
			if name := fmt.Sprintf("c%03d", i); c.Row.CollectionName != name || (c.Malformed != nil) != (i == 50) {
				ts.Errorf("%d: %+v, %v", i, c.Row, c.Malformed)
			}
		}
		if last := state.Collections[119]; last.Collection.Counted != 3 || last.Row.FilesReceived.N != 3 {
			ts.Errorf("got %+v", last)
		}
		if none, err := ts.store.Run(ts.Context(), "no such run"); err != nil || none.Run != nil ||
			none.Collections != nil {
			ts.Errorf("got %+v, %v", none, err)
		}
	})
}

func TestReadingKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 1)
	for n, doing := range []string{"reading a run", "reading a run's rows", "reading a run's collections"} {
		ts.crashes(n)
		if _, err := ts.store.Run(t.Context(), run); !errors.Is(err, errCrashed) || !strings.HasPrefix(err.Error(),
			doing+
				": ") {
			t.Errorf("%d: %v", n, err)
		}
	}
	ts.crashes(0)
	if _, err := ts.store.Runs(t.Context()); !errors.Is(err, errCrashed) || !strings.HasPrefix(err.Error(),
		"listing the runs: ") {
		t.Error(err)
	}
}
