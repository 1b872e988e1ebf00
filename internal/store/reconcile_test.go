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

// counted makes a row with FilesSent, and counts as many files.
func (ts *testStore) counted(collection, status string, files int) {
	ts.Helper()
	ts.row(collection, status, int64(files))
	ts.count(receipts(collection, "m", files)...)
}

func TestReconcileMovesACompleteCollection(t *testing.T) {
	for sent, want := range map[string]string{"Sent": "Received", "SENT": "RECEIVED", "sent": "received"} {
		t.Run(sent, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.counted("a", sent, 2)
				at := ts.reconcile("a", "me")
				ts.wantRow("a", status(want))
				out := request("a", 0)
				if diff := cmp.Diff(&out, at.Pending); diff != "" || !at.Moved() {
					ts.Errorf("moved %v, pending (-want +got)\n%s", at.Moved(), diff)
				}
				if diff := cmp.Diff([]snapshot.Kind{snapshot.AllReceived}, at.Check); diff != "" {
					ts.Error(diff)
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
			everywhere(t, func(ts *testStore) {
				ts.row("a", c.status, c.sent)
				ts.count(receipts("a", "m", 2)...)
				before := ts.stands("a")
				at := ts.reconcile("a", "me")
				if diff := cmp.Diff(before, ts.stands("a")); diff != "" {
					ts.Error(diff)
				}
				if at.Moved() || at.Pending != nil || at.Check != nil || ts.ledger("a").Request.Version.Set {
					ts.Errorf("got %+v, request %+v", at, ts.ledger("a").Request)
				}
			})
		})
	}
}

// The notifications to check after each status.
func TestWhatToCheckTheRunFor(t *testing.T) {
	t.Parallel()
	first, both := []snapshot.Kind{snapshot.AllReceived}, snapshot.Notifications
	for status, want := range map[string][]snapshot.Kind{"Sent": nil, "Exported": nil, "Received": first,
		"RECEIVED": first, "Success": both,
		"Blocked_Topic": both, "TABLE_UNAVAILABLE": nil} {
		ts := newMemoryStore(t, "Blocked_Topic")
		ts.row("a", status, 0)
		if diff := cmp.Diff(want, ts.reconcile("a", "me").Check); diff != "" {
			t.Errorf("%s: %s", status, diff)
		}
	}
}

// A process may end at any call, before or after it took effect: another reconciliation finishes the work, and so does
// a retry of the same one. The request is sent once.
func TestTheNextReconciliationFinishesTheWork(t *testing.T) {
	for name, given := range map[string]func(ts *testStore){
		"complete":            func(ts *testStore) { ts.counted("a", "Sent", 2) },
		"the row lacks files": func(ts *testStore) { ts.countAndDie("a", 2) },
		"with an early success file": func(ts *testStore) {
			ts.counted("a", "Sent", 2)
			ts.count(successFile("a", "success"))
		},
		"after a reset": func(ts *testStore) {
			ts.counted("a", "Sent", 2)
			ts.exportAgain("a")
			ts.row("a", "Sent", 1)
			ts.count(receipt("a", "new"))
		},
		"of a predecessor": func(ts *testStore) {
			ts.register("b")
			ts.row("a", "Sent", 2)
			ts.predecessorCounts("a", 2)
		},
		"of a lost ledger": func(ts *testStore) { ts.register("b"); ts.counted("a", "Sent", 2); ts.loseLedger("a") },
		"after monitoring was notified": func(ts *testStore) {
			ts.register("a")
			ts.counted("a", "Sent", 2)
			ts.execute("a", "earlier")
			ts.wantSent(request("a", 0), notification(snapshot.AllReceived, 0))
			ts.exportAgain("a")
			ts.row("a", "Sent", 1)
			ts.count(receipt("a", "new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, next := range []string{"me", "other"} {
				everyCrash(t, given, func(ts *testStore) error {
					_, err := ts.store.Reconcile(ts.Context(), key("a"), "me")
					return err
				}, func(ts *testStore) {
					if next == "other" {
						ts.pass(store.DefaultLease) // for what the first one enqueued
					}
					at := ts.reconcile("a", next)
					if at.Pending == nil {
						if next == "other" && ts.ledger("a").Request.PendingOf("me", ts.ledger("a").Request.Version.N) {
							t.Error("the first one's request stays")
						}
						at.Pending = &snapshot.Outgoing{}
					}
					if at.Pending.Kind != snapshot.SuccessFileRequest || !ts.deliver(*at.Pending, next) {
						t.Errorf("%s does not deliver the request: %+v", next, at)
					}
					want := "Received"
					if name == "with an early success file" {
						want = "Success"
					}
					ts.wantRow("a", status(want))
					if again := ts.reconcile("a", "third"); again.Pending != nil || again.Moved() {
						t.Errorf("again: %+v", again)
					}
					if run := ts.theRun(); name == "after monitoring was notified" &&
						(run.Generation != 1 || len(run.Reopened) != 1 || run.Hints[snapshot.AllReceived].Notified) {
						t.Errorf("run %+v", run)
					}
				})
			}
		})
	}
}

// countAndDie makes a row and counts files, and the process ends before it syncs the row.
func (ts *testStore) countAndDie(collection string, files int) {
	ts.Helper()
	ts.row(collection, "Sent", int64(files))
	state := ts.read(collection)
	ts.crashesBefore(2, ts.isUpdate("row")) // after the adoption
	_, err := ts.store.Count(ts.Context(), "first", state, receipts(collection, "m", files))
	ts.recovers()
	if err == nil || ts.ledger(collection).Counted != int64(files) {
		ts.Fatalf("crashed elsewhere: %v", err)
	}
}

