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

// rows makes rows with these statuses, called c0, c1 …
func (w *world) rows(statuses string) {
	w.Helper()
	for i, status := range strings.Fields(statuses) {
		w.row(fmt.Sprint("c", i), status, 0)
	}
}

func (w *world) hint(kind snapshot.Kind) snapshot.Hint {
	w.Helper()
	return w.theRun().Hints[kind]
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
			everywhere(t, func(w *world) {
				w.exempt = c.exempt
				w.store = w.another()
				w.register("c0")
				w.rows(c.statuses)
				w.check("c0", "me", true, snapshot.Notifications)
				w.wantSent(c.want...)
			})
		})
	}
}

// Registering sets the hints to the first message's collection, if that is not done, and changes nothing of a run that
// is registered.
func TestRegisterRun(t *testing.T) {
	for status, want := range map[string][2]string{"Sent": {"a", "a"}, "Received": {"", "a"}, "SUCCESS": {"", ""},
		"Blocked_Topic": {"", ""}} {
		t.Run(status, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.exempt = []snapshot.Status{"Blocked_Topic"}
				w.store = w.another()
				register := func(row snapshot.Row, export snapshot.Export) {
					if err := w.store.RegisterRun(w.Context(), row, export); err != nil {
						w.Fatal(err)
					}
				}
				register(snapshot.Row{CollectionKey: key("a"), Status: snapshot.Status(status)}, said)
				first := w.theRun()
				if got := [2]string{first.Hints[snapshot.AllReceived].Collection,
					first.Hints[snapshot.AllSuccessful].Collection}; got != want {
					w.Errorf("hints %q, want %q", got, want)
				}
				if first.CorrelationID != run || first.Export != said || !first.RegisteredAt.Equal(w.now) {
					w.Errorf("got %+v", first)
				}
				w.pass(1000)
				register(snapshot.Row{CollectionKey: key("b"), Status: "Exporting"},
					snapshot.Export{SnapshotType: "incremental", ExportDate: "later"})
				if diff := cmp.Diff(first, w.theRun()); diff != "" {
					w.Errorf("registered again: %s", diff)
				}
			})
		})
	}
}

// What each state of the hint costs, and leads to. The run is of c0 to c3; c1 asks.
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
		"unknown": {"Received Received Sent Received", snapshot.Hint{}, true,
			map[string]int{calls: 2, rows: 1}, "c2"},
		"unknown, and all are done": {"Received Success Received Received", snapshot.Hint{}, true,
			map[string]int{calls: 1, rows: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, &memory.DB{}, store.NewTables("status", "ledger"))
			w.register("c0")
			w.rows(c.statuses)
			w.rows(c.statuses) // so that a reading that is not consistent sees them too
			w.setHint(snapshot.AllReceived, c.hint)
			clear(w.calls)
			checked, err := w.store.Check(t.Context(), key("c1"), "me", c.moved, allReceived)
			if err != nil {
				t.Fatal(err)
			}
			reads := map[string]int{}
			for _, operation := range []string{calls, rows} {
				if n := w.calls[operation]; n > 0 {
					reads[operation] = n
				}
			}
			if diff := cmp.Diff(c.calls, reads); diff != "" {
				t.Errorf("reads (-want +got)\n%s", diff)
			}
			hint := w.hint(snapshot.AllReceived)
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

func (w *world) setHint(kind snapshot.Kind, hint snapshot.Hint) {
	w.Helper()
	name := map[snapshot.Kind]string{snapshot.AllReceived: "AllReceived", snapshot.AllSuccessful: "AllSuccessful"}[kind]
	w.write(table.Write{Ref: w.tables.Ledger.At("run", run), Set: map[string]any{
		name + "Blocker": hint.Collection, name + "BlockerSetBy": hint.By, name + "Notified": hint.Notified}})
}

// The blocker moved after it was read and before the hint was set to it. Its mover saw the old hint and stopped: so the
// one who set the hint reads the row once more, and goes on.
func TestTheBlockerMovesBeforeTheHintIsSet(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c0")
		w.rows("Received Sent Sent")
		setsHint := func(call tabletest.Call) bool { return w.isUpdate("run")(call) }
		w.meanwhile(setsHint, func() {
			for _, c := range []string{"c1", "c2"} {
				w.row(c, "Received", 0)
				w.check(c, c, true, allReceived) // sees c0 as the hint
			}
			w.wantSent()
		})
		w.check("c0", "me", true, allReceived)
		w.wantSent(notification(snapshot.AllReceived, 0))
	})
}

// Another moved the hint since it was read: what was found is not written over it.
func TestTheHintMovesMeanwhile(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c0")
		w.rows("Received Sent Received Sent")
		w.meanwhile(w.isUpdate("run"),
			func() { w.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c3", By: "other"}) })
		if checked := w.check("c0", "me", true, allReceived); checked.Blocker != "c3" ||
			w.hint(snapshot.AllReceived).Collection != "c3" {
			w.Errorf("got %+v, hint %+v", checked, w.hint(snapshot.AllReceived))
		}
	})
}

// The walk may read what is old: it costs a reading more, and hides nothing.
func TestAStaleWalkHidesNothing(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t) // whose reads that are not consistent see the state before the last write
	w.register("c0")
	w.rows("Sent Sent Sent Sent Sent")
	for i := range 5 {
		w.row(fmt.Sprint("c", i), "Received", 0)
	}
	w.check("c0", "me", true, allReceived)
	w.wantSent(notification(snapshot.AllReceived, 0))

	w = newMemoryWorld(t)
	w.register("c0")
	w.rows("Received Received Received Received")
	w.row("c2", "Sent", 0) // after it was read as received
	if checked := w.check("c0", "me", true, allReceived); checked.Blocker != "c2" {
		t.Errorf("got %+v", checked)
	}
	w.wantSent()
}
