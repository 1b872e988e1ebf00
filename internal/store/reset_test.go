package store_test

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// A reset of FilesReceived by another system begins a new epoch: only later counts are received in it.
func TestTheCounterIsReset(t *testing.T) {
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
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 2)
				ts.count(receipts("a", "m", 2)...)
				ts.overwrite("a", c.set)
				counts := ts.count(receipt("a", "new"))
				ts.wantRow("a", c.want)
				if want := c.want["EpochStart"]; counts.Row.Epoch() != want {
					ts.Errorf("epoch %d, want %d", counts.Row.Epoch(), want)
				}
			})
		})
	}
}

// A removed FilesReceived counts as 0.
func TestFilesReceivedIsRemoved(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 2)
		ts.count(receipts("a", "m", 2)...)
		ts.put(ts.tables.Status.At(run, "a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(2),
			"EpochStart": int64(0), "SyncedFiles": int64(2)})
		ts.count(receipt("a", "new"))
		ts.wantRow("a", epochs(2, 1))
	})
}

// countTwice counts 5 files, and then 2 and 3 more, with a change before call n of these two counts. It reports whether
// there were so many calls.
func (ts *testStore) countTwice(n int, change func()) (done bool) {
	ts.row("a", "Sent", 20)
	ts.count(receipts("a", "m", 5)...)
	calls := 0
	ts.before = func(tabletest.Call) error {
		if calls == n {
			done = true
			change()
		}
		calls++
		return nil
	}
	ts.count(receipts("a", "first", 2)...)
	ts.count(receipts("a", "second", 3)...)
	ts.before = nil
	return done
}

// The counter is reset between any two calls of two counts: every file is either in the row's epoch or before it.
func TestTheCounterIsResetDuringCounts(t *testing.T) {
	t.Parallel()
	for _, received := range []int64{0, 2, 9} {
		for n := 0; ; n++ {
			ts := newMemoryStore(t)
			done := ts.countTwice(n, func() { ts.overwrite("a", map[string]any{"FilesReceived": received}) })
			state := ts.read("a")
			if row := *state.Row; row.Held() != 10 || row.SetByOthers() && done && row.FilesReceived.N != received {
				t.Errorf("set to %d before call %d: %+v", received, n, row)
			}
			ts.count(receipt("a", "last"))
			row := *ts.read("a").Row
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

// A late sync after others counted more, synced, and the counter was reset: it changes nothing.
func TestALateSyncAfterAReset(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9)
		ts.count(receipt("a", "first"))
		ts.meanwhile(ts.isUpdate("row"), func() {
			ts.countAs("others", receipts("a", "others", 3)...)
			ts.overwrite("a", map[string]any{"FilesReceived": int64(0)})
		})
		ts.count(receipt("a", "late"))
		ts.wantRow("a", epochs(5, 0))
	})
}

// The same for concurrent counts, in lockstep.
func TestTheCounterIsResetUnderContention(t *testing.T) {
	t.Parallel()
	const executions = 10
	for n := range 5 * executions {
		ts := newMemoryStore(t)
		ts.row("a", "Sent", 20)
		ts.count(receipts("a", "m", 5)...)
		var each []func()
		for i := range executions {
			each = append(each, func() {
				if _, err := receive(ts, ts.another(), fmt.Sprint("execution-", i),
					receipts("a", fmt.Sprint("of ", i, " "), 1)); err != nil {
					t.Error(err)
				}
			})
		}
		calls := 0
		ts.after = func(tabletest.Call) error {
			if calls++; calls == n {
				ts.overwrite("a", map[string]any{"FilesReceived": int64(0)})
			}
			return nil
		}
		ts.atOnce(each...)
		ts.after = nil
		ts.count(receipt("a", "last"))
		if row := *ts.read("a").Row; row.Held() != 16 || row.SetByOthers() || row.Epoch()+row.FilesReceived.N != 16 ||
			row.FilesReceived.N > 16 {
			t.Errorf("set back after call %d: %+v", n, row)
		}
	}
}

// A new ledger continues from the counts in the rows, at the first message and during a count.
func TestANewLedgerContinues(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 20)
		ts.count(receipts("a", "m", 3)...)
		ts.exportAgain("a")
		ts.count(receipts("a", "again", 4)...) // the row is in the middle of its second export
		ts.wantRow("a", epochs(3, 4))
		ts.loseLedger("a")
		ts.count(receipt("a", "one"))
		ts.wantRow("a", epochs(-4, 5))
		ts.loseLedger("a")
		ts.count(receipts("a", "more", 150)...)
		ts.wantRow("a", epochs(-5, 155))
	})
}

// The ledger is lost between any two calls of a count.
func TestTheLedgerIsLostWhileCounting(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		ts := newMemoryStore(t)
		done := ts.countTwice(n, func() { ts.loseLedger("a") })
		ts.count(receipt("a", "last"))
		// Counts that were not synced are lost with the ledger: at most 3 here.
		row := *ts.read("a").Row
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
