package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

const (
	// A marker outlives the longest way of a message: 14 days each in the source, the dead-letter and the rejected queue.
	markerDays = 60
	longestWay = 3 * 14
	// What is counted outlives its markers, so that no message is recognised of which the count is forgotten.
	countedDays = 120
)

// days says for how many days from now on the ledger keeps each item of a partition.
func (w *world) days(partition string) map[string]float64 {
	w.Helper()
	days := map[string]float64{}
	query := table.Query{Name: w.tables.Ledger, Partition: partition, Consistent: true}
	for {
		page, err := w.db.DB.Query(w.Context(), query)
		if err != nil {
			w.Fatal(err)
		}
		for _, item := range page.Items {
			at, err := item.Item.Int("ExpiresAt")
			if err != nil {
				w.Fatal(err)
			}
			days[item.Sort] = time.Unix(at, 0).Sub(w.now).Hours() / 24
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
	if markerDays <= longestWay || countedDays <= markerDays {
		t.Fatal("these are not the promises")
	}
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Exporting", 5)
		w.row("taken", "Sent", 2)
		w.count("a", receipt("a", "one"))
		w.predecessorCounts("taken", 2)
		w.look("taken", "me")
		w.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "marker#one": markerDays})
		w.wantDays("collection#"+run+"#taken", map[string]float64{"collection": countedDays})
		w.wantDays("run", map[string]float64{run: countedDays})

		// What is counted later keeps the collection and the run for longer, and no marker.
		w.now = w.now.Add(10 * 24 * time.Hour)
		w.count("a", successFile("a", "success"))
		if err := w.counter.RegisterRun(w.Context(), run, snapshot.Export{}); err != nil {
			w.Fatal(err)
		}
		w.wantDays("collection#"+run+"#a", map[string]float64{"collection": countedDays, "marker#one": markerDays - 10, "marker#success": markerDays})
		w.wantDays("run", map[string]float64{run: countedDays})
	})
}
