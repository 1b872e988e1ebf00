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

// Counting beside others, and after a death.

// However many count one collection at once: none is lost, none counts twice, and each tries its row once.
func TestCountIsExactConcurrently(t *testing.T) {
	everywhere(t, func(w *world) {
		const executions, each = 8, 4
		w.row("a", "Sent", executions*each)
		w.count(receipt("a", "shared")) // so that the row is adopted
		clear(w.calls)
		var group sync.WaitGroup
		for i := range executions {
			group.Go(func() {
				process := w.another()
				for j := range each {
					mine := receipt("a", fmt.Sprintf("%d-%d", i, j))
					if _, err := receive(w, process, fmt.Sprint("execution-", i),
						[]snapshot.Receipt{mine, receipt("a", "shared")}); err != nil {
						w.Error(err)
					}
				}
			})
		}
		group.Wait()
		w.wantRow("a", received(executions*each+1))
		if tries := w.calls["Update row"]; tries > executions*each {
			w.Errorf("%d updates of the row for %d counts", tries, executions*each)
		}
	})
}

// The worst case of contention: everybody has read before anybody writes, everybody has counted before anybody syncs.
func TestContentionRepeatsNoUpdate(t *testing.T) {
	t.Parallel()
	const executions = 40 // with the first message they do not fill a page
	w := newMemoryWorld(t)
	w.row("a", "Sent", executions)
	w.count(receipt("a", "warm-up"))
	clear(w.calls)
	synced := 0
	var each []func()
	for i := range executions {
		each = append(each, func() {
			tally, err := receive(w, w.another(), fmt.Sprint("execution-", i),
				[]snapshot.Receipt{receipt("a", fmt.Sprint(i))})
			if err != nil || len(tally.Counted) != 1 {
				t.Error(tally, err)
			}
			if tally.Synced {
				synced++
			}
		})
	}
	w.atOnce(each...)
	want := map[string]int{"GetMany": executions, "Update": 3 * executions, "Update receipts": executions,
		"Update collection": executions, "Update row": executions}
	if diff := cmp.Diff(want, w.calls); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
	w.wantRow("a", received(executions+1))
	if synced < 1 {
		t.Error("nobody wrote the row")
	}
}

// Who counted last carries the others' counts along: they neither write nor fail.
func TestALaterCountCarriesTheEarlierAlong(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 9)
	w.count(receipt("a", "warm-up"))
	w.meanwhile(w.isUpdate("row"), func() {
		if _, err := receive(w, w.another(), "later", []snapshot.Receipt{receipt("a", "later")}); err != nil {
			t.Error(err)
		}
	})
	tally := w.count(receipt("a", "earlier"))
	if tally.Synced || len(tally.Counted) != 1 || tally.Row.FilesReceived.N != 3 {
		t.Errorf("got %+v, want it counted and the row left as the later count made it", tally)
	}
}

// Whoever dies at any call, before it or after it took effect, leaves it to the same messages' next delivery.
func TestCountIsFinishedByTheNextDelivery(t *testing.T) {
	batch := append(receipts("a", "m", 130), successFile("a", "success"))
	for name, given := range map[string]func(w *world){
		"a new row":      func(w *world) { w.row("a", "Sent", 200) },
		"counted before": func(w *world) { w.row("a", "Sent", 200); w.count(receipts("a", "old", 40)...) },
		"set back": func(w *world) {
			w.row("a", "Sent", 200)
			w.count(receipts("a", "old", 40)...)
			w.exportAgain(
				"a")
		},
		"replaced": func(w *world) {
			w.row("a", "Sent", 200)
			w.count(receipts("a", "old", 40)...)
			w.replace("a", "Sent", 200)
		},
		"of a predecessor": func(w *world) { w.row("a", "Sent", 200); w.predecessorCounts("a", 7) },
		"counted by a lost ledger": func(w *world) {
			w.row("a", "Sent", 200)
			w.count(receipts("a", "old",
				40)...)
			w.loseLedger("a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := map[string]int64{"counted before": 40, "of a predecessor": 7,
				"counted by a lost ledger": 40}[name]
			// STANDARD tries again, EXPRESS is another one
			for _, execution := range []string{"execution-1", "execution-2"} {
				everyDeath(t, given, func(w *world) error {
					_, err := receive(w, w.store, "execution-1", batch)
					return err
				}, func(w *world) {
					w.countAs(execution, batch...)
					w.wantRow("a", received(before+130))
					again, err := receive(w, w.another(), execution, batch)
					if err != nil || len(again.Duplicates) != len(batch) {
						t.Errorf("of %d messages %d are duplicates at last: %v", len(batch), len(again.Duplicates), err)
					}
					state := w.read("a")
					if epochs := state.Collection.SuccessEpochs; len(epochs) != 1 || epochs[0] != state.Row.Epoch() {
						t.Errorf("success epochs %v, want the row's, which is %d", epochs, state.Row.Epoch())
					}
					w.wantReceipts("a", batch)
				})
			}
		})
	}
}

// A call that the SDK makes again because its answer was lost finds its own write, and takes its messages for
// duplicates.
func TestARefusalByItsOwnWrite(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"collection", "row", "page"} {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 500)
		w.count(receipt("a", "first"))
		w.before = func(call tabletest.Call) error { // as if an earlier try had taken effect
			if w.isUpdate(part)(call) {
				w.before = nil
				w.write(call.Write)
			}
			return nil
		}
		batch := receipts("a", "m", store.PageSize)
		tally := w.count(batch...)
		if len(tally.Counted)+len(tally.Duplicates) != len(batch) {
			t.Errorf("%s: %d counted, %d duplicates", part, len(tally.Counted), len(tally.Duplicates))
		}
		w.wantRow("a", received(int64(1+len(batch))))
		if !tally.Synced {
			t.Errorf("%s: the write of the row is nobody's", part)
		}
		if again := w.count(batch...); len(again.Duplicates) != len(batch) {
			t.Errorf("%s: %d duplicates", part, len(again.Duplicates))
		}
	}
}

// Who fails after some of its messages were counted says which.
func TestATallyThatComesWithAnErrorSaysWhatWasCounted(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 500)
	state := w.read("a")
	w.diesBefore(1, w.isUpdate("receipts"))
	tally, err := w.store.Count(t.Context(), "execution-1", state, receipts("a", "m", 150))
	if !errors.Is(err, errDied) || len(tally.Counted) != 100 {
		t.Errorf("%d counted with error %v, want 100 with one", len(tally.Counted), err)
	}
}

// In a storm of other writes that never ends, counting gives up with an error instead of turning for ever.
func TestCountGivesUp(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 500)
	w.count(receipt("a", "warm-up"))
	pages := int64(0)
	w.before = func(call tabletest.Call) error {
		if w.isUpdate("collection")(call) {
			pages++
			w.write(table.Write{Ref: call.Refs[0], Set: map[string]any{"Pages": pages}})
		}
		return nil
	}
	if _, err := receive(w, w.store, "e", []snapshot.Receipt{receipt("a", "m")}); err == nil ||
		!strings.Contains(err.Error(), "given up after 20 tries") {
		t.Errorf("got %v", err)
	}
}
