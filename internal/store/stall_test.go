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

// sweep examines the run, wants this report, and settles.
func (w *world) sweep(want *snapshot.Debt) {
	w.Helper()
	open, found := w.openRun(), w.examine("sweep")
	w.wantReport(want, found)
	w.settle(open, found)
}

func (w *world) settle(open snapshot.Run, found store.Examination) {
	w.Helper()
	if err := w.sweeper().Settle(w.Context(), open, found); err != nil {
		w.Fatal(err)
	}
}

func (w *world) wantReport(want *snapshot.Debt, found store.Examination) {
	w.Helper()
	if diff := cmp.Diff(want, found.Report); diff != "" {
		w.Errorf("report (-want +got)\n%s", diff)
	}
}

func reported(kind snapshot.DebtKind, since time.Time) *snapshot.Debt {
	return &snapshot.Debt{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Attempt: since.Unix()}
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) isOpen() bool { w.Helper(); return len(w.openRuns()) > 0 }

// tell delivers all news of a run that is successful.
func (w *world) tell() {
	w.Helper()
	for _, debt := range w.check("x").Claimed {
		w.deliver(debt)
	}
}

// ledgerReads examines the run and wants so many reads of the ledger's collections.
func (w *world) ledgerReads(want int) {
	w.Helper()
	w.db.calls = map[string]int{}
	w.examine("sweep")
	if got := w.db.calls["GetMany"]; got != want {
		w.Errorf("%d reads of the ledger's collections, want %d", got, want)
	}
}

// A run that is done costs one read of its rows; as soon as they change, the ledger is read again.
func TestASettledRunIsNotReadInTheLedger(t *testing.T) {
	told := func(w *world) { w.tell() }
	asked := func(w *world) { w.deliver(request("a", 0)) }
	for name, c := range map[string]struct{ done, owing, paid func(w *world) }{
		"the request is owed":                    {told, func(*world) {}, asked},
		"the news is owed":                       {asked, func(*world) {}, told},
		"the news is owed by somebody who lives": {asked, func(w *world) { w.check("x") }, told},
		"a late file is missing in the row": {func(w *world) { told(w); asked(w) }, func(w *world) { w.countAndDie("a", 0) },
			func(w *world) { w.look("a", "x") }},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				w.row("a", "Sent", 1)
				w.count("a", receipt("a", "one"), successFile("a", "success"))
				w.look("a", "x")
				c.done(w)
				c.owing(w)
				w.ledgerReads(1)
				w.ledgerReads(1)
				c.paid(w)
				w.ledgerReads(1)
				w.ledgerReads(0)
				w.ledgerReads(0)
				w.overwrite("a", map[string]any{"CollectionStatus": "Sent"})
				w.ledgerReads(1)
				w.look("a", "x")
				w.ledgerReads(1)
				w.ledgerReads(0)
			})
		})
	}
}

func TestProgressIsRemembered(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 9)
		began := w.now
		w.sweep(nil)
		first := w.openRun().Progress
		if first.Sums == "" || !first.Since.Equal(began) || first.Settled {
			w.Errorf("remembered %+v", first)
		}
		w.pass(time.Minute)
		w.db.calls = map[string]int{}
		w.sweep(nil)
		if diff := cmp.Diff(first, w.openRun().Progress); diff != "" || w.db.calls["Update"] > 0 {
			w.Errorf("nothing moved, and %d updates\n%s", w.db.calls["Update"], diff)
		}
		w.count("a", receipt("a", "one"))
		w.sweep(nil)
		if second := w.openRun().Progress; second.Sums == first.Sums || !second.Since.Equal(w.now) {
			w.Errorf("moved, and remembered %+v", second)
		}
	})
}

func TestAStallIsReportedOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 9)
		began := w.now
		w.sweep(nil)
		w.pass(time.Hour - time.Second)
		w.sweep(nil)
		w.pass(time.Second)
		w.sweep(reported(snapshot.RunStalled, began))
		w.sweep(nil)
		w.pass(24 * time.Hour)
		w.sweep(nil)

		w.count("a", receipt("a", "one")) // it goes on, and stalls again
		again := w.now
		w.sweep(nil)
		w.pass(time.Hour)
		w.sweep(reported(snapshot.RunStalled, again))
		w.pass(time.Hour)
		w.sweep(nil)
	})
}

func TestAReportHasOneClaimer(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 9)
		report := reported(snapshot.RunStalled, w.now)
		w.sweep(nil)
		w.pass(time.Hour)
		w.wantReport(report, w.examine("first"))
		w.wantReport(nil, w.examine("second"))
		w.wantReport(report, w.examine("first"))
		w.pass(snapshot.Lease - time.Second)
		w.wantReport(nil, w.examine("second"))
		w.pass(time.Second)
		w.wantReport(report, w.examine("second"))
		w.wantReport(nil, w.examine("first"))
	})
}

func TestSweepsSideBySideReportOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 9)
		w.sweep(nil)
		w.pass(time.Hour)
		open := w.openRun() // as all of them read it before the first claim
		var mu sync.Mutex
		var group sync.WaitGroup
		reports := 0
		for i := range 10 {
			group.Go(func() {
				sweeper := w.sweeper()
				sweeper.DB = w.db.DB
				found, err := sweeper.Examine(w.Context(), open, fmt.Sprint(i))
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if found.Report != nil {
					reports++
				}
			})
		}
		group.Wait()
		if reports != 1 {
			w.Errorf("%d of 10 would report", reports)
		}
	})
}

func TestWhatDoesNotStall(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []string
		tell     bool
		exempt   []snapshot.Status
		holder   string // "" if the run does not stall
	}{
		"done":                          {[]string{"Success", "SUCCESS"}, true, nil, ""},
		"done but for what is exempt":   {[]string{"Success", "BLOCKED_TOPIC"}, true, []snapshot.Status{"Table_Unavailable", "Blocked_Topic"}, ""},
		"without rows":                  {nil, false, nil, ""},
		"what is not exempt holds":      {[]string{"Success", "Blocked_Topic"}, false, nil, "c1"},
		"nothing holds but not told":    {[]string{"Success"}, false, nil, "nothing"},
		"received and never successful": {[]string{"Success", "Received"}, true, nil, "c1"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				for i, status := range c.statuses {
					w.row(fmt.Sprint("c", i), status, 0)
				}
				w.runs.Exempt = c.exempt
				if c.tell {
					w.tell()
				}
				w.examine("sweep", c.exempt...)
				w.pass(100 * time.Hour)
				found := w.examine("sweep", c.exempt...)
				if (found.Report != nil) != (c.holder != "") {
					w.Fatalf("report %+v", found.Report)
				}
				holders := found.Holders.Named
				switch {
				case c.holder == "" || c.holder == "nothing":
					if len(holders) > 0 {
						w.Errorf("held by %+v", holders)
					}
				case len(holders) != 1 || holders[0].CollectionName != c.holder || found.Holders.More != 0:
					w.Errorf("held by %+v, want %s", holders, c.holder)
				}
			})
		})
	}
}
