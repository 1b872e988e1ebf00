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

// Notifications about a run.

// The only blocker is on the last page.
func TestCheckReadsEveryPage(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c00")
		for i := range 14 {
			ts.row(fmt.Sprintf("c%02d", i), "Received", 0)
			ts.overwrite(fmt.Sprintf("c%02d", i), map[string]any{"OfOthers": strings.Repeat("x", 100_000)})
		}
		ts.row("c13", "Sent", 0)
		if checked := ts.check("c00", "me", true, allReceived); checked.Blocker != "c13" {
			ts.Errorf("got %+v", checked)
		}
		if ts.calls["Query"] < 2 {
			ts.Errorf("the rows came in %d pages; the test needs more than one", ts.calls["Query"])
		}
		ts.wantSent()
		ts.row("c13", "Received", 0)
		ts.check("c13", "me", true, allReceived)
		ts.wantSent(notification(snapshot.AllReceived, 0))
	})
}

// A notification goes out only after every row was read strongly consistent.
func TestTheWholeReadingIsConsistent(t *testing.T) {
	t.Parallel()
	ts := newTestStore(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"))
	spy := &consistency{DB: ts.db}
	ts.hooks.DB = spy
	ts.register("c0")
	ts.rows("Received Received Received")
	ts.check("c0", "me", true, allReceived)
	ts.wantSent(notification(snapshot.AllReceived, 0))
	if spy.consistent < 2 || spy.stale > 2 {
		t.Errorf("%d pages were read consistently, %d not", spy.consistent, spy.stale)
	}
}

// A malformed row blocks its run with an error, unless another row blocks it.
func TestCheckOfAMalformedRow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c0")
		ts.rows("Received Received Sent")
		ts.overwrite("c1", map[string]any{"FilesSent": "two"})
		ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c0"})
		_, err := ts.store.Check(ts.Context(), key("c0"), "me", true, allReceived)
		var malformed *failure.Malformed
		if err != nil && !errors.As(err, &malformed) {
			ts.Errorf("got %v", err)
		}
		ts.row("c2", "Received", 0)
		ts.setHint(snapshot.AllReceived, snapshot.Hint{Collection: "c0"})
		_, err = ts.store.Check(ts.Context(), key("c0"), "me", true, allReceived)
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"c1"`) {
			ts.Errorf("got %v, want an error that names the row", err)
		}
		ts.wantSent()
	})
}

func TestOneOwnsTheNotification(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c0")
		ts.rows("Received")
		check := func(owner string) []snapshot.Outgoing {
			checked, err := ts.store.Check(ts.Context(), key("c0"), owner, true, allReceived)
			if err != nil {
				ts.Fatal(err)
			}
			return checked.Pending
		}
		want := bothOf(0)[:1]
		for _, c := range []struct {
			owner string
			want  []snapshot.Outgoing
		}{{"first", want}, {"second", nil}, {"first", want}} {
			if diff := cmp.Diff(c.want, check(c.owner)); diff != "" {
				ts.Errorf("%s: %s", c.owner, diff)
			}
		}
		ts.pass(store.DefaultLease)
		if diff := cmp.Diff(want, check("next")); diff != "" {
			ts.Error(diff)
		}
		if ts.deliver(want[0], "first") {
			ts.Error("the late owner sent it too")
		}
		ts.deliver(want[0], "next")
		ts.pass(2 * store.DefaultLease)
		if got := check("later"); got != nil {
			ts.Errorf("later: %v", got)
		}
		ts.wantSent(want...)
		if !ts.hint(snapshot.AllReceived).Notified {
			ts.Error("the hint does not say so")
		}
	})
}

// An enqueued notification is delivered even if a row has gone back meanwhile.
func TestAnEnqueuedNotificationIsDeliveredAfterARowWentBack(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("c0")
		ts.rows("Success Success")
		if _, err := ts.store.Check(ts.Context(), key("c0"), "me", true, both); err != nil {
			ts.Fatal(err)
		}
		ts.row("c1", "Received", 0)
		ts.check("c0", "me", false, both)
		ts.wantSent(bothOf(0)...)
	})
}

func TestARunWithoutRowsOrWithoutMessagesNotifiesNothing(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Success", 1)
		ts.check("a", "me", true, both) // the run is not registered
		ts.register("a")
		ts.remove("a")
		ts.check("a", "me", true, both)
		ts.wantSent()
	})
}

// Concurrent completions: one notification of each kind, delivered.
func TestCompletionsAtOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		const collections = 8
		ts.register("c0")
		for i := range collections {
			ts.row(fmt.Sprint("c", i), "Success", 0)
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		pending := map[snapshot.Outgoing]int{}
		for i := range collections {
			group.Go(func() {
				name := fmt.Sprint("c", i)
				checked, err := ts.another().Check(ts.Context(), key(name), name, true, both)
				if err != nil {
					ts.Error(err)
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
			ts.Error(diff)
		}
	})
}

// consistency counts a table's consistent and other queries.
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
