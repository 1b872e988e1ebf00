package store_test

import (
	"errors"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// pendingRequest is a store with a pending request of "me".
func pendingRequest(ts *testStore) snapshot.Outgoing {
	ts.Helper()
	ts.register("a")
	ts.counted("a", "Sent", 1)
	at := ts.reconcile("a", "me")
	if at.Pending == nil {
		ts.Fatal("nothing is pending")
	}
	return *at.Pending
}

// pendingNotification is a store with a pending notification ALL_RECEIVED of "me".
func pendingNotification(ts *testStore) snapshot.Outgoing {
	ts.Helper()
	ts.register("a")
	ts.row("a", "Received", 0)
	checked, err := ts.store.Check(ts.Context(), key("a"), "me", false, []snapshot.Kind{snapshot.AllReceived})
	if err != nil || len(checked.Pending) != 1 {
		ts.Fatal(checked, err)
	}
	return checked.Pending[0]
}

// pendingAlert is a store with a pending alert of "me".
func pendingAlert(ts *testStore) snapshot.Outgoing {
	ts.Helper()
	ts.register("a")
	ts.row("a", "Sent", 9)
	ts.examine("me")
	ts.pass(time.Hour)
	found := ts.examine("me")
	if len(found.Alerts) != 1 {
		ts.Fatal("nothing is pending")
	}
	return found.Alerts[0]
}

var pendings = map[string]func(*testStore) snapshot.Outgoing{"request": pendingRequest,
	"notification": pendingNotification,
	"alert":        pendingAlert}

func TestDeliver(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				out := pending(ts)
				ts.pass(2 * store.DefaultLease) // no other owner took it over
				if ts.deliver(out, "another") {
					ts.Error("another delivered it")
				}
				if !ts.deliver(out, "me") || ts.deliver(out, "me") {
					ts.Error("the owner delivers it, and once")
				}
				ts.wantSent(out)
				later := out
				later.Version++
				if ts.deliver(later, "me") {
					ts.Error("delivered another version")
				}
			})
		})
	}
}

// A message goes out with the Export of the collection's latest message, or of the run's first one.
func TestDeliverSendsTheExport(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := newMemoryStore(t)
			out := pending(ts)
			var got snapshot.Export
			if _, err := ts.store.Deliver(t.Context(), out, "me",
				func(export snapshot.Export) error { got = export; return nil }); err != nil {
				t.Fatal(err)
			}
			if got != export {
				t.Errorf("said %+v", got)
			}
		})
	}
}

func TestTheRequestRepeatsTheLatestMessage(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 2)
		ts.count(receipt("a", "one"))
		second := receipt("a", "two")
		second.Message.Export = snapshot.Export{SnapshotType: "incremental", ExportDate: "NIFI_HEARTBEAT",
			ReprocessFiles: true}
		ts.count(second)
		out, got := request("a", 0), snapshot.Export{}
		ts.reconcile("a", "me")
		if _, err := ts.store.Deliver(ts.Context(), out, "me",
			func(export snapshot.Export) error { got = export; return nil }); err != nil ||
			got != second.Message.Export {
			ts.Errorf("said %+v, %v", got, err)
		}
	})
}

// After a failure to send, the message stays pending. A process that ends before the mark sends again, one that ends
// after it does not.
func TestDeliverIsRetried(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := newMemoryStore(t)
			out, broken := pending(ts), errors.New("the queue is away")
			sent, err := ts.store.Deliver(t.Context(), out, "me", func(snapshot.Export) error { return broken })
			if sent || !errors.Is(err, broken) {
				t.Errorf("sent %v: %v", sent, err)
			}
			everyCrash(t, func(ts *testStore) { pending(ts) }, func(ts *testStore) error {
				_, err := ts.store.Deliver(ts.Context(), out, "me",
					func(snapshot.Export) error { ts.sent[out]++; return nil })
				return err
			}, func(ts *testStore) {
				ts.deliver(out, "me")
				if n := ts.sent[out]; n < 1 || n > 2 {
					t.Errorf("sent %d times", n)
				}
				if ts.deliver(out, "me") {
					t.Error("not marked as delivered")
				}
			})
		})
	}
}

