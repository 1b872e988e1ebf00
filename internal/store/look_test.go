package store_test

import (
	"sync"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func request(collection string, attempt int64) snapshot.Debt {
	return snapshot.Debt{Kind: snapshot.SuccessFileRequest, CollectionKey: key(collection), Attempt: attempt}
}

func (w *world) requestOwed(collection string, attempt int64, claimer string) bool {
	w.Helper()
	_, owed, err := w.debts.Request(w.Context(), request(collection, attempt), claimer)
	if err != nil {
		w.Fatal(err)
	}
	return owed
}

func (w *world) deliver(debt snapshot.Debt) {
	w.Helper()
	if err := w.debts.Delivered(w.Context(), debt); err != nil {
		w.Fatal(err)
	}
}

func TestLookMovesACompleteCollection(t *testing.T) {
	for status, want := range map[string]string{"Sent": "Received", "SENT": "RECEIVED", "sent": "received"} {
		t.Run(status, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", status, 2)
				w.count("a", receipts("a", 2)...)
				state := w.look("a", "me")
				w.wantRow("a", table.Item{"CollectionStatus": want})
				if !state.Collection.Request.HeldBy("me", 0) || !w.requestOwed("a", 0, "me") {
					w.Errorf("the request was not claimed: %+v", state.Collection.Request)
				}
			})
		})
	}
}

func TestLookLeavesOthersAlone(t *testing.T) {
	for _, c := range []struct {
		status string
		sent   int64
	}{{"Sent", 3}, {"Exported", 2}, {"Exporting", 2}, {"Table_Unavailable", 2}, {"Sent", 0}, {"", 2}} {
		t.Run(c.status, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", c.status, c.sent)
				w.count("a", receipts("a", 2)...)
				w.look("a", "me")
				w.wantRow("a", table.Item{"CollectionStatus": c.status, "FilesSent": c.sent})
			})
		})
	}
}

func TestLookClaimsOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.look("a", "first")
		if w.look("a", "second").Collection.Request.HeldBy("second", 0) {
			w.Error("a second claimer took the claim while the first holds it")
		}
		if !w.look("a", "first").Collection.Request.HeldBy("first", 0) {
			w.Error("the first claimer does not recognise its own claim")
		}
		w.deliver(request("a", 0))
		w.now = w.now.Add(2 * snapshot.Lease)
		if w.look("a", "third").Collection.Request.HeldBy("third", 0) {
			w.Error("a delivered request was claimed again")
		}
	})
}

func TestLookTakesOverFromADeadClaimer(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.look("a", "dead")
		w.now = w.now.Add(snapshot.Lease - time.Second)
		if w.look("a", "heir").Collection.Request.HeldBy("heir", 0) {
			w.Error("taken over before the lease ended")
		}
		w.now = w.now.Add(time.Second)
		if !w.look("a", "heir").Collection.Request.HeldBy("heir", 0) {
			w.Error("not taken over after the lease ended")
		}
		if w.requestOwed("a", 0, "dead") {
			w.Error("the late claimer would send too")
		}
	})
}

func TestLooksSideBySideClaimOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		var mu sync.Mutex
		var group sync.WaitGroup
		holders := 0
		for i := range 10 {
			group.Go(func() {
				db := &counting{DB: w.db.DB, calls: map[string]int{}}
				looker := &store.Looker{DB: db, Tables: w.tables, Now: w.looker.Now, Pause: store.Jitter}
				me := string(rune('a' + i))
				state, err := looker.Look(w.Context(), key("a"), me)
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if state.Collection.Request.HeldBy(me, 0) {
					holders++
				}
			})
		}
		group.Wait()
		if holders != 1 {
			w.Errorf("%d of 10 hold the claim", holders)
		}
	})
}

func TestLookBringsTheRowUpToDate(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		state := w.read("a")
		w.dies("Update", 0)
		if _, err := w.counter.Count(w.Context(), "e", state, receipts("a", 2)); err == nil {
			w.Fatal("nothing died")
		}
		w.revives()
		w.look("a", "me")
		w.wantRow("a", table.Item{"FilesReceived": int64(2), "FilesCounted": int64(2), "CollectionStatus": "Received"})
	})
}

