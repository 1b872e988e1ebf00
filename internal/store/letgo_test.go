package store_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func TestARunIsLetGo(t *testing.T) {
	for name, c := range map[string]struct {
		status string // of its row; "" for none
		told   bool
		report bool
	}{
		"unfinished":        {"Sent", false, true},
		"done":              {"Success", true, false},
		"done but not told": {"Success", false, true},
		"without rows":      {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				registered := w.now
				if c.status != "" {
					w.row("a", c.status, 9)
				}
				if c.told {
					w.tell()
				}
				w.pass(snapshot.LetGoAfter - time.Second)
				w.sweep(nil)
				if !w.isOpen() {
					w.Fatal("let go too early")
				}
				w.pass(time.Second)
				var last *snapshot.Debt
				if c.report {
					last = reported(snapshot.RunLetGo, registered)
				}
				w.sweep(last)
				w.register() // a message that comes later counts, and opens nothing
				if w.isOpen() {
					w.Error("not let go")
				}
			})
		})
	}
}

// Whoever dies on the way to the last report, the run is let go after it, and the report is the same.
func TestARunIsNotLetGoBeforeItsLastReport(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 9)
		last := reported(snapshot.RunLetGo, w.now)
		w.pass(snapshot.LetGoAfter)
		w.wantReport(last, w.examine("dead"))
		open, found := w.openRun(), w.examine("other")
		w.wantReport(nil, found)
		w.settle(open, found)
		if !w.isOpen() {
			w.Fatal("let go while another still has to report")
		}

		w.pass(snapshot.Lease)
		open, found = w.openRun(), w.examine("other")
		w.wantReport(last, found)
		w.dies("Update", 1) // delivered, and not let go yet
		if err := w.sweeper().Settle(w.Context(), open, found); err == nil {
			w.Fatal("did not die")
		}
		w.revives()
		w.pass(2 * snapshot.Lease)
		w.sweep(nil)
		if w.isOpen() {
			w.Error("not let go although the report is delivered")
		}
	})
}

// TTL may take a run away between two steps: it is not made anew.
func TestSettleMakesNoRun(t *testing.T) {
	everywhere(t, func(w *world) {
		gone := snapshot.Run{CorrelationID: run, RegisteredAt: w.now}
		w.row("a", "Sent", 9)
		w.pass(snapshot.LetGoAfter)
		found, err := w.sweeper().Examine(w.Context(), gone, "sweep")
		if err != nil {
			w.Fatal(err)
		}
		w.settle(gone, found)
		w.settle(gone, store.Examination{LetGo: true, Report: reported(snapshot.RunLetGo, gone.RegisteredAt)})
		item, err := w.db.DB.Get(w.Context(), table.Read{Ref: w.tables.Ledger.At("run", run), Consistent: true})
		if err != nil || item != nil {
			w.Errorf("made %v, %v", item, err)
		}
	})
}
