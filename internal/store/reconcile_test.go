package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

// counted makes a row with so many files sent, and counts them.
func (w *world) counted(collection, status string, files int) {
	w.Helper()
	w.row(collection, status, int64(files))
	w.count(receipts(collection, "m", files)...)
}

func TestReconcileMovesACompleteCollection(t *testing.T) {
	for sent, want := range map[string]string{"Sent": "Received", "SENT": "RECEIVED", "sent": "received"} {
		t.Run(sent, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.counted("a", sent, 2)
				at := w.reconcile("a", "me")
				w.wantRow("a", status(want))
				out := request("a", 0)
				if diff := cmp.Diff(&out, at.Pending); diff != "" || !at.Moved {
					w.Errorf("moved %v, pending (-want +got)\n%s", at.Moved, diff)
				}
				if diff := cmp.Diff([]snapshot.Kind{snapshot.AllReceived}, at.Check); diff != "" {
					w.Error(diff)
				}
			})
		})
	}
}

func TestReconcileLeavesOthersAlone(t *testing.T) {
	for _, c := range []struct {
		status string
		sent   int64
	}{{"Sent", 3}, {"Exported", 2}, {"Exporting", 2}, {"Table_Unavailable", 2}, {"Sent", 0}, {"", 2}} {
		t.Run(c.status, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.row("a", c.status, c.sent)
				w.count(receipts("a", "m", 2)...)
				before := w.stands("a")
				at := w.reconcile("a", "me")
				if diff := cmp.Diff(before, w.stands("a")); diff != "" {
					w.Error(diff)
				}
				if at.Moved || at.Pending != nil || at.Check != nil || w.ledger("a").Request.Version.Set {
					w.Errorf("got %+v, request %+v", at, w.ledger("a").Request)
				}
			})
		})
	}
}

// What a collection's status makes due of the run.
func TestWhatToCheckTheRunFor(t *testing.T) {
	t.Parallel()
	first, both := []snapshot.Kind{snapshot.AllReceived}, snapshot.Notifications
	for status, want := range map[string][]snapshot.Kind{"Sent": nil, "Exported": nil, "Received": first,
		"RECEIVED": first, "Success": both,
		"Blocked_Topic": both, "TABLE_UNAVAILABLE": nil} {
		w := newMemoryWorld(t, "Blocked_Topic")
		w.row("a", status, 0)
		if diff := cmp.Diff(want, w.reconcile("a", "me").Check); diff != "" {
			t.Errorf("%s: %s", status, diff)
		}
	}
}

// Whoever dies at any call, before it or after it took effect: another reconciliation finishes the work, and so does
// the same one when its task runs again. The request goes out once.
func TestReconcileIsFinishedByTheNext(t *testing.T) {
	for name, given := range map[string]func(w *world){
		"complete":            func(w *world) { w.counted("a", "Sent", 2) },
		"the row lacks files": func(w *world) { w.countAndDie("a", 2) },
		"with an early success file": func(w *world) {
			w.counted("a", "Sent", 2)
			w.count(successFile("a",
				"success"))
		},
		"after a reset": func(w *world) {
			w.counted("a", "Sent", 2)
			w.exportAgain("a")
			w.row("a", "Sent", 1)
			w.count(receipt("a", "new"))
		},
		"of a predecessor": func(w *world) { w.register("b"); w.row("a", "Sent", 2); w.predecessorCounts("a", 2) },
		"of a lost ledger": func(w *world) { w.register("b"); w.counted("a", "Sent", 2); w.loseLedger("a") },
		"after monitoring was notified": func(w *world) {
			w.register("a")
			w.counted("a", "Sent", 2)
			w.execute("a", "earlier")
			w.wantSent(request("a", 0), notification(snapshot.AllReceived, 0))
			w.exportAgain("a")
			w.row("a", "Sent", 1)
			w.count(receipt("a", "new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, next := range []string{"me", "other"} {
				everyDeath(t, given, func(w *world) error {
					_, err := w.store.Reconcile(w.Context(), key("a"), "me")
					return err
				}, func(w *world) {
					if next == "other" {
						w.pass(store.DefaultLease) // for what the dead one enqueued
					}
					at := w.reconcile("a", next)
					if at.Pending == nil {
						if next == "other" && w.ledger("a").Request.PendingOf("me", w.ledger("a").Request.Version.N) {
							t.Error("the dead one's request stays")
						}
						at.Pending = &snapshot.Outgoing{}
					}
					if at.Pending.Kind != snapshot.SuccessFileRequest || !w.deliver(*at.Pending, next) {
						t.Errorf("%s does not deliver the request: %+v", next, at)
					}
					want := "Received"
					if name == "with an early success file" {
						want = "Success"
					}
					w.wantRow("a", status(want))
					if again := w.reconcile("a", "third"); again.Pending != nil || again.Moved {
						t.Errorf("again: %+v", again)
					}
					if run := w.theRun(); name == "after monitoring was notified" &&
						(run.Generation != 1 || len(run.Reopened) != 1 || run.Hints[snapshot.AllReceived].Notified) {
						t.Errorf("run %+v", run)
					}
				})
			}
		})
	}
}

// countAndDie makes a row, counts files of it and dies before the row is synced.
func (w *world) countAndDie(collection string, files int) {
	w.Helper()
	w.row(collection, "Sent", int64(files))
	state := w.read(collection)
	w.diesBefore(2, w.isUpdate("row")) // after the adoption
	_, err := w.store.Count(w.Context(), "dead", state, receipts(collection, "m", files))
	w.revives()
	if err == nil || w.ledger(collection).Counted != int64(files) {
		w.Fatalf("died elsewhere: %v", err)
	}
}

func TestReconcileSyncsTheRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.countAndDie("a", 2)
		w.wantRow("a", received(0))
		w.reconcile("a", "me")
		w.wantRow("a", table.Item{"FilesReceived": int64(2), "SyncedFiles": int64(2), "CollectionStatus": "Received"})
	})
}

func TestAnEarlySuccessFileTakesEffectAfterTheMove(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		w.count(successFile("a", "success"))
		w.reconcile("a", "early")
		w.wantRow("a", status("Sent"))
		w.count(receipt("a", "one"))
		at := w.reconcile("a", "me")
		w.wantRow("a", status("Success"))
		if at.Pending == nil {
			w.Error("the request was forgotten over the early success file")
		}
		if diff := cmp.Diff(snapshot.Notifications, at.Check); diff != "" {
			w.Error(diff)
		}
	})
}

func TestSentOverReceivedAndOverSuccess(t *testing.T) {
	everywhere(t, func(w *world) {
		w.counted("a", "Sent", 1)
		w.reconcile("a", "first")
		w.deliver(request("a", 0), "first")
		w.row("a", "Sent", 1)
		if at := w.reconcile("a", "second"); !at.Moved || at.Pending != nil {
			w.Errorf("got %+v", at)
		}
		w.wantRow("a", status("Received"))
		w.count(successFile("a", "success"))
		w.reconcile("a", "third")
		w.row("a", "Sent", 1)
		w.reconcile("a", "fourth")
		w.wantRow("a", status("Success"))
		if entry := w.ledger("a").Request; entry.Owner != "first" || !entry.Delivered {
			w.Errorf("the request was enqueued again: %+v", entry)
		}
	})
}

// The move is conditional on all that it was decided on.
func TestMoveHoldsNothingThatChanged(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"status": {"CollectionStatus": "Exporting"}, "FilesSent": {"FilesSent": int64(5)},
		"FilesReceived": {"FilesReceived": int64(0)},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.counted("a", "Sent", 1)
				w.meanwhile(w.isUpdate("row"), func() { w.overwrite("a", change) })
				if at := w.reconcile("a", "me"); at.Moved || w.stands("a")["CollectionStatus"] == "Received" {
					w.Errorf("moved although %v was written in between", change)
				}
			})
		})
	}
}

// A success file of the epoch before does not move a collection whose counter was set back after the row was read.
func TestMoveToSuccessHoldsNothingIfTheEpochChanged(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"set back": {"FilesReceived": int64(0)}, "adopted anew": {"EpochStart": int64(1), "SyncedFiles": int64(0),
			"FilesReceived": int64(0)},
		"counted in another epoch": {"EpochStart": int64(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMemoryWorld(t)
			w.counted("a", "Sent", 1)
			w.reconcile("a", "first")
			w.deliver(request("a", 0), "first")
			w.count(successFile("a", "success"))
			w.meanwhile(w.isUpdate("row"), func() { w.overwrite("a", change) })
			w.reconcile("a", "second")
			w.wantRow("a", status("Received"))
		})
	}
}

// A row that changes before every move ends the reconciliation with an error.
func TestReconcileGivesUp(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.counted("a", "Sent", 30)
	w.before = func(call tabletest.Call) error {
		if w.isUpdate("row")(call) {
			w.row("a", "Sent", int64(w.calls["Update row"]%20+1))
		}
		return nil
	}
	if _, err := w.store.Reconcile(t.Context(), key("a"), "me"); err == nil || !strings.Contains(err.Error(),
		"not at rest after 20 steps") {
		t.Errorf("got %v", err)
	}
}

// As long as no message of a run has come here, its collections are others': a deployment beside them, whose stream
// sees every Sent, writes nothing.
func TestRowsOfOthersAreLeftAlone(t *testing.T) {
	for name, given := range map[string]func(w *world){
		"counted by a predecessor": func(w *world) { w.row("a", "Sent", 3); w.predecessorCounts("a", 3) },
		"adopted under a ledger that knows nothing of its run": func(w *world) {
			w.row("a", "Sent", 3)
			w.overwrite("a", map[string]any{"FilesReceived": int64(3), "SyncedFiles": int64(3), "EpochStart": int64(0)})
		},
		"received by others": func(w *world) { w.row("a", "Received", 3); w.predecessorCounts("a", 3) },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				given(w)
				before := w.stands("a")
				at := w.reconcile("a", "me")
				if diff := cmp.Diff(before, w.stands("a")); diff != "" || at.Pending != nil || at.Moved ||
					w.calls["Update"] > 0 {
					w.Errorf("got %+v by %v\n%s", at, w.calls, diff)
				}
			})
		})
	}
}

// A row that is gone lets its run be checked if that waits for it.
func TestARowThatIsGone(t *testing.T) {
	everywhere(t, func(w *world) {
		if at := w.reconcile("a", "me"); at.Row != nil || at.Check != nil {
			w.Errorf("of no run: %+v", at)
		}
		w.register("a")
		if diff := cmp.Diff(snapshot.Notifications, w.reconcile("a", "me").Check); diff != "" {
			w.Errorf("the run waits for it: %s", diff)
		}
		if at := w.reconcile("b", "me"); at.Check != nil {
			w.Errorf("the run waits for another: %+v", at)
		}
		w.row("b", "Received", 0)
		w.check("b", "me", false, []snapshot.Kind{snapshot.AllReceived})
		if diff := cmp.Diff([]snapshot.Kind{snapshot.AllSuccessful}, w.reconcile("a", "me").Check); diff != "" {
			w.Errorf("monitoring is notified of the first: %s", diff)
		}
	})
}
