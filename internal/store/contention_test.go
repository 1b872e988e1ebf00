package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
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
		var group sync.WaitGroup
		for i := range executions {
			group.Go(func() {
				process := ts.another()
				for j := range each {
					mine := receipt("a", fmt.Sprintf("%d-%d", i, j))
					if _, err := receive(ts, process, fmt.Sprint("execution-", i),
						[]snapshot.Receipt{mine, receipt("a", "shared")}); err != nil {
						ts.Error(err)
					}
				}
			})
		}
		group.Wait()
		ts.wantRow("a", received(executions*each+1))
		if tries := ts.calls["Update row"]; tries > executions*each {
			ts.Errorf("%d updates of the row for %d counts", tries, executions*each)
		}
	})
}

// The worst case of contention: all counts read before any of them writes, and all count before any of them syncs.
func TestContentionRepeatsNoUpdate(t *testing.T) {
	t.Parallel()
	const executions = 40 // with the first message they do not fill a page
	ts := newMemoryStore(t)
	ts.row("a", "Sent", executions)
	ts.count(receipt("a", "warm-up"))
	clear(ts.calls)
	synced := 0
	var each []func()
	for i := range executions {
		each = append(each, func() {
			counts, err := receive(ts, ts.another(), fmt.Sprint("execution-", i),
				[]snapshot.Receipt{receipt("a", fmt.Sprint(i))})
			if err != nil || len(counts.Counted) != 1 {
				t.Error(counts, err)
			}
			if counts.Synced {
				synced++
			}
		})
	}
	ts.atOnce(each...)
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
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 9)
	ts.count(receipt("a", "warm-up"))
	ts.meanwhile(ts.isUpdate("row"), func() {
		if _, err := receive(ts, ts.another(), "later", []snapshot.Receipt{receipt("a", "later")}); err != nil {
			t.Error(err)
		}
	})
	counts := ts.count(receipt("a", "earlier"))
	if counts.Synced || len(counts.Counted) != 1 || counts.Row.FilesReceived.N != 3 {
		t.Errorf("got %+v, want it counted and the row left as the later count made it", counts)
	}
}

// A process may end at any call, before or after it took effect: the next delivery of the messages finishes the work.
func TestCountIsFinishedByTheNextDelivery(t *testing.T) {
	batch := append(receipts("a", "m", 130), successFile("a", "success"))
	for name, given := range map[string]func(ts *testStore){
		"a new row":      func(ts *testStore) { ts.row("a", "Sent", 200) },
		"counted before": func(ts *testStore) { ts.row("a", "Sent", 200); ts.count(receipts("a", "old", 40)...) },
		"set back": func(ts *testStore) {
			ts.row("a", "Sent", 200)
			ts.count(receipts("a", "old", 40)...)
			ts.exportAgain("a")
		},
		"replaced": func(ts *testStore) {
			ts.row("a", "Sent", 200)
			ts.count(receipts("a", "old", 40)...)
			ts.replace("a", "Sent", 200)
		},
		"of a predecessor": func(ts *testStore) { ts.row("a", "Sent", 200); ts.predecessorCounts("a", 7) },
		"counted by a lost ledger": func(ts *testStore) {
			ts.row("a", "Sent", 200)
			ts.count(receipts("a", "old", 40)...)
			ts.loseLedger("a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := map[string]int64{"counted before": 40, "of a predecessor": 7,
				"counted by a lost ledger": 40}[name]
			// STANDARD retries in the same execution, EXPRESS in another one
			for _, execution := range []string{"execution-1", "execution-2"} {
				everyCrash(t, given, func(ts *testStore) error {
					_, err := receive(ts, ts.store, "execution-1", batch)
					return err
				}, func(ts *testStore) {
					ts.countAs(execution, batch...)
					ts.wantRow("a", received(before+130))
					again, err := receive(ts, ts.another(), execution, batch)
					if err != nil || len(again.Duplicates) != len(batch) {
						t.Errorf("of %d messages %d are duplicates at last: %v", len(batch), len(again.Duplicates), err)
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
	t.Parallel()
	for _, part := range []string{"collection", "row", "page"} {
		ts := newMemoryStore(t)
		ts.row("a", "Sent", 500)
		ts.count(receipt("a", "first"))
		ts.before = func(call tabletest.Call) error { // as if an earlier try had taken effect
			if ts.isUpdate(part)(call) {
				ts.before = nil
				ts.write(call.Write)
			}
			return nil
		}
		batch := receipts("a", "m", store.PageSize)
		counts := ts.count(batch...)
		if len(counts.Counted)+len(counts.Duplicates) != len(batch) {
			t.Errorf("%s: %d counted, %d duplicates", part, len(counts.Counted), len(counts.Duplicates))
		}
		ts.wantRow("a", received(int64(1+len(batch))))
		if !counts.Synced {
			t.Errorf("%s: no call reports the write of the row", part)
		}
		if again := ts.count(batch...); len(again.Duplicates) != len(batch) {
			t.Errorf("%s: %d duplicates", part, len(again.Duplicates))
		}
	}
}

// A count that fails half-way returns the messages that were counted.
func TestAFailedCountReturnsWhatWasCounted(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 500)
	state := ts.read("a")
	ts.crashesBefore(1, ts.isUpdate("receipts"))
	counts, err := ts.store.Count(t.Context(), "execution-1", state, receipts("a", "m", 150))
	if !errors.Is(err, errCrashed) || len(counts.Counted) != 100 {
		t.Errorf("%d counted with error %v, want 100 with one", len(counts.Counted), err)
	}
}

// If other writers never stop, counting fails.
func TestCountGivesUp(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 500)
	ts.count(receipt("a", "warm-up"))
	pages := int64(0)
	ts.before = func(call tabletest.Call) error {
		if ts.isUpdate("collection")(call) {
			pages++
			ts.write(table.Write{Ref: call.Refs[0], Set: map[string]any{"Pages": pages}})
		}
		return nil
	}
	if _, err := receive(ts, ts.store, "e", []snapshot.Receipt{receipt("a", "m")}); err == nil ||
		!strings.Contains(err.Error(), "other writers interfered 20 times") {
		t.Errorf("got %v", err)
	}
}
