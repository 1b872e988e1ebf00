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

// wantAlert expects this alert to be the owner's, nil for none.
func (ts *testStore) wantAlert(want *snapshot.Outgoing, found store.Examination) {
	ts.Helper()
	if want == nil {
		ts.wantAlerts(found)
	} else {
		ts.wantAlerts(found, *want)
	}
}

func (ts *testStore) wantAlerts(found store.Examination, want ...snapshot.Outgoing) {
	ts.Helper()
	if diff := cmp.Diff(want, found.Alerts); diff != "" {
		ts.Errorf("alert (-want +got)\n%s", diff)
	}
}

func alert(kind snapshot.Kind, since time.Time) *snapshot.Outgoing {
	out := notification(kind, since.Unix())
	return &out
}

func (ts *testStore) isOpen() bool { ts.Helper(); return len(ts.openRuns()) > 0 }

// ledgerReads examines the run and expects so many reads of the ledger's collections.
func (ts *testStore) ledgerReads(want int) {
	ts.Helper()
	clear(ts.calls)
	ts.examine("sweep")
	if got := ts.calls["GetMany"]; got != want {
		ts.Errorf("%d readings of the ledger's collections, want %d", got, want)
	}
}

// A finished run costs one reading of its rows. When they change, the ledger is read again.
func TestASettledRunIsNotReadInTheLedger(t *testing.T) {
	notify := func(ts *testStore) { ts.check("a", "x", true, both) }
	deliver := func(ts *testStore) { ts.deliver(request("a", 0), "x") }
	for name, c := range map[string]struct{ done, pending, settle func(ts *testStore) }{
		"the request is pending":    {notify, func(*testStore) {}, deliver},
		"the notifications are due": {deliver, func(*testStore) {}, notify},
		"the notifications are leased": {deliver, func(ts *testStore) {
			_, _ = ts.store.Check(ts.Context(), key("a"), "x", true, both)
		}, notify},
		"the row lacks a late file": {func(ts *testStore) { notify(ts); deliver(ts) }, func(ts *testStore) {
			ts.crashesBefore(0, ts.isUpdate("row"))
			_, _ = receive(ts, ts.store, "first", []snapshot.Receipt{receipt("a", "late")})
			ts.recovers()
		}, func(ts *testStore) { ts.reconcile("a", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.register("a")
				ts.counted("a", "Sent", 1)
				ts.count(successFile("a", "success"))
				ts.reconcile("a", "x")
				c.done(ts)
				c.pending(ts)
				ts.ledgerReads(1)
				ts.ledgerReads(1)
				c.settle(ts)
				ts.ledgerReads(1)
				ts.ledgerReads(0)
				ts.ledgerReads(0)
				ts.row("a", "Sent", 1)
				ts.ledgerReads(1)
				ts.reconcile("a", "x")
				ts.ledgerReads(1)
				ts.ledgerReads(0)
			})
		})
	}
}

// An export between two sweeps leaves the sums unchanged. Its notifications are still found due.
func TestASettledRunThatIsReopened(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		doneAndNotified(ts)
		ts.sweep()
		ts.ledgerReads(0)
		ts.exportAgain("a")
		ts.row("a", "Sent", 3)
		ts.count(append(receipts("a", "second ", 3), successFile("a", "second success"))...)
		ts.reconcile("a", "first")
		ts.deliver(request("a", 3), "first")
		ts.wantSent(request("a", 3))
		ts.sweep()
		ts.wantSent(bothOf(1)...)
		ts.ledgerReads(1)
		ts.ledgerReads(0)
	})
}

func TestProgressIsStored(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		began := ts.now
		ts.examine("sweep")
		first := ts.openRun().Progress
		if first.Sums == "" || !first.Since.Equal(began) || first.Settled {
			ts.Errorf("remembered %+v", first)
		}
		ts.pass(time.Minute)
		clear(ts.calls)
		ts.examine("sweep")
		if diff := cmp.Diff(first, ts.openRun().Progress); diff != "" || ts.calls["Update"] > 0 {
			ts.Errorf("nothing moved, and %d updates\n%s", ts.calls["Update"], diff)
		}
		ts.count(receipt("a", "one"))
		ts.examine("sweep")
		if second := ts.openRun().Progress; second.Sums == first.Sums || !second.Since.Equal(ts.now) {
			ts.Errorf("moved, and remembered %+v", second)
		}
	})
}

func TestOpenAndPending(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		if found := ts.examine("sweep"); found.Open || !found.PendingSince.IsZero() {
			ts.Errorf("without rows: %+v", found)
		}
		ts.counted("a", "Sent", 1)
		ts.count(successFile("a", "success"))
		since := ts.now
		ts.reconcile("a", "first")
		ts.pass(2 * time.Hour)
		if found := ts.examine("sweep"); !found.Open || found.Stalled || !found.PendingSince.Equal(since) {
			ts.Errorf("with a request: open %v, stalled %v, pending since %v", found.Open, found.Stalled,
				found.PendingSince)
		}
		ts.pass(time.Hour)
		if found := ts.examine("sweep"); !found.Stalled {
			ts.Error("not stalled")
		}
		ts.sweep()
		if found := ts.examine("sweep"); found.Open || found.Stalled || !found.PendingSince.IsZero() {
			ts.Errorf("done: %+v", found)
		}
	})
}

func TestAStallIsAlertedOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		began := ts.now
		ts.wantAlert(nil, ts.sweep())
		ts.pass(time.Hour - time.Second)
		ts.wantAlert(nil, ts.sweep())
		ts.pass(time.Second)
		ts.wantAlert(alert(snapshot.RunStalled, began), ts.sweep())
		ts.wantAlert(nil, ts.sweep())
		ts.pass(24 * time.Hour)
		ts.wantAlert(nil, ts.sweep())

		ts.count(receipt("a", "one")) // it makes progress, and stalls again
		again := ts.now
		ts.wantAlert(nil, ts.sweep())
		ts.pass(time.Hour)
		ts.wantAlert(alert(snapshot.RunStalled, again), ts.sweep())
		ts.pass(time.Hour)
		ts.wantAlert(nil, ts.sweep())
		ts.wantSent(*alert(snapshot.RunStalled, began), *alert(snapshot.RunStalled, again))
	})
}

func TestAnAlertHasOneOwner(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		stalled := alert(snapshot.RunStalled, ts.now)
		ts.examine("first")
		ts.pass(time.Hour)
		ts.wantOneOwner(stalled)
	})
}

func TestSweepsAtOnceAlertOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		ts.examine("sweep")
		ts.pass(time.Hour)
		open := ts.openRun()
		var mu sync.Mutex
		var group sync.WaitGroup
		alerts := 0
		for i := range 10 {
			group.Go(func() {
				found, err := ts.another().Examine(ts.Context(), open, fmt.Sprint(i))
				if err != nil {
					ts.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				alerts += len(found.Alerts)
			})
		}
		group.Wait()
		if alerts != 1 {
			ts.Errorf("%d own the alert", alerts)
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
			everywhere(t, func(ts *testStore) {
				ts.register("a")
				registered := ts.now
				if c.status != "" {
					ts.row("a", c.status, 9)
				}
				if c.notified {
					ts.check("a", "x", true, both)
				}
				ts.pass(snapshot.AbandonedAfter - time.Second)
				ts.wantAlert(nil, ts.examineAndFinish("sweep"))
				if !ts.isOpen() {
					ts.Fatal("abandoned too early")
				}
				ts.pass(time.Second)
				var last *snapshot.Outgoing
				if c.alert {
					last = alert(snapshot.RunAbandoned, registered)
				}
				ts.wantAlert(last, ts.examineAndFinish("sweep"))
				ts.register("a") // a message that comes later counts, and opens nothing
				if ts.isOpen() {
					ts.Error("not abandoned")
				}
			})
		})
	}
}

// examineAndFinish is a sweep that starts no executions and delivers its alert.
func (ts *testStore) examineAndFinish(owner string) store.Examination {
	ts.Helper()
	open, found := ts.openRun(), ts.examine(owner)
	for _, alert := range found.Alerts {
		ts.deliver(alert, owner)
	}
	ts.finish(open, found)
	return found
}

// Wherever the process ends on the way to the last alert: the run is abandoned after it, and the alert is the same.
func TestARunIsNotAbandonedBeforeItsLastAlert(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		last := alert(snapshot.RunAbandoned, ts.now)
		ts.pass(snapshot.AbandonedAfter)
		ts.wantAlert(last, ts.examine("first"))
		ts.wantAlert(nil, ts.examineAndFinish("other"))
		if !ts.isOpen() {
			ts.Fatal("abandoned while another still has to alert")
		}
		ts.pass(store.DefaultLease)
		ts.wantAlert(last, ts.examine("other"))
		ts.deliver(*last, "other") // and ends before Finish
		ts.pass(2 * store.DefaultLease)
		ts.wantAlert(nil, ts.examineAndFinish("third"))
		if ts.isOpen() {
			ts.Error("not abandoned although the alert is delivered")
		}
	})
}

// A run that TTL deletes between two steps is not made again.
func TestASweepMakesNoRun(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 9)
		ts.row("b", "Received", 9)
		gone := ts.openRun()
		ts.put(ts.tables.Ledger.At("run", run), nil)
		ts.pass(snapshot.AbandonedAfter)
		found, err := ts.store.Examine(ts.Context(), gone, "sweep")
		if err != nil {
			ts.Fatal(err)
		}
		ts.wantAlert(nil, found)
		ts.finish(gone, found)
		if item := ts.item(ts.tables.Ledger.At("run", run)); item != nil {
			ts.Errorf("made %v", item)
		}
	})
}
