package store_test

import (
	"errors"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// pendingRequest is a world in which "me" has to deliver a request.
func pendingRequest(w *world) snapshot.Outgoing {
	w.Helper()
	w.register("a")
	w.counted("a", "Sent", 1)
	at := w.reconcile("a", "me")
	if at.Pending == nil {
		w.Fatal("nothing is pending")
	}
	return *at.Pending
}

// pendingNotification is a world in which "me" has to deliver the notification that all is received.
func pendingNotification(w *world) snapshot.Outgoing {
	w.Helper()
	w.register("a")
	w.row("a", "Received", 0)
	checked, err := w.store.Check(w.Context(), key("a"), "me", false, []snapshot.Kind{snapshot.AllReceived})
	if err != nil || len(checked.Pending) != 1 {
		w.Fatal(checked, err)
	}
	return checked.Pending[0]
}

// pendingAlert is a world in which "me" has to deliver an alert.
func pendingAlert(w *world) snapshot.Outgoing {
	w.Helper()
	w.register("a")
	w.row("a", "Sent", 9)
	w.examine("me")
	w.pass(time.Hour)
	found := w.examine("me")
	if found.Alert == nil {
		w.Fatal("nothing is pending")
	}
	return *found.Alert
}

var pendings = map[string]func(*world) snapshot.Outgoing{"request": pendingRequest, "notification": pendingNotification,
	"alert": pendingAlert}

func TestDeliver(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				out := pending(w)
				w.pass(2 * store.DefaultLease) // nobody else wanted it
				if w.deliver(out, "another") {
					w.Error("another delivered it")
				}
				if !w.deliver(out, "me") || w.deliver(out, "me") {
					w.Error("the owner delivers it, and once")
				}
				w.wantSent(out)
				later := out
				later.Version++
				if w.deliver(later, "me") {
					w.Error("delivered another version")
				}
			})
		})
	}
}

// What the export's messages said goes out: of a collection the latest, of a run the first.
func TestDeliverSaysWhatTheMessagesSaid(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMemoryWorld(t)
			out := pending(w)
			var got snapshot.Export
			if _, err := w.store.Deliver(t.Context(), out, "me",
				func(export snapshot.Export) error { got = export; return nil }); err != nil {
				t.Fatal(err)
			}
			if got != said {
				t.Errorf("said %+v", got)
			}
		})
	}
}

func TestTheRequestRepeatsTheLatestMessage(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.count(receipt("a", "one"))
		second := receipt("a", "two")
		second.Message.Export = snapshot.Export{SnapshotType: "incremental", ExportDate: "NIFI_HEARTBEAT",
			ReprocessFiles: true}
		w.count(second)
		out, got := request("a", 0), snapshot.Export{}
		w.reconcile("a", "me")
		if _, err := w.store.Deliver(w.Context(), out, "me",
			func(export snapshot.Export) error { got = export; return nil }); err != nil ||
			got != second.Message.Export {
			w.Errorf("said %+v, %v", got, err)
		}
	})
}

// Sending failed: it stays pending. Whoever dies before the mark sends again, and after it nobody does.
func TestDeliverIsTriedAgain(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMemoryWorld(t)
			out, broken := pending(w), errors.New("the queue is away")
			sent, err := w.store.Deliver(t.Context(), out, "me", func(snapshot.Export) error { return broken })
			if sent || !errors.Is(err, broken) {
				t.Errorf("sent %v: %v", sent, err)
			}
			everyDeath(t, func(w *world) { pending(w) }, func(w *world) error {
				_, err := w.store.Deliver(w.Context(), out, "me",
					func(snapshot.Export) error { w.sent[out]++; return nil })
				return err
			}, func(w *world) {
				w.deliver(out, "me")
				if n := w.sent[out]; n < 1 || n > 2 {
					t.Errorf("sent %d times", n)
				}
				if w.deliver(out, "me") {
					t.Error("not marked as delivered")
				}
			})
		})
	}
}