func TestEarlySuccessFileTakesEffectAfterTheMove(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", successFile("a", "success"))
		w.look("a", "early")
		w.wantRow("a", table.Item{"CollectionStatus": "Sent"})
		w.count("a", receipt("a", "one"))
		state := w.look("a", "me")
		w.wantRow("a", table.Item{"CollectionStatus": "Success"})
		if !state.Collection.Request.HeldBy("me", 0) {
			w.Error("the request was forgotten over the early success file")
		}
	})
}

// The claimer died, and the collection went on to Success meanwhile: the debt is still paid.
func TestRequestStaysOwedAfterSuccess(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"), successFile("a", "success"))
		w.look("a", "dead")
		w.wantRow("a", table.Item{"CollectionStatus": "Success"})
		w.now = w.now.Add(snapshot.Lease)
		if !w.look("a", "heir").Collection.Request.HeldBy("heir", 0) {
			w.Error("nobody pays the dead claimer's debt")
		}
	})
}

func TestSentOverReceivedAndOverSuccess(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.look("a", "first")
		w.deliver(request("a", 0))
		w.overwrite("a", map[string]any{"CollectionStatus": "Sent"})
		w.look("a", "second")
		w.wantRow("a", table.Item{"CollectionStatus": "Received"})
		w.count("a", successFile("a", "success"))
		w.look("a", "third")
		w.overwrite("a", map[string]any{"CollectionStatus": "Sent"})
		state := w.look("a", "fourth")
		w.wantRow("a", table.Item{"CollectionStatus": "Success"})
		if claim := state.Collection.Request; claim.By != "first" || !claim.Delivered {
			w.Errorf("the request was claimed again: %+v", claim)
		}
	})
}

func TestANewAttemptIsAskedForAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"), successFile("a", "success"))
		w.look("a", "first")
		w.deliver(request("a", 0))
		w.wantRow("a", table.Item{"CollectionStatus": "Success"})

		w.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(0), "FilesSent": int64(1)})
		w.count("a", receipt("a", "two"))
		state := w.look("a", "second")
		w.wantRow("a", table.Item{"CollectionStatus": "Received"}) // the old success file is not this attempt's
		if !state.Collection.Request.HeldBy("second", 1) {
			w.Errorf("the request of attempt 1 was not claimed: %+v", state.Collection.Request)
		}
	})
}

// A collection of no files is moved by the sender itself, and nobody asks for it.
func TestACollectionThatNothingWasCountedForIsNotAskedFor(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Received", 0)
		if claim := w.look("a", "me").Collection.Request; claim.Attempt.Set {
			w.Errorf("claimed %+v", claim)
		}
	})
}

// The move is conditional on all that it was decided on.
func TestMoveHoldsNothingThatChanged(t *testing.T) {
	for _, change := range []map[string]any{
		{"CollectionStatus": "Exporting"}, {"FilesSent": int64(5)}, {"FilesReceived": int64(0)},
	} {
		everywhere(t, func(w *world) {
			w.row("a", "Sent", 1)
			w.count("a", receipt("a", "one"))
			once := sync.OnceFunc(func() { w.overwrite("a", change) })
			w.db.fail = func(call string) error {
				if call == "Update" {
					once()
				}
				return nil
			}
			w.look("a", "me")
			if status := w.stands("a")["CollectionStatus"]; status == "Received" {
				w.Errorf("moved although %v was written in between", change)
			}
		})
	}
}

// FilesCounted tells the attempt: a success file of the one before does not move a collection of which a file of the next
// was counted after the row was read.
func TestMoveToSuccessHoldsNothingIfTheAttemptChanged(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.look("a", "first")
		w.deliver(request("a", 0))
		w.count("a", successFile("a", "success"))
		once := sync.OnceFunc(func() { w.overwrite("a", map[string]any{"FilesCounted": int64(2)}) })
		w.db.fail = func(call string) error {
			if call == "Update" {
				once()
			}
			return nil
		}
		w.look("a", "second")
		w.wantRow("a", table.Item{"CollectionStatus": "Received"})
	})
}
