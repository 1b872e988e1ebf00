package store_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
)

// epochs are what makes up a row's epoch.
func epochs(start, files int64) table.Item {
	return table.Item{"EpochStart": start, "SyncedFiles": files, "FilesReceived": files}
}

// A row without our attributes is adopted by the first count, whatever it holds.
func TestAdoption(t *testing.T) {
	for name, c := range map[string]struct {
		given map[string]any // attributes besides status and FilesSent
		want  table.Item     // after one more file
	}{
		"without FilesReceived":            {nil, epochs(0, 1)},
		"with FilesReceived 0":             {map[string]any{"FilesReceived": int64(0)}, epochs(0, 1)},
		"that a predecessor counted":       {map[string]any{"FilesReceived": int64(3)}, epochs(-3, 4)},
		"with a text for FilesReceived":    {map[string]any{"FilesReceived": "three"}, epochs(0, 1)},
		"with a boolean for FilesReceived": {map[string]any{"FilesReceived": true}, epochs(0, 1)},
		"with half of our attributes": {map[string]any{"FilesReceived": int64(2), "SyncedFiles": int64(9)},
			epochs(-2, 3)},
		"with the other half": {map[string]any{"FilesReceived": int64(2), "EpochStart": int64(9)},
			epochs(-2, 3)},
		"with a negative FilesReceived": {map[string]any{"FilesReceived": int64(-2)}, epochs(2, -1)},
		"that an earlier ledger counted": {map[string]any{"FilesReceived": int64(4), "SyncedFiles": int64(4),
			"EpochStart": int64(3)}, epochs(-4, 5)},
		"that an earlier ledger lags": {map[string]any{"FilesReceived": int64(4), "SyncedFiles": int64(4),
			"EpochStart": int64(-4)}, epochs(-4, 5)},
		"of an earlier ledger, and set back": {map[string]any{"FilesReceived": int64(0), "SyncedFiles": int64(4),
			"EpochStart": int64(3)}, epochs(0, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", "Sent", 9)
				if c.given != nil {
					w.overwrite("a", c.given)
				}
				tally := w.count(receipt("a", "one"))
				w.wantRow("a", c.want)
				w.wantRow("a", table.Item{"CollectionStatus": "Sent", "FilesSent": int64(9)})
				if !tally.Synced || len(tally.Counted) != 1 {
					w.Errorf("got %+v", tally)
				}
				again := w.count(receipt("a", "one"))
				w.wantRow("a", c.want)
				if len(again.Duplicates) != 1 {
					w.Errorf("again: %+v", again)
				}
			})
		})
	}
}

// Others may write null or "" where they have no value yet: it is as if the attribute were absent.
func TestUnsetAttributesOfARow(t *testing.T) {
	null := func(w *world) any { // as the world's table knows it
		if _, is := w.db.(*memory.DB); !is {
			return table.Foreign{Type: table.Null, Value: &types.AttributeValueMemberNULL{Value: true}}
		}
		return table.Foreign{Type: table.Null}
	}
	empty := func(*world) any { return "" }
	for name, unset := range map[string]func(*world) any{"null": null, "empty": empty} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", "Sent", 0)
				w.overwrite("a", map[string]any{"FilesSent": unset(w), "FilesReceived": unset(w),
					"CollectionStatus": unset(w)})
				if tally := w.count(receipt("a", "one")); !tally.Synced || tally.Row.FilesSent.N != 0 ||
					tally.Row.Status != "" {
					w.Errorf("got %+v", tally)
				}
				w.wantRow("a", epochs(0, 1))
				w.row("a", "Sent", 1)
				w.reconcile("a", "me")
				w.wantRow("a", status("Received"))
				w.overwrite("a", map[string]any{"FilesSent": unset(w)})
				w.count(successFile("a", "success"))
				w.reconcile("a", "me")
				w.wantRow("a", status("Success"))
			})
		})
	}
}

// A row that was replaced whole begins another epoch, in which only what is counted from then on is received.
func TestAReplacedRowIsAdopted(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count(receipts("a", "m", 2)...)
		w.replace("a", "Exporting", 0)
		w.count(receipts("a", "m", 2)...) // of the old export, delivered late: counted before
		w.wantRow("a", epochs(2, 0))
		w.count(receipt("a", "new"))
		w.wantRow("a", epochs(2, 1))
		w.replace("a", "Exporting", 0)
		w.count(receipts("a", "newer", 3)...)
		w.wantRow("a", epochs(3, 3))
	})
}

