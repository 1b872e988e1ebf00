package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
)

var (
	allReceived = []snapshot.Kind{snapshot.AllReceived}
	both        = snapshot.Notifications
)

// rows makes rows c0, c1, … with these statuses.
func (ts *testStore) rows(statuses string) {
	ts.Helper()
	for i, status := range strings.Fields(statuses) {
		ts.row(fmt.Sprint("c", i), status, 0)
	}
}

func (ts *testStore) hint(kind snapshot.Kind) snapshot.Hint {
	ts.Helper()
	return ts.theRun().Hints[kind]
}

func TestCheckIsSatisfiedByReceivedOrFurther(t *testing.T) {
	first, both := bothOf(0)[:1], bothOf(0)
	for _, c := range []struct {
		statuses string
		exempt   []snapshot.Status
		want     []snapshot.Outgoing
	}{
		{"Received Sent Received", nil, nil},
		{"Received Success RECEIVED", nil, first},
		{"Success SUCCESS Success", nil, both},
		{"Success Blocked_Topic Success", nil, nil},
		{"Success BLOCKED_TOPIC Received", []snapshot.Status{"Table_Unavailable", "Blocked_Topic"}, first},
		{"Success Blocked_Topic Success", []snapshot.Status{"Blocked_Topic"}, both},
	} {
		t.Run(c.statuses, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.exempt = c.exempt
				ts.store = ts.another()
				ts.register("c0")
				ts.rows(c.statuses)
				ts.check("c0", "me", true, snapshot.Notifications)
				ts.wantSent(c.want...)
			})
		})
	}
}

// Registering sets the hints to the first message's collection. Repeating it changes neither hints nor run.
func TestRegisterRun(t *testing.T) {
	for status, want := range map[string][2]string{"Sent": {"a", "a"}, "Received": {"", "a"}, "SUCCESS": {"", ""},
		"Blocked_Topic": {"", ""}} {
		t.Run(status, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.exempt = []snapshot.Status{"Blocked_Topic"}
				ts.store = ts.another()
				register := func(row snapshot.Row, export snapshot.Export) {
					if err := ts.store.RegisterRun(ts.Context(), row, export); err != nil {
						ts.Fatal(err)
					}
				}
				register(snapshot.Row{CollectionKey: key("a"), Status: snapshot.Status(status)}, export)
				first := ts.theRun()
				if got := [2]string{first.Hints[snapshot.AllReceived].Collection,
					first.Hints[snapshot.AllSuccessful].Collection}; got != want {
					ts.Errorf("hints %q, want %q", got, want)
				}
				if first.CorrelationID != run || first.Export != export || !first.RegisteredAt.Equal(ts.now) {
					ts.Errorf("got %+v", first)
				}
				ts.pass(1000)
				register(snapshot.Row{CollectionKey: key("b"), Status: "Exporting"},
					snapshot.Export{SnapshotType: "incremental", ExportDate: "later"})
				if diff := cmp.Diff(first, ts.theRun()); diff != "" {
					ts.Errorf("registered again: %s", diff)
				}
			})
		})
	}
}

