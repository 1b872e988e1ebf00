package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// When monitoring is notified, and by whom.

// A page ends at 1 MB, and the one collection that blocks may stand on the last of them.
func TestCheckReadsEveryPage(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c00")
		for i := range 14 {
			w.row(fmt.Sprintf("c%02d", i), "Received", 0)
			w.overwrite(fmt.Sprintf("c%02d", i), map[string]any{"OfOthers": strings.Repeat("x", 100_000)})
		}
		w.row("c13", "Sent", 0)
		if checked := w.check("c00", "me", true, allReceived); checked.Blocker != "c13" {
			w.Errorf("got %+v", checked)
		}
		if w.calls["Query"] < 2 {
			w.Errorf("the rows came in %d pages; the test needs more than one", w.calls["Query"])
		}
		w.wantSent()
		w.row("c13", "Received", 0)
		w.check("c13", "me", true, allReceived)
		w.wantSent(notification(snapshot.AllReceived, 0))
	})
}

// A notification goes out only after every row was read strongly consistent.
func TestTheWholeReadingIsConsistent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"))
	spy := &consistency{DB: w.db}
	w.hooks.DB = spy
	w.register("c0")
	w.rows("Received Received Received")
	w.check("c0", "me", true, allReceived)
	w.wantSent(notification(snapshot.AllReceived, 0))
	if spy.consistent < 2 || spy.stale > 2 {
		t.Errorf("%d pages were read consistently, %d not", spy.consistent, spy.stale)
	}
}

// A row that breaks the table's contract blocks its run with an error, unless another blocks it anyway.
func TestCheckOfAMalformedRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c0")
		w.rows("Received Received Sent")
		w.overwrite("c1", map[string]any{"FilesSent": "two"})
		w.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c0"})
		_, err := w.store.Check(w.Context(), key("c0"), "me", true, allReceived)
		var malformed *failure.Malformed
		if err != nil && !errors.As(err, &malformed) {
			w.Errorf("got %v", err)
		}
		w.row("c2", "Received", 0)
		w.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c0"})
		_, err = w.store.Check(w.Context(), key("c0"), "me", true, allReceived)
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"c1"`) {
			w.Errorf("got %v, want an error that names the row", err)
		}
		w.wantSent()
	})
}

func TestOneOwnsTheNotification(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c0")
		w.rows("Received")
		check := func(owner string) []snapshot.Outgoing {
			checked, err := w.store.Check(w.Context(), key("c0"), owner, true, allReceived)
			if err != nil {
				w.Fatal(err)
			}
			return checked.Pending
		}
		want := bothOf(0)[:1]
		for _, c := range []struct {
			owner string
			want  []snapshot.Outgoing
		}{{"first", want}, {"second", nil}, {"first", want}} {
			if diff := cmp.Diff(c.want, check(c.owner)); diff != "" {
				w.Errorf("%s: %s", c.owner, diff)
			}
		}
		w.pass(store.DefaultLease)
		if diff := cmp.Diff(want, check("heir")); diff != "" {
			w.Error(diff)
		}
		if w.deliver(want[0], "first") {
			w.Error("the late owner sent it too")
		}
		w.deliver(want[0], "heir")
		w.pass(2 * store.DefaultLease)
		if got := check("later"); got != nil {
			w.Errorf("later: %v", got)
		}
		w.wantSent(want...)
		if !w.hint(snapshot.AllReceived).Notified {
			w.Error("the hint does not say so")
		}
	})
}

// What it enqueued was true then, and is delivered although a row has gone back meanwhile.
func TestWhatWasEnqueuedIsDeliveredAlsoIfARowWentBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("c0")
		w.rows("Success Success")
		if _, err := w.store.Check(w.Context(), key("c0"), "me", true, both); err != nil {
			w.Fatal(err)
		}
		w.row("c1", "Received", 0)
		w.check("c0", "me", false, both)
		w.wantSent(bothOf(0)...)
	})
}

func TestARunWithoutRowsOrWithoutMessagesNotifiesNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Success", 1)
		w.check("a", "me", true, both) // nobody registered the run
		w.register("a")
		w.remove("a")
		w.check("a", "me", true, both)
		w.wantSent()
	})
}

// However many complete their collections at once: one notification of each kind, and somebody delivers it.
func TestCompletionsAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		const collections = 8
		w.register("c0")
		for i := range collections {
			w.row(fmt.Sprint("c", i), "Success", 0)
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		pending := map[snapshot.Outgoing]int{}
		for i := range collections {
			group.Go(func() {
				name := fmt.Sprint("c", i)
				checked, err := w.another().Check(w.Context(), key(name), name, true, both)
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, out := range checked.Pending {
					pending[out]++
				}
			})
		}
		group.Wait()
		if diff := cmp.Diff(map[snapshot.Outgoing]int{bothOf(0)[0]: 1, bothOf(0)[1]: 1}, pending); diff != "" {
			w.Error(diff)
		}
	})
}

// consistency counts how a table's pages are asked for.
type consistency struct {
	table.DB
	consistent, stale int
}

func (c *consistency) Query(ctx context.Context, query table.Query) (table.Page, error) {
	if query.Consistent {
		c.consistent++
	} else {
		c.stale++
	}
	return c.DB.Query(ctx, query)
}