// Somebody who read the row before it was replaced counts after that: the file belongs to one of the two exports.
func TestCountingWithAnOldReadingOfAReplacedRow(t *testing.T) {
	for name, others := range map[string]int{"before others did": 0, "after others did": 2} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", "Sent", 9)
				w.count(receipts("a", "m", 2)...)
				old := w.read("a")
				w.replace("a", "Sent", 9)
				if others > 0 {
					w.count(receipts("a", "others", others)...)
				}
				if _, err := w.store.Count(w.Context(), "late", old,
					[]snapshot.Receipt{receipt("a", "late")}); err != nil {
					w.Fatal(err)
				}
				w.count(receipt("a", "next"))
				// Without others the late file is in the ledger when the row is adopted: it is of the export before.
				want := int64(1)
				if others > 0 {
					want = int64(others) + 2
				}
				w.wantRow("a", received(want))
				w.wantDigests(append(append(receipts("a", "m", 2), receipts("a", "others", others)...),
					receipt("a", "late"), receipt("a", "next")))
			})
		})
	}
}

// Two adopt at once: one does, and the other takes what is there. Between the reading of the row and the adoption
// another counts.
func TestAdoptionWhileOthersAdopt(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 9)
		w.predecessorCounts("a", 4)
		calls := 0
		w.before = func(tabletest.Call) error {
			if calls++; calls == n+2 { // after the reading, before each of the calls up to the adoption and after it
				w.before = nil
				if _, err := receive(w, w.another(), "other", receipts("a", "other", 2)); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		w.count(receipt("a", "one"))
		w.wantRow("a", epochs(-4, 7))
	}
}

// The predecessor counts, the exporter sets back, and a person removes the attribute while the row is adopted: nothing
// is written over that was not looked at.
func TestAdoptionHoldsNothingThatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   table.Item
	}{
		"the predecessor counts": {func(w *world) { w.predecessorCounts("a", 1) }, epochs(-5, 6)},
		"the exporter sets back": {func(w *world) { w.exportAgain("a") }, epochs(0, 1)},
		"it becomes a text": {func(w *world) { w.overwrite("a", map[string]any{"FilesReceived": "x"}) },
			epochs(0, 1)},
		"it is replaced": {func(w *world) { w.replace("a", "Sent", 3) }, epochs(0, 1)},
	} {
		for i, before := range []string{"before the mark", "before the adoption"} {
			t.Run(name+" "+before, func(t *testing.T) {
				everywhere(t, func(w *world) {
					w.row("a", "Sent", 9)
					w.predecessorCounts("a", 4)
					w.meanwhile(nth(i+1, w.isUpdate("row")), func() { c.change(w) })
					w.count(receipt("a", "one"))
					w.wantRow("a", c.want)
				})
			})
		}
	}
}

// A process stands still before one of its writes to a new row while others count a whole export and the row is
// replaced: it looks as it was read. What was counted for the old export does not count for the new one.
func TestAdoptionThatStoodStillForAnExport(t *testing.T) {
	for i, before := range []string{"the mark", "the adoption"} {
		for name, adopted := range map[string]bool{"new": false, "adopted by others": true} {
			t.Run("before "+before+", the next row is "+name, func(t *testing.T) {
				everywhere(t, func(w *world) {
					w.row("a", "Sent", 9)
					w.meanwhile(nth(i+1, w.isUpdate("row")), func() {
						w.before = nil
						want := received(2)
						if _, err := receive(w, w.another(), "others", receipts("a", "old", 2)); err != nil {
							w.Fatal(err)
						}
						w.wantRow("a", want)
						w.replace("a", "Sent", 9)
						if !adopted {
							return
						}
						if _, err := receive(w, w.another(), "others again", receipts("a", "new", 3)); err != nil {
							w.Fatal(err)
						}
					})
					w.count(receipt("a", "one"))
					if adopted {
						w.wantRow("a", epochs(2, 4))
					} else {
						w.wantRow("a", epochs(2, 1))
					}
				})
			})
		}
	}
}

// A counter that others set back begins another epoch, with the files that are counted from then on.
func TestTheCounterIsSetBack(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]any
		want table.Item // after two were counted before it, and one after it
	}{
		"to 0":          {map[string]any{"FilesReceived": int64(0)}, epochs(2, 1)},
		"to 1":          {map[string]any{"FilesReceived": int64(1)}, epochs(1, 2)},
		"forward to 5":  {map[string]any{"FilesReceived": int64(5)}, epochs(-3, 6)},
		"to a text":     {map[string]any{"FilesReceived": "none"}, epochs(2, 1)},
		"to what it is": {map[string]any{"FilesReceived": int64(2)}, epochs(0, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", "Sent", 2)
				w.count(receipts("a", "m", 2)...)
				w.overwrite("a", c.set)
				tally := w.count(receipt("a", "new"))
				w.wantRow("a", c.want)
				if want := c.want["EpochStart"]; tally.Row.Epoch() != want {
					w.Errorf("epoch %d, want %d", tally.Row.Epoch(), want)
				}
			})
		})
	}
}