// The lease ends while the owner sends: both owners send the message, with one event id, and either mark holds.
func TestALateOwner(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		out := pendingRequest(ts)
		_, err := ts.store.Deliver(ts.Context(), out, "me", func(snapshot.Export) error {
			ts.pass(store.DefaultLease)
			if at := ts.reconcile("a", "next"); at.Pending == nil || *at.Pending != out {
				ts.Errorf("the next owner: %+v", at)
			}
			return nil
		})
		if err != nil {
			ts.Fatal(err)
		}
		if ts.deliver(out, "next") {
			ts.Error("the next owner sends what is delivered by now")
		}
	})
}

// A mark for an older version does not change the newer entry.
func TestALateMarkOfAnOlderVersion(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		out := pendingRequest(ts)
		_, err := ts.store.Deliver(ts.Context(), out, "me", func(snapshot.Export) error {
			ts.exportAgain("a")
			ts.row("a", "Sent", 1)
			ts.count(receipt("a", "new"))
			ts.reconcile("a", "other")
			return nil
		})
		if entry := ts.ledger("a").Request; err != nil || !entry.PendingOf("other", 1) {
			ts.Errorf("%+v, %v", entry, err)
		}
	})
}

// The run is reopened while its notification is sent: that one is delivered, and the next generation's is due.
func TestALateMarkOfAnOlderGeneration(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		out := pendingNotification(ts)
		_, err := ts.store.Deliver(ts.Context(), out, "me", func(snapshot.Export) error {
			ts.counted("b", "Sent", 1)
			ts.reconcile("b", "other")
			return nil
		})
		run := ts.theRun()
		if err != nil || run.Generation != 1 || run.Hints[snapshot.AllReceived].Notified ||
			!run.Outbox[snapshot.AllReceived].Settles(0) {
			ts.Errorf("%+v, %v", run, err)
		}
		ts.check("b", "other", true, []snapshot.Kind{snapshot.AllReceived})
		ts.wantSent(notification(snapshot.AllReceived, 1))
	})
}

// An item that TTL deleted meanwhile is not made again.
func TestDeliverMakesNoItem(t *testing.T) {
	for name, pending := range pendings {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				out := pending(ts)
				ref := ts.tables.Ledger.At("run", run)
				if out.Kind == snapshot.SuccessFileRequest {
					ref = ts.collectionRef("a")
				}
				sent, err := ts.store.Deliver(ts.Context(), out, "me",
					func(snapshot.Export) error { ts.put(ref, nil); return nil })
				if item := ts.item(ref); !sent || err != nil || item != nil {
					ts.Errorf("sent %v, %v, and there is %v", sent, err, item)
				}
				if ts.deliver(out, "me") {
					ts.Error("sent what is not there")
				}
			})
		})
	}
}

// A refused enqueue that finds its own entry took effect before: the message is the owner's.
func TestAnEnqueueWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	lost := func(ts *testStore) { // the SDK tries again, and is refused by its own write
		ts.before = func(call tabletest.Call) error {
			if call.Operation == "Update" && (ts.isUpdate("collection")(call) || ts.isUpdate("run")(call)) {
				ts.before = nil
				ts.write(call.Write)
			}
			return nil
		}
	}
	ts := newMemoryStore(t)
	ts.counted("a", "Sent", 1)
	lost(ts)
	if at := ts.reconcile("a", "me"); at.Pending == nil || ts.before != nil {
		t.Errorf("request: %+v", at)
	}
	ts = newMemoryStore(t)
	ts.register("a")
	ts.row("a", "Received", 0)
	lost(ts)
	ts.check("a", "me", true, []snapshot.Kind{snapshot.AllReceived})
	ts.wantSent(notification(snapshot.AllReceived, 0))
}

func TestALeaseOfAnotherLength(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	express := store.New(ts.hooks, ts.tables, store.Settings{Lease: store.ExpressLease,
		Now: func() time.Time { return ts.now }})
	ts.counted("a", "Sent", 1)
	if _, err := express.Reconcile(t.Context(), key("a"), "first"); err != nil {
		t.Fatal(err)
	}
	ts.pass(store.ExpressLease)
	if ts.reconcile("a", "next").Pending == nil {
		t.Error("not taken over")
	}
	if store.ExpressLease >= store.DefaultLease {
		t.Error("with EXPRESS the lease is to be shorter")
	}
}
