package store_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
)

// epochs are the attributes of a row's epoch.
func epochs(start, files int64) table.Item {
	return table.Item{"EpochStart": start, "SyncedFiles": files, "FilesReceived": files}
}

// A row without EpochStart and SyncedFiles is adopted by the first count, whatever its values.
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
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 9)
				if c.given != nil {
					ts.overwrite("a", c.given)
				}
				counts := ts.count(receipt("a", "one"))
				ts.wantRow("a", c.want)
				ts.wantRow("a", table.Item{"CollectionStatus": "Sent", "FilesSent": int64(9)})
				if !counts.Synced || len(counts.Counted) != 1 {
					ts.Errorf("got %+v", counts)
				}
				again := ts.count(receipt("a", "one"))
				ts.wantRow("a", c.want)
				if len(again.Duplicates) != 1 {
					ts.Errorf("again: %+v", again)
				}
			})
		})
	}
}

// Other systems may write null or "" for a missing value: it counts as absent.
func TestUnsetAttributesOfARow(t *testing.T) {
	null := func(ts *testStore) any { // as the store's table knows it
		if _, is := ts.db.(*memory.DB); !is {
			return table.Foreign{Type: table.Null, Value: &types.AttributeValueMemberNULL{Value: true}}
		}
		return table.Foreign{Type: table.Null}
	}
	empty := func(*testStore) any { return "" }
	for name, unset := range map[string]func(*testStore) any{"null": null, "empty": empty} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 0)
				ts.overwrite("a", map[string]any{"FilesSent": unset(ts), "FilesReceived": unset(ts),
					"CollectionStatus": unset(ts), "SyncedFiles": unset(ts)})
				if counts := ts.count(receipt("a", "one")); !counts.Synced || counts.Row.FilesSent.N != 0 ||
					counts.Row.Status != "" {
					ts.Errorf("got %+v", counts)
				}
				ts.wantRow("a", epochs(0, 1))
				ts.row("a", "Sent", 1)
				ts.reconcile("a", "me")
				ts.wantRow("a", status("Received"))
				ts.overwrite("a", map[string]any{"FilesSent": unset(ts)})
				ts.count(successFile("a", "success"))
				ts.reconcile("a", "me")
				ts.wantRow("a", status("Success"))
			})
		})
	}
}

// A replaced row begins a new epoch: only later counts are received in it.
func TestAReplacedRowIsAdopted(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 2)
		ts.count(receipts("a", "m", 2)...)
		ts.replace("a", "Exporting", 0)
		ts.count(receipts("a", "m", 2)...) // of the old export, delivered late: counted before
		ts.wantRow("a", epochs(2, 0))
		ts.count(receipt("a", "new"))
		ts.wantRow("a", epochs(2, 1))
		ts.replace("a", "Exporting", 0)
		ts.count(receipts("a", "newer", 3)...)
		ts.wantRow("a", epochs(3, 3))
	})
}

// A count that read the row before it was replaced: its file belongs to one of the two exports.
func TestCountingWithAnOldReadingOfAReplacedRow(t *testing.T) {
	for name, others := range map[string]int{"before others did": 0, "after others did": 2} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 9)
				ts.count(receipts("a", "m", 2)...)
				old := ts.read("a")
				ts.replace("a", "Sent", 9)
				if others > 0 {
					ts.count(receipts("a", "others", others)...)
				}
				if _, err := ts.store.Count(ts.Context(), "late", old,
					[]snapshot.Receipt{receipt("a", "late")}); err != nil {
					ts.Fatal(err)
				}
				ts.count(receipt("a", "next"))
				// Without others the late file is in the ledger before the adoption: it belongs to the export before.
				want := int64(1)
				if others > 0 {
					want = int64(others) + 2
				}
				ts.wantRow("a", received(want))
				ts.wantDigests(append(append(receipts("a", "m", 2), receipts("a", "others", others)...),
					receipt("a", "late"), receipt("a", "next")))
			})
		})
	}
}

// Two concurrent adoptions: one takes effect, and the other uses it. The other count runs between any two calls.
func TestAdoptionWhileOthersAdopt(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		ts := newMemoryStore(t)
		ts.row("a", "Sent", 9)
		ts.predecessorCounts("a", 4)
		calls := 0
		ts.before = func(tabletest.Call) error {
			if calls++; calls == n+2 { // after the reading, before each of the calls up to the adoption and after it
				ts.before = nil
				if _, err := receive(ts, ts.another(), "other", receipts("a", "other", 2)); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		ts.count(receipt("a", "one"))
		ts.wantRow("a", epochs(-4, 7))
	}
}

// While the row is adopted, the predecessor counts, the exporter resets, or a person removes the attribute: no unread
// value is overwritten.
func TestAdoptionHoldsNothingThatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(ts *testStore)
		want   table.Item
	}{
		"the predecessor counts": {func(ts *testStore) { ts.predecessorCounts("a", 1) }, epochs(-5, 6)},
		"the exporter sets back": {func(ts *testStore) { ts.exportAgain("a") }, epochs(0, 1)},
		"it becomes a text": {func(ts *testStore) { ts.overwrite("a", map[string]any{"FilesReceived": "x"}) },
			epochs(0, 1)},
		"it is replaced": {func(ts *testStore) { ts.replace("a", "Sent", 3) }, epochs(0, 1)},
	} {
		for i, before := range []string{"before the mark", "before the adoption"} {
			t.Run(name+" "+before, func(t *testing.T) {
				everywhere(t, func(ts *testStore) {
					ts.row("a", "Sent", 9)
					ts.predecessorCounts("a", 4)
					ts.meanwhile(nth(i+1, ts.isUpdate("row")), func() { c.change(ts) })
					ts.count(receipt("a", "one"))
					ts.wantRow("a", c.want)
				})
			})
		}
	}
}

// A process pauses before a write to a new row while other counts complete an export and the row is replaced by an
// equal one. Files of the old export do not count for the new one.
func TestAdoptionThatPausedForAnExport(t *testing.T) {
	for i, before := range []string{"the mark", "the adoption"} {
		for name, adopted := range map[string]bool{"new": false, "adopted by others": true} {
			t.Run("before "+before+", the next row is "+name, func(t *testing.T) {
				everywhere(t, func(ts *testStore) {
					ts.row("a", "Sent", 9)
					ts.meanwhile(nth(i+1, ts.isUpdate("row")), func() {
						ts.before = nil
						want := received(2)
						if _, err := receive(ts, ts.another(), "others", receipts("a", "old", 2)); err != nil {
							ts.Fatal(err)
						}
						ts.wantRow("a", want)
						ts.replace("a", "Sent", 9)
						if !adopted {
							return
						}
						if _, err := receive(ts, ts.another(), "others again", receipts("a", "new", 3)); err != nil {
							ts.Fatal(err)
						}
					})
					ts.count(receipt("a", "one"))
					if adopted {
						ts.wantRow("a", epochs(2, 4))
					} else {
						ts.wantRow("a", epochs(2, 1))
					}
				})
			})
		}
	}
}
