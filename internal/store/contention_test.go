package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// Counting concurrently, and after a failure.

// Concurrent counts of one collection: none is lost, none counts twice, and each tries to write the row once.
func TestCountIsExactConcurrently(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		const executions, each = 8, 4
		ts.row("a", "Sent", executions*each)
		ts.count(receipt("a", "shared")) // so that the row is adopted
		clear(ts.calls)
		concurrently(executions, func(i int) int {
			process := ts.another()
			for _, mine := range receipts("a", fmt.Sprint(i, "-"), each) {
				if _, err := receive(ts, process, fmt.Sprint("execution-", i), mine,
					receipt("a", "shared")); err != nil {
					ts.Error(err)
				}
			}
			return 0
		})
		ts.wantRow("a", received(executions*each+1))
		if tries := ts.calls["Update row"]; tries > executions*each {
			ts.Errorf("%d updates of the row for %d counts", tries, executions*each)
		}
	})
}

// The worst case of contention: all counts read before any of them writes, and all count before any of them syncs.
func TestContentionRepeatsNoUpdate(t *testing.T) {
	const executions = 40 // with the first message they do not fill a page
	ts := newStore(t)
	ts.row("a", "Sent", executions)
	ts.count(receipt("a", "warm-up"))
	clear(ts.calls)
	synced := 0
	ts.lockstep(executions, func(i int) {
		counts := ts.countIn(ts.another(), fmt.Sprint("execution-", i), receipt("a", fmt.Sprint(i)))
		if counts.Synced {
			synced++
		}
	})
	want := map[string]int{"GetMany": executions, "Update": 3 * executions, "Update receipts": executions,
		"Update collection": executions, "Update row": executions}
	if diff := cmp.Diff(want, ts.calls); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
	ts.wantRow("a", received(executions+1))
	if synced < 1 {
		t.Error("no count wrote the row")
	}
}

// The last count's sync includes the others' counts: they neither write nor fail.
func TestALaterSyncIncludesEarlierCounts(t *testing.T) {
	ts := newStore(t)
	ts.counted("a", "Sent", 1)
	ts.meanwhile(ts.updates("row"), func() { ts.countIn(ts.another(), "later", receipt("a", "later")) })
	counts := ts.count(receipt("a", "earlier"))
	if counts.Synced || len(counts.Counted) != 1 || counts.Row.FilesReceived.N != 3 {
		t.Errorf("got %+v, want it counted and the row left as the later count made it", counts)
	}
}

// A process may end at any call, before or after it took effect: the next delivery of the messages finishes the work.
func TestCountIsFinishedByTheNextDelivery(t *testing.T) {
	batch := append(receipts("a", "m", 130), successFile("a", "success"))
	counted := func(ts *testStore) { ts.row("a", "Sent", 200); ts.count(receipts("a", "old", 40)...) }
	for name, c := range map[string]struct {
		given  func(ts *testStore)
		before int64 // files in the row's epoch
	}{
		"a new row":                {func(ts *testStore) { ts.row("a", "Sent", 200) }, 0},
		"counted before":           {counted, 40},
		"set back":                 {func(ts *testStore) { counted(ts); ts.exportAgain("a") }, 0},
		"replaced":                 {func(ts *testStore) { counted(ts); ts.replace("a", "Sent", 200) }, 0},
		"of a predecessor":         {func(ts *testStore) { ts.row("a", "Sent", 200); ts.predecessorCounts("a", 7) }, 7},
		"counted by a lost ledger": {func(ts *testStore) { counted(ts); ts.loseLedger("a") }, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// STANDARD retries in the same execution, EXPRESS in another one
			for _, execution := range []string{"execution-1", "execution-2"} {
				everyCrash(t, c.given, func(ts *testStore) error {
					_, err := receive(ts, ts.store, "execution-1", batch...)
					return err
				}, func(ts *testStore) {
					ts.countAs(execution, batch...)
					ts.wantRow("a", received(c.before+130))
					if again := ts.countIn(ts.another(), execution, batch...); len(again.Duplicates) != len(batch) {
						t.Errorf("of %d messages %d are duplicates at last", len(batch), len(again.Duplicates))
					}
					state := ts.read("a")
					if epochs := state.Collection.SuccessEpochs; len(epochs) != 1 || epochs[0] != state.Row.Epoch() {
						t.Errorf("success epochs %v, want the row's, which is %d", epochs, state.Row.Epoch())
					}
					ts.wantReceipts("a", batch)
				})
			}
		})
	}
}

// A call that the SDK repeats after a lost answer finds its own write, and reports its messages as duplicates.
func TestARefusalByItsOwnWrite(t *testing.T) {
	for _, part := range []string{"collection", "row", "page"} {
		ts := newStore(t)
		ts.row("a", "Sent", 500)
		ts.count(receipt("a", "first"))
		ts.triedTwice(ts.updates(part))
		batch := receipts("a", "m", store.DefaultPageSize)
		counts := ts.count(batch...)
		if len(counts.Counted)+len(counts.Duplicates) != len(batch) || !counts.Synced || ts.before != nil {
			t.Errorf("%s: %d counted, %d duplicates, wrote the row: %v", part, len(counts.Counted),
				len(counts.Duplicates), counts.Synced)
		}
		ts.wantRow("a", received(int64(1+len(batch))))
		if again := ts.count(batch...); len(again.Duplicates) != len(batch) {
			t.Errorf("%s: %d duplicates", part, len(again.Duplicates))
		}
	}
}

// If other writers never stop, an operation fails.
func TestGivingUp(t *testing.T) {
	ts := newStore(t)
	ts.counted("a", "Sent", 30)
	changes := int64(0)
	ts.before = func(call tabletest.Call) error {
		changes++
		switch {
		case ts.updates("collection")(call):
			ts.write(table.Write{Ref: call.Refs[0], Set: map[string]any{"Pages": changes}})
		case ts.updates("row")(call):
			ts.row("a", "Sent", changes%20+1)
		}
		return nil
	}
	if _, err := receive(ts, ts.store, "e", receipt("a", "m")); err == nil ||
		!strings.Contains(err.Error(), "other writers interfered 20 times") {
		t.Errorf("count: %v", err)
	}
	ts.write(table.Write{Ref: ts.collectionRef("a"), Set: map[string]any{"Pages": int64(0)}})
	if _, err := ts.store.Reconcile(t.Context(), key("a"), "me"); err == nil ||
		!strings.Contains(err.Error(), "not finished after 20 steps") {
		t.Errorf("reconcile: %v", err)
	}
}
