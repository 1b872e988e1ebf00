package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

const (
	// A page outlives the longest way of a message: 14 days each in the source, the dead-letter and the rejected queue.
	receiptDays = 60
	longestWay  = 3 * 14
	// What is counted outlives its pages, so that no message is recognised of which the count is forgotten.
	countedDays = 120
)

// days says for how many days from now on the ledger keeps each kind of item of a partition.
func (w *world) days(partition string) map[string]float64 {
	w.Helper()
	days := map[string]float64{}
	query := table.Query{Name: w.tables.Ledger, Partition: partition, Consistent: true}
	for {
		page, err := w.db.Query(w.Context(), query)
		if err != nil {
			w.Fatal(err)
		}
		for _, item := range page.Items {
			at, err := item.Item.Int("ExpiresAt")
			if err != nil {
				w.Fatal(err)
			}
			days[w.part(w.tables.Ledger.At(item.Partition, item.Sort))] = time.Unix(at, 0).Sub(w.now).Hours() / 24
		}
		if query.After = page.Next; page.Next == "" {
			return days
		}
	}
}

func (w *world) wantDays(partition string, want map[string]float64) {
	w.Helper()
	if diff := cmp.Diff(want, w.days(partition)); diff != "" {
		w.Errorf("days of %s (-want +got)\n%s", partition, diff)
	}
}

func TestHowLongTheLedgerKeepsItsItems(t *testing.T) {
	if receiptDays <= longestWay || countedDays <= receiptDays {
		t.Fatal("these are not the promises")
	}
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Exporting", 500)
		w.row("taken", "Sent", 2)
		w.predecessorCounts("taken", 2)
		w.count(receipts("a", "m", store.PageSize)...)
		w.reconcile("taken", "me")
		w.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "page": receiptDays,
			"receipts": receiptDays})
		w.wantDays("collection#"+run+"#taken", map[string]float64{"collection": countedDays})
		w.wantDays("run", map[string]float64{"run": countedDays})

		// What is counted later keeps the collection and the run for longer, and no page.
		w.pass(10 * 24 * time.Hour)
		w.count(successFile("a", "success")) // by the same execution: these receipts take the others' place
		w.register("a")
		w.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "page": receiptDays - 10,
			"receipts": receiptDays})
		w.wantDays("run", map[string]float64{"run": countedDays})
	})
}

// While its files are counted the collection's item is one write unit (1 KB), up to a full page.
func TestACollectionIsOneWriteUnit(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	name := "db." + strings.Repeat("x", 200-len("db.")-len(run))
	w.row(name, "Sent", store.PageSize)
	w.count(receipts(name, "m", store.PageSize-1)...)
	last := 13 // bytes for the digest that fills the page
	if got := size(w.collectionRef(name), w.item(w.collectionRef(name))) + last; got > 1024 {
		t.Errorf("%d bytes", got)
	} else {
		t.Logf("%d bytes with a full page and names of 200 bytes", got)
	}
}