func TestReconcileSyncsTheRow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.countAndDie("a", 2)
		ts.wantRow("a", received(0))
		ts.reconcile("a", "me")
		ts.wantRow("a", table.Item{"FilesReceived": int64(2), "SyncedFiles": int64(2), "CollectionStatus": "Received"})
	})
}

func TestAnEarlySuccessFileTakesEffectAfterTheMove(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 1)
		ts.count(successFile("a", "success"))
		ts.reconcile("a", "early")
		ts.wantRow("a", status("Sent"))
		ts.count(receipt("a", "one"))
		at := ts.reconcile("a", "me")
		ts.wantRow("a", status("Success"))
		if at.Pending == nil {
			ts.Error("the request was forgotten over the early success file")
		}
		if diff := cmp.Diff(snapshot.Notifications, at.Check); diff != "" {
			ts.Error(diff)
		}
	})
}

func TestSentOverReceivedAndOverSuccess(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.reconcile("a", "first")
		ts.deliver(request("a", 0), "first")
		ts.row("a", "Sent", 1)
		if at := ts.reconcile("a", "second"); !at.Moved() || at.Pending != nil {
			ts.Errorf("got %+v", at)
		}
		ts.wantRow("a", status("Received"))
		ts.count(successFile("a", "success"))
		ts.reconcile("a", "third")
		ts.row("a", "Sent", 1)
		ts.reconcile("a", "fourth")
		ts.wantRow("a", status("Success"))
		if entry := ts.ledger("a").Request; entry.Owner != "first" || !entry.Delivered {
			ts.Errorf("the request was enqueued again: %+v", entry)
		}
	})
}

// The move is conditional on every value that it depends on.
func TestMoveHoldsNothingThatChanged(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"status": {"CollectionStatus": "Exporting"}, "FilesSent": {"FilesSent": int64(5)},
		"FilesReceived": {"FilesReceived": int64(0)},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				ts.counted("a", "Sent", 1)
				ts.meanwhile(ts.isUpdate("row"), func() { ts.overwrite("a", change) })
				if at := ts.reconcile("a", "me"); at.Moved() || ts.stands("a")["CollectionStatus"] == "Received" {
					ts.Errorf("moved although %v was written in between", change)
				}
			})
		})
	}
}

// A success file of the previous epoch does not move a collection that was reset after the row was read.
func TestMoveToSuccessHoldsNothingIfTheEpochChanged(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"set back": {"FilesReceived": int64(0)}, "adopted anew": {"EpochStart": int64(1), "SyncedFiles": int64(0),
			"FilesReceived": int64(0)},
		"counted in another epoch": {"EpochStart": int64(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := newMemoryStore(t)
			ts.counted("a", "Sent", 1)
			ts.reconcile("a", "first")
			ts.deliver(request("a", 0), "first")
			ts.count(successFile("a", "success"))
			ts.meanwhile(ts.isUpdate("row"), func() { ts.overwrite("a", change) })
			ts.reconcile("a", "second")
			ts.wantRow("a", status("Received"))
		})
	}
}

// A row that changes before every move makes the reconciliation fail.
func TestReconcileGivesUp(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.counted("a", "Sent", 30)
	ts.before = func(call tabletest.Call) error {
		if ts.isUpdate("row")(call) {
			ts.row("a", "Sent", int64(ts.calls["Update row"]%20+1))
		}
		return nil
	}
	if _, err := ts.store.Reconcile(t.Context(), key("a"), "me"); err == nil || !strings.Contains(err.Error(),
		"not finished after 20 steps") {
		t.Errorf("got %v", err)
	}
}

// Before a run's first message, its collections are another system's. A deployment beside that system, whose stream
// shows every Sent, writes nothing.
func TestRowsOfOthersAreLeftAlone(t *testing.T) {
	for name, given := range map[string]func(ts *testStore){
		"counted by a predecessor": func(ts *testStore) { ts.row("a", "Sent", 3); ts.predecessorCounts("a", 3) },
		"adopted under a ledger that knows nothing of its run": func(ts *testStore) {
			ts.row("a", "Sent", 3)
			ts.overwrite("a", map[string]any{"FilesReceived": int64(3), "SyncedFiles": int64(3),
				"EpochStart": int64(0)})
		},
		"received by others": func(ts *testStore) { ts.row("a", "Received", 3); ts.predecessorCounts("a", 3) },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				given(ts)
				before := ts.stands("a")
				at := ts.reconcile("a", "me")
				if diff := cmp.Diff(before, ts.stands("a")); diff != "" || at.Pending != nil || at.Moved() ||
					ts.calls["Update"] > 0 {
					ts.Errorf("got %+v by %v\n%s", at, ts.calls, diff)
				}
			})
		})
	}
}

// A deleted row lets its run be checked if it is the blocker.
func TestADeletedRow(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		if at := ts.reconcile("a", "me"); at.Row != nil || at.Check != nil {
			ts.Errorf("of no run: %+v", at)
		}
		ts.register("a")
		if diff := cmp.Diff(snapshot.Notifications, ts.reconcile("a", "me").Check); diff != "" {
			ts.Errorf("the run waits for it: %s", diff)
		}
		if at := ts.reconcile("b", "me"); at.Check != nil {
			ts.Errorf("the run waits for another: %+v", at)
		}
		ts.row("b", "Received", 0)
		ts.check("b", "me", false, []snapshot.Kind{snapshot.AllReceived})
		if diff := cmp.Diff([]snapshot.Kind{snapshot.AllSuccessful}, ts.reconcile("a", "me").Check); diff != "" {
			ts.Errorf("monitoring is notified of the first: %s", diff)
		}
	})
}
