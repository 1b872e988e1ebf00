package store_test

import (
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// Of a collection's request: who enqueues it, when, and who delivers it.

// A collection that was moved has its request, whoever dies in between: the entry is written before the move.
func TestTheRequestStandsBeforeTheMove(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		moved := false
		w.before = func(call tabletest.Call) error {
			if w.isUpdate("row")(call) {
				moved = true
				if entry := w.ledger("a").Request; !entry.PendingOf("me", 0) {
					w.Errorf("at the move the request is %+v", entry)
				}
			}
			return nil
		}
		w.reconcile("a", "me")
		if !moved {
			w.Error("did not move")
		}
	})
}

// Before the row is Received the request is nobody's to deliver.
func TestTheRequestIsNotDueBeforeTheMove(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.counted("a", "Sent", 1)
	w.diesBefore(0, w.isUpdate("row"))
	if _, err := w.store.Reconcile(t.Context(), key("a"), "dead"); err == nil {
		t.Fatal("nothing died")
	}
	w.revives()
	w.row("a", "Sent", 2)
	w.pass(2 * store.DefaultLease)
	if at := w.reconcile("a", "other"); at.Pending != nil {
		t.Errorf("pending: %+v", at.Pending)
	}
	w.count(receipt("a", "second"))
	at := w.reconcile("a", "other")
	w.wantRow("a", status("Received"))
	if out := request("a", 0); at.Pending == nil || *at.Pending != out {
		t.Errorf("pending: %+v", at.Pending)
	}
}

func TestOneOwnsTheRequest(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		if w.reconcile("a", "first").Pending == nil {
			w.Error("the first does not own its request")
		}
		if w.reconcile("a", "second").Pending != nil {
			w.Error("a second owner took the request while the first one's lease lasts")
		}
		again := w.reconcile("a", "first")
		if again.Pending == nil || again.Moved {
			w.Errorf("the first, again: %+v", again)
		}
		w.deliver(request("a", 0), "first")
		w.pass(2 * store.DefaultLease)
		if w.reconcile("a", "third").Pending != nil {
			w.Error("a delivered request was taken over")
		}
		w.wantSent(request("a", 0))
	})
}

func TestTheRequestOfADeadOwnerIsTakenOver(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		w.reconcile("a", "dead")
		w.pass(store.DefaultLease - time.Second)
		if w.reconcile("a", "heir").Pending != nil {
			w.Error("taken over before the lease ended")
		}
		w.pass(time.Second)
		if w.reconcile("a", "heir").Pending == nil {
			w.Error("not taken over after the lease ended")
		}
		if w.deliver(request("a", 0), "dead") {
			w.Error("the late owner sent it too")
		}
		w.deliver(request("a", 0), "heir")
		w.wantSent(request("a", 0))
	})
}

func TestReconciliationsAtOnceEnqueueOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		var mu sync.Mutex
		var group sync.WaitGroup
		owners, moves := 0, 0
		for i := range 10 {
			group.Go(func() {
				at, err := w.another().Reconcile(w.Context(), key("a"), string(rune('a'+i)))
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if at.Pending != nil {
					owners++
				}
				if at.Moved {
					moves++
				}
			})
		}
		group.Wait()
		if owners != 1 || moves != 1 {
			w.Errorf("%d of 10 own the request, %d moved the collection", owners, moves)
		}
	})
}

// FilesSent grew between the entry and the move: the owner gives up its lease, and whoever moves the collection then
// delivers at once.
func TestTheRequestIsReleasedWhenFilesSentGrows(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		w.meanwhile(w.isUpdate("row"), func() { w.row("a", "Sent", 2) })
		if at := w.reconcile("a", "first"); at.Pending != nil || at.Moved {
			w.Errorf("got %+v", at)
		}
		if entry := w.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			w.Errorf("the request is %+v, want it given up", entry)
		}
		w.revives()
		w.count(receipt("a", "second"))
		at := w.reconcile("a", "second")
		w.wantRow("a", status("Received"))
		if at.Pending == nil || !w.deliver(*at.Pending, "second") {
			w.Errorf("got %+v, want the request to be the second's", at)
		}
		w.wantSent(request("a", 0))
	})
}

// While the owner gives up its lease, another completes the collection and moves it: the request is delivered by one of
// them.
func TestGivingUpTheLeaseWhileAnotherMoves(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.counted("a", "Sent", 1)
	w.meanwhile(w.isUpdate("row"), func() { w.row("a", "Sent", 2) })
	release := func(call tabletest.Call) bool {
		return w.isUpdate("collection")(call) && call.Write.Set["RequestOwner"] == ""
	}
	first := w.before
	w.before = func(call tabletest.Call) error {
		if release(call) {
			w.before = nil
			w.count(receipt("a", "second"))
			if at := w.reconcile("a", "other"); !at.Moved || at.Pending != nil {
				t.Errorf("the other: %+v", at)
			}
			return nil
		}
		return first(call)
	}
	at := w.reconcile("a", "first")
	if w.before != nil {
		t.Fatal("the lease was not given up")
	}
	w.wantRow("a", status("Received"))
	// The release took effect after the other's move, so the first sees it and takes its request back.
	if at.Pending == nil || !w.deliver(*at.Pending, "first") {
		t.Errorf("nobody delivers the request: %+v", at)
	}
}

// The owner died, and the collection went on to Success meanwhile: the request is still pending.
func TestARequestStaysPendingAfterSuccess(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count(receipt("a", "one"), successFile("a", "success"))
		w.reconcile("a", "dead")
		w.wantRow("a", status("Success"))
		w.pass(store.DefaultLease)
		if w.reconcile("a", "heir").Pending == nil {
			w.Error("nobody delivers the dead owner's request")
		}
	})
}

func TestANewExportIsRequestedAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		w.count(successFile("a", "success"))
		w.reconcile("a", "first")
		w.deliver(request("a", 0), "first")
		w.wantRow("a", status("Success"))

		w.exportAgain("a")
		w.row("a", "Sent", 1)
		w.count(receipt("a", "new"))
		at := w.reconcile("a", "second")
		w.wantRow("a", status("Received")) // the old success file is not this epoch's
		if at.Pending == nil || *at.Pending != request("a", 1) {
			w.Errorf("pending: %+v", at.Pending)
		}
		w.count(successFile("a", "success again"))
		w.reconcile("a", "third")
		w.wantRow("a", status("Success"))
	})
}

// The old export's request is void once the counter is set back: nobody delivers it.
func TestARequestOfAnotherEpochIsVoid(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 2)
		w.reconcile("a", "dead")
		w.exportAgain("a")
		w.row("a", "Sent", 2)
		w.count(receipt("a", "new"))
		w.pass(store.DefaultLease)
		if at := w.reconcile("a", "heir"); at.Pending != nil {
			w.Errorf("pending: %+v", at.Pending)
		}
	})
}

// A collection without files is moved by the sender itself, and nobody requests its success file, which comes by
// itself.
func TestACollectionWithoutFiles(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register("a")
		w.row("a", "Received", 0)
		if at := w.reconcile("a", "me"); at.Pending != nil || w.ledger("a").Known {
			w.Errorf("got %+v", at)
		}
		w.count(successFile("a", "success"))
		w.reconcile("a", "me")
		w.wantRow("a", status("Success"))
		if entry := w.ledger("a").Request; entry.Version.Set {
			w.Errorf("requested: %+v", entry)
		}
	})
}
