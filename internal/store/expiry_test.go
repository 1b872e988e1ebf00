package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/store"
)

// A page outlives a message, which can spend 14 days in each of the source, dead-letter and rejected queues. A count
// outlives its pages, so no message is a duplicate without its count.
const receiptDays, countedDays = 60, 120

// wantDays expects for how many days the ledger keeps each kind of item of a partition.
func (ts *testStore) wantDays(partition string, want map[string]float64) {
	ts.Helper()
	days := map[string]float64{}
	for _, item := range ts.items(partition) {
		at, err := item.Item.Int("ExpiresAt")
		ts.ok(err)
		days[ts.part(ts.tables.Ledger.At(item.Partition, item.Sort))] = time.Unix(at, 0).Sub(ts.now).Hours() / 24
	}
	if diff := cmp.Diff(want, days); diff != "" {
		ts.Errorf("days of %s (-want +got)\n%s", partition, diff)
	}
}

func TestExpiry(t *testing.T) {
	ts := newStore(t)
	ts.register("a")
	ts.row("a", "Exporting", 500)
	ts.row("taken", "Sent", 2)
	ts.predecessorCounts("taken", 2)
	ts.count(receipts("a", "m", store.DefaultPageSize)...)
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
}

// A collection's item stays within one write unit (1 KB), up to a full page.
func TestACollectionIsOneWriteUnit(t *testing.T) {
	ts := newStore(t)
	name := "db." + strings.Repeat("x", 200-len("db.")-len(run))
	ts.row(name, "Sent", store.DefaultPageSize)
	ts.count(receipts(name, "m", store.DefaultPageSize-1)...)
	last := 13 // bytes for the digest that fills the page
	got := size(ts.collectionRef(name), ts.item(ts.collectionRef(name))) + last
	t.Logf("%d bytes with a full page and names of 200 bytes", got)
	if got > 1024 {
		t.Errorf("%d bytes", got)
	}
}
