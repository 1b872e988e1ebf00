package store_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
)

// A row without EpochStart and SyncedFiles, or of an earlier ledger, is adopted by the first count, whatever its
// values.
func TestAdoption(t *testing.T) {
	type attributes = map[string]any
	for name, c := range map[string]struct {
		given attributes // besides status and FilesSent
		want  table.Item // after one more file
	}{
		"without FilesReceived":         {attributes{}, epochs(0, 1)},
		"that a predecessor counted":    {attributes{"FilesReceived": int64(3)}, epochs(-3, 4)},
		"with a text for FilesReceived": {attributes{"FilesReceived": "three"}, epochs(0, 1)},
		"with half of our attributes": {attributes{"FilesReceived": int64(2), "SyncedFiles": int64(9)},
			epochs(-2, 3)},
		"with a negative FilesReceived": {attributes{"FilesReceived": int64(-2)}, epochs(2, -1)},
		"that an earlier ledger counted": {attributes{"FilesReceived": int64(4), "SyncedFiles": int64(4),
			"EpochStart": int64(3)}, epochs(-4, 5)},
		"of an earlier ledger, and set back": {attributes{"FilesReceived": int64(0), "SyncedFiles": int64(4),
			"EpochStart": int64(3)}, epochs(0, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			ts.row("a", "Sent", 9)
			ts.overwrite("a", c.given)
			counts := ts.count(receipt("a", "one"))
			ts.wantCounts(counts, []string{"one"}, nil, nil)
			ts.wantRow("a", c.want)
			ts.wantRow("a", table.Item{"CollectionStatus": "Sent", "FilesSent": int64(9)})
			if !counts.Synced {
				t.Errorf("got %+v", counts)
			}
			ts.wantCounts(ts.count(receipt("a", "one")), nil, nil, []string{"one"})
			ts.wantRow("a", c.want)
		})
	}
}

// Other systems may write null or "" for a missing value: it counts as absent.
func TestUnsetAttributesOfARow(t *testing.T) {
	// as DynamoDB's is read
	null := table.Foreign{Type: table.Null, Value: &types.AttributeValueMemberNULL{Value: true}}
	for name, unset := range map[string]any{"null": null, "empty": ""} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 0)
				ts.overwrite("a", map[string]any{"FilesSent": unset, "FilesReceived": unset,
					"CollectionStatus": unset, "SyncedFiles": unset})
				if counts := ts.count(receipt("a", "one")); !counts.Synced || counts.Row.FilesSent.N != 0 ||
					counts.Row.Status != "" {
					ts.Errorf("got %+v", counts)
				}
				ts.wantRow("a", epochs(0, 1))
				ts.row("a", "Sent", 1)
				ts.reconcile("a", "me")
				ts.wantRow("a", status("Received"))
				ts.overwrite("a", map[string]any{"FilesSent": unset})
				ts.count(successFile("a", "success"))
				ts.reconcile("a", "me")
				ts.wantRow("a", status("Success"))
			})
		})
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
				ts := newStore(t)
				ts.row("a", "Sent", 9)
				ts.predecessorCounts("a", 4)
				ts.meanwhile(nth(i, ts.updates("row")), func() { c.change(ts) })
				ts.count(receipt("a", "one"))
				ts.wantRow("a", c.want)
			})
		}
	}
}

// A process pauses before the mark or the adoption of a new row while others complete an export and the row is replaced
// by an equal one. Files of the old export do not count for the new one.
func TestAdoptionThatPausedForAnExport(t *testing.T) {
	for i := range 2 {
		ts := newStore(t)
		ts.row("a", "Sent", 9)
		ts.meanwhile(nth(i, ts.updates("row")), func() {
			ts.countIn(ts.another(), "others", receipts("a", "old", 2)...)
			ts.replace("a", "Sent", 9)
		})
		ts.count(receipt("a", "one"))
		ts.wantRow("a", epochs(2, 1))
	}
}

// The counter is reset between a count and its sync: the file is in the new epoch or before it, and is not lost.
func TestTheCounterIsResetBeforeASync(t *testing.T) {
	ts := newStore(t)
	ts.counted("a", "Sent", 5)
	ts.meanwhile(ts.updates("row"), func() { ts.overwrite("a", map[string]any{"FilesReceived": int64(2)}) })
	ts.count(receipts("a", "more", 2)...)
	ts.wantRow("a", epochs(3, 4))
}

// A reset of FilesReceived by another system begins a new epoch: only later counts are received in it.
func TestTheCounterIsReset(t *testing.T) {
	set := func(value any) func(*testStore) {
		return func(ts *testStore) { ts.overwrite("a", map[string]any{"FilesReceived": value}) }
	}
	for name, c := range map[string]struct {
		change func(ts *testStore)
		want   table.Item // after two were counted before it, and one after it
	}{
		"to 0":          {set(int64(0)), epochs(2, 1)},
		"forward to 5":  {set(int64(5)), epochs(-3, 6)},
		"to a text":     {set("none"), epochs(2, 1)},
		"to what it is": {set(int64(2)), epochs(0, 3)},
		"by removing it": {func(ts *testStore) {
			ts.put(ts.rowRef("a"), table.Item{"CollectionStatus": "Sent", "FilesSent": int64(2),
				"EpochStart": int64(0), "SyncedFiles": int64(2)})
		}, epochs(2, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.row("a", "Sent", 2)
				ts.count(receipts("a", "m", 2)...)
				c.change(ts)
				counts := ts.count(receipt("a", "new"))
				ts.wantRow("a", c.want)
				if want := c.want["EpochStart"]; counts.Row.Epoch() != want {
					ts.Errorf("epoch %d, want %d", counts.Row.Epoch(), want)
				}
			})
		})
	}
}
