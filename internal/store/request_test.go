package store_test

import (
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// The request of a collection: when it is enqueued, and which owner delivers it.

// A moved collection has its request, wherever the process ends: the entry is written before the move.
func TestTheRequestStandsBeforeTheMove(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		moved := false
		ts.before = func(call tabletest.Call) error {
			if ts.isUpdate("row")(call) {
				moved = true
				if entry := ts.ledger("a").Request; !entry.PendingOf("me", 0) {
					ts.Errorf("at the move the request is %+v", entry)
				}
			}
			return nil
		}
		ts.reconcile("a", "me")
		if !moved {
			ts.Error("did not move")
		}
	})
}

// The request is not due before the row is Received.
func TestTheRequestIsNotDueBeforeTheMove(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.counted("a", "Sent", 1)
	ts.crashesBefore(0, ts.isUpdate("row"))
	if _, err := ts.store.Reconcile(t.Context(), key("a"), "first"); err == nil {
		t.Fatal("nothing crashed")
	}
	ts.recovers()
	ts.row("a", "Sent", 2)
	ts.pass(2 * store.DefaultLease)
	if at := ts.reconcile("a", "other"); at.Pending != nil {
		t.Errorf("pending: %+v", at.Pending)
	}
	ts.count(receipt("a", "second"))
	at := ts.reconcile("a", "other")
	ts.wantRow("a", status("Received"))
	if out := request("a", 0); at.Pending == nil || *at.Pending != out {
		t.Errorf("pending: %+v", at.Pending)
	}
}

func TestOneOwnsTheRequest(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		if ts.reconcile("a", "first").Pending == nil {
			ts.Error("the first does not own its request")
		}
		if ts.reconcile("a", "second").Pending != nil {
			ts.Error("a second owner took the request while the first one's lease lasts")
		}
		again := ts.reconcile("a", "first")
		if again.Pending == nil || again.Moved() {
			ts.Errorf("the first, again: %+v", again)
		}
		ts.deliver(request("a", 0), "first")
		ts.pass(2 * store.DefaultLease)
		if ts.reconcile("a", "third").Pending != nil {
			ts.Error("a delivered request was taken over")
		}
		ts.wantSent(request("a", 0))
	})
}

func TestARequestIsTakenOverAfterItsLease(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.reconcile("a", "first")
		ts.pass(store.DefaultLease - time.Second)
		if ts.reconcile("a", "next").Pending != nil {
			ts.Error("taken over before the lease ended")
		}
		ts.pass(time.Second)
		if ts.reconcile("a", "next").Pending == nil {
			ts.Error("not taken over after the lease ended")
		}
		if ts.deliver(request("a", 0), "first") {
			ts.Error("the late owner sent it too")
		}
		ts.deliver(request("a", 0), "next")
		ts.wantSent(request("a", 0))
	})
}

func TestReconciliationsAtOnceEnqueueOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		var mu sync.Mutex
		var group sync.WaitGroup
		owners, moves := 0, 0
		for i := range 10 {
			group.Go(func() {
				at, err := ts.another().Reconcile(ts.Context(), key("a"), string(rune('a'+i)))
				if err != nil {
					ts.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if at.Pending != nil {
					owners++
				}
				if at.Moved() {
					moves++
				}
			})
		}
		group.Wait()
		if owners != 1 || moves != 1 {
			ts.Errorf("%d of 10 own the request, %d moved the collection", owners, moves)
		}
	})
}

// FilesSent grows between the entry and the move: the owner releases its lease, and the owner that moves the collection
// later delivers at once.
func TestTheRequestIsReleasedWhenFilesSentGrows(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.meanwhile(ts.isUpdate("row"), func() { ts.row("a", "Sent", 2) })
		if at := ts.reconcile("a", "first"); at.Pending != nil || at.Moved() {
			ts.Errorf("got %+v", at)
		}
		if entry := ts.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			ts.Errorf("the request is %+v, want it released", entry)
		}
		ts.recovers()
		ts.count(receipt("a", "second"))
		at := ts.reconcile("a", "second")
		ts.wantRow("a", status("Received"))
		if at.Pending == nil || !ts.deliver(*at.Pending, "second") {
			ts.Errorf("got %+v, want the request to be the second's", at)
		}
		ts.wantSent(request("a", 0))
	})
}

// While the owner releases its lease, another completes and moves the collection: one of them delivers the request.
func TestReleasingTheLeaseWhileAnotherMoves(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.counted("a", "Sent", 1)
	ts.meanwhile(ts.isUpdate("row"), func() { ts.row("a", "Sent", 2) })
	release := func(call tabletest.Call) bool {
		return ts.isUpdate("collection")(call) && call.Write.Set["RequestOwner"] == ""
	}
	first := ts.before
	ts.before = func(call tabletest.Call) error {
		if release(call) {
			ts.before = nil
			ts.count(receipt("a", "second"))
			if at := ts.reconcile("a", "other"); !at.Moved() || at.Pending != nil {
				t.Errorf("the other: %+v", at)
			}
			return nil
		}
		return first(call)
	}
	at := ts.reconcile("a", "first")
	if ts.before != nil {
		t.Fatal("the lease was not released")
	}
	ts.wantRow("a", status("Received"))
	// The release took effect after the other's move, so the first owner finds the request due and leases it again.
	if at.Pending == nil || !ts.deliver(*at.Pending, "first") {
		t.Errorf("no owner delivers the request: %+v", at)
	}
}

// The owner ends, and the collection moves to Success meanwhile: the request is still pending.
func TestARequestStaysPendingAfterSuccess(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 1)
		ts.count(receipt("a", "one"), successFile("a", "success"))
		ts.reconcile("a", "first")
		ts.wantRow("a", status("Success"))
		ts.pass(store.DefaultLease)
		if ts.reconcile("a", "next").Pending == nil {
			ts.Error("no owner delivers the first owner's request")
		}
	})
}

func TestANewExportIsRequestedAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.count(successFile("a", "success"))
		ts.reconcile("a", "first")
		ts.deliver(request("a", 0), "first")
		ts.wantRow("a", status("Success"))

		ts.exportAgain("a")
		ts.row("a", "Sent", 1)
		ts.count(receipt("a", "new"))
		at := ts.reconcile("a", "second")
		ts.wantRow("a", status("Received")) // the old success file is not this epoch's
		if at.Pending == nil || *at.Pending != request("a", 1) {
			ts.Errorf("pending: %+v", at.Pending)
		}
		ts.count(successFile("a", "success again"))
		ts.reconcile("a", "third")
		ts.wantRow("a", status("Success"))
	})
}

// After a reset of the counter, the old export's request is void.
func TestARequestOfAnotherEpochIsVoid(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 2)
		ts.reconcile("a", "first")
		ts.exportAgain("a")
		ts.row("a", "Sent", 2)
		ts.count(receipt("a", "new"))
		ts.pass(store.DefaultLease)
		if at := ts.reconcile("a", "next"); at.Pending != nil {
			ts.Errorf("pending: %+v", at.Pending)
		}
	})
}

// The sender moves a collection without files itself. No success file is requested for it.
func TestACollectionWithoutFiles(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Received", 0)
		if at := ts.reconcile("a", "me"); at.Pending != nil || ts.ledger("a").Known {
			ts.Errorf("got %+v", at)
		}
		ts.count(successFile("a", "success"))
		ts.reconcile("a", "me")
		ts.wantRow("a", status("Success"))
		if entry := ts.ledger("a").Request; entry.Version.Set {
			ts.Errorf("requested: %+v", entry)
		}
	})
}
