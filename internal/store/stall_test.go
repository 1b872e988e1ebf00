package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// wantAlert wants this alert to be the owner's, nil for none.
func (w *world) wantAlert(want *snapshot.Outgoing, found store.Examination) {
	w.Helper()
	if diff := cmp.Diff(want, found.Alert); diff != "" {
		w.Errorf("alert (-want +got)\n%s", diff)
	}
}

func alert(kind snapshot.Kind, since time.Time) *snapshot.Outgoing {
	out := notification(kind, since.Unix())
	return &out
}

func (w *world) isOpen() bool { w.Helper(); return len(w.openRuns()) > 0 }

// ledgerReads examines the run and wants so many readings of the ledger's collections.
func (w *world) ledgerReads(want int) {
	w.Helper()
	clear(w.calls)
	w.examine("sweep")
	if got := w.calls["GetMany"]; got != want {
		w.Errorf("%d readings of the ledger's collections, want %d", got, want)
	}
}

// A run that is done costs one reading of its rows. As soon as they change, the ledger is read again.
func TestASettledRunIsNotReadInTheLedger(t *testing.T) {
	notify := func(w *world) { w.check("a", "x", true, both) }
	deliver := func(w *world) { w.deliver(request("a", 0), "x") }
	for name, c := range map[string]struct{ done, pending, settle func(w *world) }{
		"the request is pending":    {notify, func(*world) {}, deliver},
		"the notifications are due": {deliver, func(*world) {}, notify},
		"the notifications are leased": {deliver, func(w *world) {
			_, _ = w.store.Check(w.Context(), key("a"), "x",
				true, both)
		}, notify},
		"the row lacks a late file": {func(w *world) { notify(w); deliver(w) }, func(w *world) {
			w.diesBefore(0, w.isUpdate("row"))
			_, _ = receive(w, w.store, "dead", []snapshot.Receipt{receipt("a", "late")})
			w.revives()
		}, func(w *world) { w.reconcile("a", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register("a")
				w.counted("a", "Sent", 1)
				w.count(successFile("a", "success"))
				w.reconcile("a", "x")
				c.done(w)
				c.pending(w)
				w.ledgerReads(1)
				w.ledgerReads(1)
				c.settle(w)
				w.ledgerReads(1)
				w.ledgerReads(0)
				w.ledgerReads(0)
				w.row("a", "Sent", 1)
				w.ledgerReads(1)
				w.reconcile("a", "x")
				w.ledgerReads(1)
				w.ledgerReads(0)
			})
		})
	}
}

// A whole export between two sweeps leaves the sums as they were. Its notifications are found due all the same.
func TestASettledRunThatIsReopened(t *testing.T) {
	everywhere(t, func(w *world) {
		doneAndNotified(w)
		w.sweep()
		w.ledgerReads(0)
		w.exportAgain("a")
		w.row("a", "Sent", 3)
		w.count(append(receipts("a", "second ", 3), successFile("a", "second success"))...)
		w.reconcile("a", "dead")
		w.deliver(request("a", 3), "dead")
		w.wantSent(request("a", 3))
		w.sweep()
		w.wantSent(bothOf(1)...)
		w.ledgerReads(1)
		w.ledgerReads(0)
	})
}

func TestProgressIsRemembered(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		began := w.now
		w.examine("sweep")
		first := w.openRun().Progress
		if first.Sums == "" || !first.Since.Equal(began) || first.Settled {
			w.Errorf("remembered %+v", first)
		}
		w.pass(time.Minute)
		clear(w.calls)
		w.examine("sweep")
		if diff := cmp.Diff(first, w.openRun().Progress); diff != "" || w.calls["Update"] > 0 {
			w.Errorf("nothing moved, and %d updates\n%s", w.calls["Update"], diff)
		}
		w.count(receipt("a", "one"))
		w.examine("sweep")
		if second := w.openRun().Progress; second.Sums == first.Sums || !second.Since.Equal(w.now) {
			w.Errorf("moved, and remembered %+v", second)
		}
	})
}

func TestOpenAndPending(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		if found := w.examine("sweep"); found.Open || !found.PendingSince.IsZero() {
			w.Errorf("without rows: %+v", found)
		}
		w.counted("a", "Sent", 1)
		w.count(successFile("a", "success"))
		since := w.now
		w.reconcile("a", "dead")
		w.pass(2 * time.Hour)
		if found := w.examine("sweep"); !found.Open || found.Stalled || !found.PendingSince.Equal(since) {
			w.Errorf("with a request: open %v, stalled %v, pending since %v", found.Open, found.Stalled,
				found.PendingSince)
		}
		w.pass(time.Hour)
		if found := w.examine("sweep"); !found.Stalled {
			w.Error("not stalled")
		}
		w.sweep()
		if found := w.examine("sweep"); found.Open || found.Stalled || !found.PendingSince.IsZero() {
			w.Errorf("done: %+v", found)
		}
	})
}

func TestAStallIsAlertedOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		began := w.now
		w.wantAlert(nil, w.sweep())
		w.pass(time.Hour - time.Second)
		w.wantAlert(nil, w.sweep())
		w.pass(time.Second)
		w.wantAlert(alert(snapshot.RunStalled, began), w.sweep())
		w.wantAlert(nil, w.sweep())
		w.pass(24 * time.Hour)
		w.wantAlert(nil, w.sweep())

		w.count(receipt("a", "one")) // it goes on, and stalls again
		again := w.now
		w.wantAlert(nil, w.sweep())
		w.pass(time.Hour)
		w.wantAlert(alert(snapshot.RunStalled, again), w.sweep())
		w.pass(time.Hour)
		w.wantAlert(nil, w.sweep())
		w.wantSent(*alert(snapshot.RunStalled, began), *alert(snapshot.RunStalled, again))
	})
}

func TestAnAlertHasOneOwner(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		stalled := alert(snapshot.RunStalled, w.now)
		w.examine("first")
		w.pass(time.Hour)
		w.wantAlert(stalled, w.examine("first"))
		w.wantAlert(nil, w.examine("second"))
		w.wantAlert(stalled, w.examine("first"))
		w.pass(store.DefaultLease - time.Second)
		w.wantAlert(nil, w.examine("second"))
		w.pass(time.Second)
		w.wantAlert(stalled, w.examine("second"))
		w.wantAlert(nil, w.examine("first"))
	})
}

func TestSweepsAtOnceAlertOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		w.examine("sweep")
		w.pass(time.Hour)
		open := w.openRun()
		var mu sync.Mutex
		var group sync.WaitGroup
		alerts := 0
		for i := range 10 {
			group.Go(func() {
				found, err := w.another().Examine(w.Context(), open, fmt.Sprint(i))
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if found.Alert != nil {
					alerts++
				}
			})
		}
		group.Wait()
		if alerts != 1 {
			w.Errorf("%d own the alert", alerts)
		}
	})
}

func TestARunIsAbandoned(t *testing.T) {
	for name, c := range map[string]struct {
		status   string // of its row; "" for none
		notified bool
		alert    bool
	}{
		"unfinished":            {"Sent", false, true},
		"done":                  {"Success", true, false},
		"done but not notified": {"Success", false, true},
		"without rows":          {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register("a")
				registered := w.now
				if c.status != "" {
					w.row("a", c.status, 9)
				}
				if c.notified {
					w.check("a", "x", true, both)
				}
				w.pass(snapshot.AbandonedAfter - time.Second)
				w.wantAlert(nil, w.examineAndFinish("sweep"))
				if !w.isOpen() {
					w.Fatal("abandoned too early")
				}
				w.pass(time.Second)
				var last *snapshot.Outgoing
				if c.alert {
					last = alert(snapshot.RunAbandoned, registered)
				}
				w.wantAlert(last, w.examineAndFinish("sweep"))
				w.register("a") // a message that comes later counts, and opens nothing
				if w.isOpen() {
					w.Error("not abandoned")
				}
			})
		})
	}
}

// examineAndFinish is a sweep that starts no executions and delivers its alert.
func (w *world) examineAndFinish(owner string) store.Examination {
	w.Helper()
	open, found := w.openRun(), w.examine(owner)
	if found.Alert != nil {
		w.deliver(*found.Alert, owner)
	}
	w.finish(open, found)
	return found
}

// Whoever dies on the way to the last alert, the run is abandoned after it, and the alert is the same.
func TestARunIsNotAbandonedBeforeItsLastAlert(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		last := alert(snapshot.RunAbandoned, w.now)
		w.pass(snapshot.AbandonedAfter)
		w.wantAlert(last, w.examine("dead"))
		w.wantAlert(nil, w.examineAndFinish("other"))
		if !w.isOpen() {
			w.Fatal("abandoned while another still has to alert")
		}
		w.pass(store.DefaultLease)
		w.wantAlert(last, w.examine("other"))
		w.deliver(*last, "other") // and died before it finished
		w.pass(2 * store.DefaultLease)
		w.wantAlert(nil, w.examineAndFinish("third"))
		if w.isOpen() {
			w.Error("not abandoned although the alert is delivered")
		}
	})
}

// TTL may take a run away between two steps: it is not made anew.
func TestASweepMakesNoRun(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Sent", 9)
		w.row("b", "Received", 9)
		gone := w.openRun()
		w.put(w.tables.Ledger.At("run", run), nil)
		w.pass(snapshot.AbandonedAfter)
		found, err := w.store.Examine(w.Context(), gone, "sweep")
		if err != nil {
			w.Fatal(err)
		}
		w.wantAlert(nil, found)
		w.finish(gone, found)
		if item := w.item(w.tables.Ledger.At("run", run)); item != nil {
			w.Errorf("made %v", item)
		}
	})
}
