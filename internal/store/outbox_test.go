package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// messages are the kinds of message. pending is the owner's one that is to be delivered now, nil for none.
var messages = map[string]struct {
	given   func(ts *testStore)
	pending func(ts *testStore, owner string) *snapshot.Outgoing
}{
	"request": {func(ts *testStore) { ts.register("a"); ts.counted("a", "Sent", 1) },
		func(ts *testStore, owner string) *snapshot.Outgoing { return ts.reconcile("a", owner).Pending }},
	"notification": {func(ts *testStore) { ts.register("a"); ts.row("a", "Received", 0) },
		func(ts *testStore, owner string) *snapshot.Outgoing {
			return first(ts.pending("a", owner, allReceived))
		}},
	"alert": {func(ts *testStore) { ts.register("a"); ts.row("a", "Sent", 9); ts.examine("me"); ts.pass(time.Hour) },
		func(ts *testStore, owner string) *snapshot.Outgoing { return first(ts.examine(owner).Alerts) }},
}

func first(pending []snapshot.Outgoing) *snapshot.Outgoing {
	if len(pending) == 0 {
		return nil
	}
	return &pending[0]
}

// pendingOfMe makes a message of this kind pending.
func (ts *testStore) pendingOfMe(kind string) snapshot.Outgoing {
	ts.Helper()
	messages[kind].given(ts)
	return *messages[kind].pending(ts, "me")
}

// A message has one owner at a time: the first, and after its lease another. With EXPRESS the lease is shorter.
func TestAMessageHasOneOwner(t *testing.T) {
	if store.ExpressLease >= store.DefaultLease {
		t.Error("with EXPRESS the lease is to be shorter")
	}
	for name, kind := range messages {
		for _, lease := range []time.Duration{store.DefaultLease, store.ExpressLease} {
			t.Run(fmt.Sprint(name, lease), func(t *testing.T) {
				everywhere(t, func(ts *testStore) {
					ts.configure(store.Settings{Lease: lease})
					kind.given(ts)
					out := kind.pending(ts, "first")
					want := func(owner string, pending bool) {
						ts.Helper()
						if got := kind.pending(ts, owner); (got != nil) != pending || pending && *got != *out {
							ts.Errorf("pending for %s: %+v, want %v", owner, got, pending)
						}
					}
					want("next", false)
					want("first", true)
					ts.pass(lease - time.Second)
					want("next", false)
					ts.pass(time.Second)
					want("next", true)
					want("first", false)
					if ts.deliver(*out, "first") {
						ts.Error("the late owner sent it too")
					}
					ts.deliver(*out, "next")
					ts.pass(2 * lease)
					want("third", false)
					ts.wantSent(*out)
				})
			})
		}
	}
}

// The owner delivers a message, and once, with the Export of the collection's latest message or of the run's first one.
// After a failure to send it stays pending.
func TestDeliver(t *testing.T) {
	latest := snapshot.Export{SnapshotType: "incremental", ExportDate: "NIFI_HEARTBEAT", ReprocessFiles: true}
	for name := range messages {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				out, want, broken := ts.pendingOfMe(name), export, errors.New("the queue is away")
				second := receipt("a", "two")
				second.Message.Export = latest
				ts.count(second)
				if name == "request" {
					want = latest
				}
				ts.pass(2 * store.DefaultLease) // no other owner took it over
				if ts.deliver(out, "another") {
					ts.Error("another delivered it")
				}
				sent, err := ts.store.Deliver(ts.Context(), out, "me", func(got snapshot.Export) error {
					if got != want {
						ts.Errorf("sent %+v, want %+v", got, want)
					}
					return broken
				})
				if sent || !errors.Is(err, broken) {
					ts.Errorf("sent %v: %v", sent, err)
				}
				if !ts.deliver(out, "me") || ts.deliver(out, "me") {
					ts.Error("the owner delivers it, and once")
				}
				out.Version++
				if ts.deliver(out, "me") {
					ts.Error("delivered another version")
				}
			})
		})
	}
}

// A process that ends before the mark sends again, one that ends after it does not.
func TestDeliverAfterACrash(t *testing.T) {
	for name := range messages {
		t.Run(name, func(t *testing.T) {
			var out snapshot.Outgoing
			everyCrash(t, func(ts *testStore) { out = ts.pendingOfMe(name) }, func(ts *testStore) error {
				_, err := ts.tryDeliver(out, "me")
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

// deliverWhile delivers a message of "me", and does something between sending and marking it.
func (ts *testStore) deliverWhile(out snapshot.Outgoing, do func()) {
	ts.Helper()
	sent, err := ts.store.Deliver(ts.Context(), out, "me", func(snapshot.Export) error { do(); return nil })
	if err != nil || !sent {
		ts.Errorf("sent %v, %v", sent, err)
	}
}

// The lease ends while the owner sends: both owners send the message, with one event id, and either mark holds.
func TestALateOwner(t *testing.T) {
	ts := newStore(t)
	out := ts.pendingOfMe("request")
	ts.deliverWhile(out, func() {
		ts.pass(store.DefaultLease)
		if at := ts.reconcile("a", "next"); at.Pending == nil || *at.Pending != out {
			t.Errorf("the next owner: %+v", at)
		}
	})
	if ts.deliver(out, "next") {
		t.Error("the next owner sends what is delivered by now")
	}
}

// A mark for an older version does not change the newer entry.
func TestALateMarkOfAnOlderVersion(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.deliverWhile(ts.pendingOfMe("request"), func() { ts.sentAgain("a", "new"); ts.reconcile("a", "other") })
		if entry := ts.ledger("a").Request; !entry.PendingOf("other", 1) {
			ts.Errorf("got %+v", entry)
		}
	})
}

// The run is reopened while its notification is sent: that one is delivered, and the next generation's is due.
func TestALateMarkOfAnOlderGeneration(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.deliverWhile(ts.pendingOfMe("notification"),
			func() { ts.counted("b", "Sent", 1); ts.reconcile("b", "other") })
		run := ts.theRun()
		if run.Generation != 1 || run.Hints[snapshot.AllReceived].Notified ||
			!run.Outbox[snapshot.AllReceived].Settles(0) {
			ts.Errorf("got %+v", run)
		}
		ts.check("b", "other", allReceived)
		ts.wantSent(notification(snapshot.AllReceived, 1))
	})
}

// An item that TTL deleted meanwhile is not made again.
func TestDeliverMakesNoItem(t *testing.T) {
	for name := range messages {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				out, ref := ts.pendingOfMe(name), ts.runRef()
				if out.Kind == snapshot.SuccessFileRequest {
					ref = ts.collectionRef("a")
				}
				ts.deliverWhile(out, func() { ts.put(ref, nil) })
				if item := ts.item(ref); item != nil || ts.deliver(out, "me") {
					ts.Errorf("there is %v, or it was sent again", item)
				}
			})
		})
	}
}

// A refused enqueue that finds its own entry took effect before: the message is the owner's.
func TestAnEnqueueWhoseAnswerWasLost(t *testing.T) {
	ts := newStore(t)
	ts.counted("a", "Sent", 1)
	ts.triedTwice(ts.updates("collection"))
	if at := ts.reconcile("a", "me"); at.Pending == nil || ts.before != nil {
		t.Errorf("request: %+v", at)
	}
	ts = newStore(t)
	ts.register("a")
	ts.row("a", "Received", 0)
	ts.triedTwice(ts.updates("run"))
	ts.check("a", "me", allReceived)
	ts.wantSent(notification(snapshot.AllReceived, 0))
}