// An attribute that others removed counts as 0.
func TestFilesReceivedIsRemoved(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count(receipts("a", "m", 2)...)
		w.put(w.tables.Status.At(run, "a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(2),
			"EpochStart": int64(0), "SyncedFiles": int64(2)})
		w.count(receipt("a", "new"))
		w.wantRow("a", epochs(2, 1))
	})
}

// The counter is set back between any two calls of a count, and of two that count at once: every file is in the row's
// epoch or was before it, and none is in both.
func TestTheCounterIsSetBackWhileCountsAreInFlight(t *testing.T) {
	t.Parallel()
	for _, received := range []int64{0, 2, 9} {
		for n := 0; ; n++ {
			w := newMemoryWorld(t)
			w.row("a", "Sent", 20)
			w.count(receipts("a", "m", 5)...)
			calls, done := 0, false
			w.before = func(tabletest.Call) error {
				if calls == n {
					done = true
					w.overwrite("a", map[string]any{"FilesReceived": received})
				}
				calls++
				return nil
			}
			w.count(receipts("a", "first", 2)...)
			w.count(receipts("a", "second", 3)...)
			w.before = nil
			state := w.read("a")
			if row := *state.Row; row.Held() != 10 || row.SetByOthers() && done && row.FilesReceived.N != received {
				t.Errorf("set to %d before call %d: %+v", received, n, row)
			}
			w.count(receipt("a", "last"))
			row := *w.read("a").Row
			if row.Held() != 11 || row.SetByOthers() || row.Epoch()+row.FilesReceived.N != 11 {
				t.Errorf("set to %d before call %d, at last: %+v", received, n, row)
			}
			if since := row.FilesReceived.N - received; done && (since < 1 || since > 6) {
				t.Errorf("set to %d before call %d: %d files since then", received, n, since)
			}
			if !done {
				break
			}
		}
	}
}

// Others counted more and synced it, and then the counter was set back: a late sync takes nothing away from what it is
// now.
func TestALateSyncAfterTheCounterWasSetBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 9)
		w.count(receipt("a", "first"))
		w.meanwhile(w.isUpdate("row"), func() {
			w.countAs("others", receipts("a", "others", 3)...)
			w.overwrite("a", map[string]any{"FilesReceived": int64(0)})
		})
		w.count(receipt("a", "late"))
		w.wantRow("a", epochs(5, 0))
	})
}

// The same for executions that count at once, in lockstep.
func TestTheCounterIsSetBackUnderContention(t *testing.T) {
	t.Parallel()
	const executions = 10
	for n := range 5 * executions {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 20)
		w.count(receipts("a", "m", 5)...)
		var each []func()
		for i := range executions {
			each = append(each, func() {
				if _, err := receive(w, w.another(), fmt.Sprint("execution-", i),
					receipts("a", fmt.Sprint("of ", i, " "), 1)); err != nil {
					t.Error(err)
				}
			})
		}
		calls := 0
		w.after = func(tabletest.Call) error {
			if calls++; calls == n {
				w.overwrite("a", map[string]any{"FilesReceived": int64(0)})
			}
			return nil
		}
		w.atOnce(each...)
		w.after = nil
		w.count(receipt("a", "last"))
		if row := *w.read("a").Row; row.Held() != 16 || row.SetByOthers() || row.Epoch()+row.FilesReceived.N != 16 ||
			row.FilesReceived.N > 16 {
			t.Errorf("set back after call %d: %+v", n, row)
		}
	}
}

// A ledger that was made anew under rows that the one before counted goes on from what they hold, at the first message
// and in the middle of counting.
func TestANewLedgerGoesOn(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 20)
		w.count(receipts("a", "m", 3)...)
		w.exportAgain("a")
		w.count(receipts("a", "again", 4)...) // the row is in the middle of its second export
		w.wantRow("a", epochs(3, 4))
		w.loseLedger("a")
		w.count(receipt("a", "one"))
		w.wantRow("a", epochs(-4, 5))
		w.loseLedger("a")
		w.count(receipts("a", "more", 150)...)
		w.wantRow("a", epochs(-5, 155))
	})
}

// The ledger is lost between any two calls of a count.
func TestTheLedgerIsLostWhileCounting(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 20)
		w.count(receipts("a", "m", 5)...)
		calls, done := 0, false
		w.before = func(tabletest.Call) error {
			if calls == n {
				done = true
				w.loseLedger("a")
			}
			calls++
			return nil
		}
		w.count(receipts("a", "first", 2)...)
		w.count(receipts("a", "second", 3)...)
		w.before = nil
		w.count(receipt("a", "last"))
		// What was counted and not synced when the ledger was lost is lost with it: its message comes again, if at all.
		row := *w.read("a").Row
		if got := row.FilesReceived.N; got > 11 || got < 11-3 || row.SetByOthers() {
			t.Errorf("lost before call %d: %+v", n, row)
		}
		if !done {
			if row.FilesReceived.N != 11 {
				t.Errorf("%+v", row)
			}
			break
		}
	}
}
