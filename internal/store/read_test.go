package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func (ts *testStore) receiptsOf(collection string) []store.Receipt {
	ts.Helper()
	var all []store.Receipt
	ts.ok(ts.store.Receipts(ts.Context(), key(collection),
		func(r store.Receipt) error { all = append(all, r); return nil }))
	return all
}

// wantReceipts expects that people see one receipt for each of these messages, possibly among others.
func (ts *testStore) wantReceipts(collection string, of []snapshot.Receipt) {
	ts.Helper()
	seen := map[string]int{}
	for _, r := range ts.receiptsOf(collection) {
		seen[r.Identity]++
	}
	for _, r := range of {
		if seen[r.Identity] != 1 {
			ts.Errorf("%d receipts of %s, want 1", seen[r.Identity], r.Identity)
			return
		}
	}
}

func TestReceipts(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 9)
		ts.row("ab", "Sent", 9)
		one, two, three := receipt("a", "one"), receipt("a", "two"), successFile("a", "three")
		two.Message.Filename = snapshot.FilenameNotSet
		ts.countAs("execution-1", one, two)
		before := ts.now.UTC()
		ts.pass(time.Second)
		ts.countAs("execution-2", one, three) // one is a duplicate
		ts.count(receipt("ab", "of another"))
		got := ts.receiptsOf("a")
		slices.SortFunc(got, func(a, b store.Receipt) int { return strings.Compare(a.Identity, b.Identity) })
		// Of a message that two executions received, either receipt may be shown.
		if got[0].Execution == "execution-2" {
			got[0].Execution, got[0].ReceivedAt = "execution-1", before
		}
		want := []store.Receipt{{"one", "one.gz", false, false, before, "execution-1", one.Digest},
			{"three", "three.gz", true, false, ts.now.UTC(), "execution-2", three.Digest},
			{"two", "", false, false, before, "execution-1", two.Digest}}
		if diff := cmp.Diff(want, got); diff != "" {
			ts.Errorf("receipts (-want +got)\n%s", diff)
		}
	})
}

// A receipt is written before its message is counted, and hidden until then.
func TestReceiptsOfUncountedMessagesAreHidden(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 9)
	ts.count(receipt("a", "counted"))
	ts.crashesAt(ts.updates("collection"), false)
	if _, err := receive(ts, ts.store, "e", receipt("a", "not counted")); !errors.Is(err, errCrashed) {
		t.Fatal(err)
	}
	ts.recovers()
	if got := ts.receiptsOf("a"); len(got) != 1 || got[0].Identity != "counted" {
		t.Errorf("got %+v", got)
	}
	ts.countAs("e", receipt("a", "not counted"))
	ts.wantReceipts("a", []snapshot.Receipt{receipt("a", "counted"), receipt("a", "not counted")})
}

// Reading ends with the first error, of visit or of a malformed item.
func TestReceiptsUntilAnError(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 9)
	ts.count(receipts("a", "m", 5)...)
	enough, seen := errors.New("enough"), 0
	err := ts.store.Receipts(t.Context(), key("a"), func(store.Receipt) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		t.Errorf("saw %d: %v", seen, err)
	}
	ts.write(table.Write{Ref: ts.tables.Ledger.At("collection#"+run+"#a", "receipts#x#0"),
		Set: map[string]any{"Messages": "[{"}})
	err = ts.store.Receipts(t.Context(), key("a"), func(store.Receipt) error { return nil })
	var malformed *failure.Malformed
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "receipts#x#0") {
		t.Errorf("got %v, want an error that names the item", err)
	}
}

func TestOpenRunsOverPages(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		var want []string
		for i := range 5 {
			id := fmt.Sprintf("run#%d%%", i) // needs escaping in a key
			row := snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: id, CollectionName: "a"}}
			ts.ok(ts.store.RegisterRun(ts.Context(), row, snapshot.Export{SnapshotType: "full",
				ExportDate: strings.Repeat("x", 300_000)}))
			want = append(want, id)
		}
		registered := ts.now
		ts.pass(snapshot.AbandonedAfter)
		runs := ts.openRuns()
		if ts.calls["Query"] < 2 {
			ts.Error("the runs came in one page; the test needs more")
		}
		ts.ok(ts.store.Finish(ts.Context(), runs[1], ts.examineRun(runs[1], "sweep")))
		var got []string
		for _, open := range ts.openRuns() {
			got = append(got, open.CorrelationID)
			if open.SnapshotType != "full" || len(open.ExportDate) != 300_000 || !open.RegisteredAt.Equal(registered) {
				ts.Errorf("run %s: %s, registered %v", open.CorrelationID, open.SnapshotType, open.RegisteredAt)
			}
		}
		if diff := cmp.Diff(slices.Delete(want, 1, 2), got); diff != "" {
			ts.Error(diff)
		}
		if all, err := ts.store.Runs(ts.Context()); err != nil || len(all) != 5 || !all[1].Abandoned {
			ts.Errorf("%d runs, abandoned ones too: %v", len(all), err)
		}
	})
}

// A malformed run does not prevent the others from being swept.
func TestAMalformedRunHidesNoOther(t *testing.T) {
	ts := newStore(t)
	ts.register("a")
	ts.write(table.Write{Ref: ts.tables.Ledger.At("run", "another"), Set: map[string]any{"CorrelationId": "another",
		"RegisteredAt": "yesterday"}})
	runs, err := ts.store.OpenRuns(t.Context())
	ts.wantMalformed(err, `"another"`)
	if len(runs) != 1 || runs[0].CorrelationID != run {
		t.Errorf("got %+v, want the other run", runs)
	}
}