// The result and the reads for each state of the hint. The run has c0 to c3; c1 is checked.
func TestHint(t *testing.T) {
	const calls, rows = "Get", "Query" // of the run and of single rows; of pages of rows
	for name, c := range map[string]struct {
		statuses string
		hint     snapshot.Hint
		moved    bool
		calls    map[string]int // readings: of the run and of single rows, of pages
		hints    string         // the blocker after it; "" if the notification is due
	}{
		"notified": {"Received Received Received Received", snapshot.Hint{Notified: true},
			true, map[string]int{calls: 1}, "notified"},
		"another blocks, we moved": {"Sent Received Received Received", snapshot.Hint{Collection: "c0",
			By: "x"}, true, map[string]int{calls: 1}, "c0"},
		"another was done, we moved": {"Received Received Received Sent", snapshot.Hint{Collection: "c0",
			By: "x"}, true, map[string]int{calls: 1}, "c0"},
		"another blocks, we moved nothing": {"Sent Received Received Received", snapshot.Hint{Collection: "c0",
			By: "x"}, false, map[string]int{calls: 2}, "c0"},
		"another is done, we moved nothing": {"Received Received Received Sent", snapshot.Hint{Collection: "c0",
			By: "x"}, false, map[string]int{calls: 3, rows: 1}, "c3"},
		"another is gone, we moved nothing": {"Received Received Received Sent", snapshot.Hint{Collection: "b",
			By: "x"}, false, map[string]int{calls: 3, rows: 1}, "c3"},
		"our own, and a later one blocks": {"Received Received Received Sent", snapshot.Hint{Collection: "c1",
			By: "x"}, true, map[string]int{calls: 2, rows: 1}, "c3"},
		"our own, and an earlier one blocks": {"Sent Received Received Received", snapshot.Hint{Collection: "c1",
			By: "x"}, true, map[string]int{calls: 2, rows: 2}, "c0"},
		"our own, and all are done": {"Received Received Received Received", snapshot.Hint{Collection: "c1",
			By: "x"}, true, map[string]int{calls: 1, rows: 2}, ""},
		"set by us, to one that is done": {"Received Received Received Sent", snapshot.Hint{Collection: "c0",
			By: "me"}, true, map[string]int{calls: 2, rows: 1}, "c3"},
		"set by us, to one that blocks": {"Sent Received Received Received", snapshot.Hint{Collection: "c0",
			By: "me"}, true, map[string]int{calls: 2, rows: 1}, "c0"},
		"unknown": {"Received Received Sent Received", snapshot.Hint{}, true, map[string]int{calls: 2, rows: 1}, "c2"},
		"unknown, and all are done": {"Received Success Received Received", snapshot.Hint{}, true,
			map[string]int{calls: 1, rows: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := newTestStore(t, &memory.DB{}, store.NewTables("status", "ledger"))
			ts.register("c0")
			ts.rows(c.statuses)
			ts.rows(c.statuses) // so that a reading that is not consistent sees them too
			ts.setHint(snapshot.AllReceived, c.hint)
			clear(ts.calls)
			checked, err := ts.store.Check(t.Context(), key("c1"), "me", c.moved, allReceived)
			if err != nil {
				t.Fatal(err)
			}
			reads := map[string]int{}
			for _, operation := range []string{calls, rows} {
				if n := ts.calls[operation]; n > 0 {
					reads[operation] = n
				}
			}
			if diff := cmp.Diff(c.calls, reads); diff != "" {
				t.Errorf("reads (-want +got)\n%s", diff)
			}
			hint := ts.hint(snapshot.AllReceived)
			switch {
			case (len(checked.Pending) > 0) != (c.hints == ""):
				t.Errorf("pending: %+v", checked.Pending)
			case c.hints == "notified" && !hint.Notified, c.hints != "notified" && c.hints != "" &&
				hint.Collection != c.hints:
				t.Errorf("the hint is %+v, want %q", hint, c.hints)
			case c.hints != "notified" && checked.Blocker != c.hints:
				t.Errorf("blocked by %q, want %q", checked.Blocker, c.hints)
			}
		})
	}
}

func (ts *testStore) setHint(kind snapshot.Kind, hint snapshot.Hint) {
	ts.Helper()
	name := map[snapshot.Kind]string{snapshot.AllReceived: "AllReceived", snapshot.AllSuccessful: "AllSuccessful"}[kind]
	ts.write(table.Write{Ref: ts.tables.Ledger.At("run", run), Set: map[string]any{
		name + "Blocker": hint.Collection, name + "BlockerSetBy": hint.By, name + "Notified": hint.Notified}})
}

// The blocker moves after it was read and before it becomes the hint. Its own check saw the old hint and stopped, so
// the check that sets the hint reads the row again and continues.
func TestTheBlockerMovesBeforeTheHintIsSet(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c0")
		ts.rows("Received Sent Sent")
		setsHint := func(call tabletest.Call) bool { return ts.isUpdate("run")(call) }
		ts.meanwhile(setsHint, func() {
			for _, c := range []string{"c1", "c2"} {
				ts.row(c, "Received", 0)
				ts.check(c, c, true, allReceived) // sees c0 as the hint
			}
			ts.wantSent()
		})
		ts.check("c0", "me", true, allReceived)
		ts.wantSent(notification(snapshot.AllReceived, 0))
	})
}

// Another check changes the hint after it was read: it is not overwritten.
func TestTheHintMovesMeanwhile(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c0")
		ts.rows("Received Sent Received Sent")
		ts.meanwhile(ts.isUpdate("run"),
			func() { ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c3", By: "other"}) })
		if checked := ts.check("c0", "me", true, allReceived); checked.Blocker != "c3" ||
			ts.hint(snapshot.AllReceived).Collection != "c3" {
			ts.Errorf("got %+v, hint %+v", checked, ts.hint(snapshot.AllReceived))
		}
	})
}

// A stale walk costs another read and hides no blocker.
func TestAStaleWalkHidesNothing(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t) // whose reads that are not consistent see the state before the last write
	ts.register("c0")
	ts.rows("Sent Sent Sent Sent Sent")
	for i := range 5 {
		ts.row(fmt.Sprint("c", i), "Received", 0)
	}
	ts.check("c0", "me", true, allReceived)
	ts.wantSent(notification(snapshot.AllReceived, 0))

	ts = newMemoryStore(t)
	ts.register("c0")
	ts.rows("Received Received Received Received")
	ts.row("c2", "Sent", 0) // after it was read as received
	if checked := ts.check("c0", "me", true, allReceived); checked.Blocker != "c2" {
		t.Errorf("got %+v", checked)
	}
	ts.wantSent()
}
