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
	// A page outlives a message, which can spend 14 days in each of the source, dead-letter and rejected queues.
	receiptDays = 60
	longestWay  = 3 * 14
	// A count outlives its pages, so no message is a duplicate without its count.
	countedDays = 120
)

// days returns for how many days the ledger keeps each kind of item of a partition.
func (ts *testStore) days(partition string) map[string]float64 {
	ts.Helper()
	days := map[string]float64{}
	query := table.Query{Name: ts.tables.Ledger, Partition: partition, Consistent: true}
	for {
		page, err := ts.db.Query(ts.Context(), query)
		if err != nil {
			ts.Fatal(err)
		}
		for _, item := range page.Items {
			at, err := item.Item.Int("ExpiresAt")
			if err != nil {
				ts.Fatal(err)
			}
			days[ts.part(ts.tables.Ledger.At(item.Partition, item.Sort))] = time.Unix(at, 0).Sub(ts.now).Hours() / 24
		}
		if query.After = page.Next; page.Next == "" {
			return days
		}
	}
}

func (ts *testStore) wantDays(partition string, want map[string]float64) {
	ts.Helper()
	if diff := cmp.Diff(want, ts.days(partition)); diff != "" {
		ts.Errorf("days of %s (-want +got)\n%s", partition, diff)
	}
}

func TestExpiry(t *testing.T) {
	if receiptDays <= longestWay || countedDays <= receiptDays {
		t.Fatal("these are not the promises")
	}
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Exporting", 500)
		ts.row("taken", "Sent", 2)
		ts.predecessorCounts("taken", 2)
		ts.count(receipts("a", "m", store.PageSize)...)
		ts.reconcile("taken", "me")
		ts.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "page": receiptDays,
			"receipts": receiptDays})
		ts.wantDays("collection#"+run+"#taken", map[string]float64{"collection": countedDays})
		ts.wantDays("run", map[string]float64{"run": countedDays})

		// A later count extends the expiry of the collection and the run, but not of a page.
		ts.pass(10 * 24 * time.Hour)
		ts.count(successFile("a", "success")) // by the same execution: these receipts take the others' place
		ts.register("a")
		ts.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "page": receiptDays - 10,
			"receipts": receiptDays})
		ts.wantDays("run", map[string]float64{"run": countedDays})
	})
}

// A collection's item stays within one write unit (1 KB), up to a full page.
func TestACollectionIsOneWriteUnit(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	name := "db." + strings.Repeat("x", 200-len("db.")-len(run))
	ts.row(name, "Sent", store.PageSize)
	ts.count(receipts(name, "m", store.PageSize-1)...)
	last := 13 // bytes for the digest that fills the page
	if got := size(ts.collectionRef(name), ts.item(ts.collectionRef(name))) + last; got > 1024 {
		t.Errorf("%d bytes", got)
	} else {
		t.Logf("%d bytes with a full page and names of 200 bytes", got)
	}
}