// The lease ended while the owner was sending: both send the message, with one event id, and either mark holds.
func TestAnOwnerThatIsLate(t *testing.T) {
	everywhere(t, func(w *world) {
		out := pendingRequest(w)
		_, err := w.store.Deliver(w.Context(), out, "me", func(snapshot.Export) error {
			w.pass(store.DefaultLease)
			if at := w.reconcile("a", "heir"); at.Pending == nil || *at.Pending != out {
				w.Errorf("the heir: %+v", at)
			}
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
		if w.deliver(out, "heir") {
			w.Error("the heir sends what is delivered by now")
		}
	})
}

// A mark for an older version leaves the newer entry alone.
func TestALateMarkOfAnOlderVersion(t *testing.T) {
	everywhere(t, func(w *world) {
		out := pendingRequest(w)
		_, err := w.store.Deliver(w.Context(), out, "me", func(snapshot.Export) error {
			w.exportAgain("a")
			w.row("a", "Sent", 1)
			w.count(receipt("a", "new"))
			w.reconcile("a", "other")
			return nil
		})
		if entry := w.ledger("a").Request; err != nil || !entry.PendingOf("other", 1) {
			w.Errorf("%+v, %v", entry, err)
		}
	})
}

// The run was reopened while its notification went out: it is delivered, and the next generation's is due all the same.
func TestALateMarkOfAnOlderGeneration(t *testing.T) {
	everywhere(t, func(w *world) {
		out := pendingNotification(w)
		_, err := w.store.Deliver(w.Context(), out, "me", func(snapshot.Export) error {
			w.counted("b", "Sent", 1)
			w.reconcile("b", "other")
			return nil
		})
		run := w.theRun()
		if err != nil || run.Generation != 1 || run.Hints[snapshot.AllReceived].Notified ||
			!run.Outbox[snapshot.AllReceived].Settles(0) {
			w.Errorf("%+v, %v", run, err)
		}
		w.check("b", "other", true, []snapshot.Kind{snapshot.AllReceived})
		w.wantSent(notification(snapshot.AllReceived, 1))
	})
}

// What TTL took away meanwhile is not made anew.
func TestDeliverMakesNoItem(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				out := pending(w)
				ref := w.tables.Ledger.At("run", run)
				if out.Kind == snapshot.SuccessFileRequest {
					ref = w.collectionRef("a")
				}
				sent, err := w.store.Deliver(w.Context(), out, "me",
					func(snapshot.Export) error { w.put(ref, nil); return nil })
				if item := w.item(ref); !sent || err != nil || item != nil {
					w.Errorf("sent %v, %v, and there is %v", sent, err, item)
				}
				if w.deliver(out, "me") {
					w.Error("sent what is not there")
				}
			})
		})
	}
}

// Enqueuing found that an earlier try of its own had taken effect: the message is the owner's.
func TestAnEnqueueWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	lost := func(w *world) { // the SDK tries again, and is refused by its own write
		w.before = func(call tabletest.Call) error {
			if call.Operation == "Update" && (w.isUpdate("collection")(call) || w.isUpdate("run")(call)) {
				w.before = nil
				w.write(call.Write)
			}
			return nil
		}
	}
	w := newMemoryWorld(t)
	w.counted("a", "Sent", 1)
	lost(w)
	if at := w.reconcile("a", "me"); at.Pending == nil || w.before != nil {
		t.Errorf("request: %+v", at)
	}
	w = newMemoryWorld(t)
	w.register("a")
	w.row("a", "Received", 0)
	lost(w)
	w.check("a", "me", true, []snapshot.Kind{snapshot.AllReceived})
	w.wantSent(notification(snapshot.AllReceived, 0))
}

func TestALeaseOfAnotherLength(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	express := store.New(w.hooks, w.tables, store.Settings{Lease: store.ExpressLease,
		Now: func() time.Time { return w.now }})
	w.counted("a", "Sent", 1)
	if _, err := express.Reconcile(t.Context(), key("a"), "dead"); err != nil {
		t.Fatal(err)
	}
	w.pass(store.ExpressLease)
	if w.reconcile("a", "heir").Pending == nil {
		t.Error("not taken over")
	}
	if store.ExpressLease >= store.DefaultLease {
		t.Error("with EXPRESS the lease is to be shorter")
	}
}
