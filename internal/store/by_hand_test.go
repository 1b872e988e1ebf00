package store_test

import (
	"errors"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func (ts *testStore) abandon(reason string) snapshot.Abandonment {
	ts.Helper()
	abandoned, err := ts.store.Abandon(ts.Context(), run, reason)
	if err != nil {
		ts.Fatal(err)
	}
	if abandoned.Reason != reason || ts.theRun().ByHand != abandoned {
		ts.Fatalf("stored %+v, want %+v", ts.theRun().ByHand, abandoned)
	}
	return abandoned
}

func (ts *testStore) resume() bool {
	ts.Helper()
	resumed, err := ts.store.Resume(ts.Context(), run)
	if err != nil {
		ts.Fatal(err)
	}
	return resumed
}

// wantEnded examines the run and expects that the sweep passes it by, or not.
func (ts *testStore) wantEnded(want bool) store.Examination {
	ts.Helper()
	state, err := ts.store.Run(ts.Context(), run)
	if err != nil {
		ts.Fatal(err)
	}
	found := ts.examine("sweep")
	if found.EndedByHand != want || state.EndedByHand(ts.exempt) != want {
		ts.Errorf("passed by %v, shown as ended %v, want %v", found.EndedByHand, state.EndedByHand(ts.exempt), want)
	}
	if want && (found.Open || found.Stalled || found.Late || len(found.Alerts)+len(found.Reconcile) > 0 ||
		!found.PendingSince.IsZero() || found.Malformed != nil) {
		ts.Errorf("passed by, and %+v", found)
	}
	return found
}

// hangs is a run of which all is due: a request whose owner died, a malformed row, an alert.
func hangs(ts *testStore) {
	ts.Helper()
	ts.late = snapshot.LateAfter{"": time.Minute}
	ts.store = ts.another()
	ts.register("a")
	ts.counted("a", "Sent", 1)
	ts.reconcile("a", "dies")
	ts.overwrite("b", map[string]any{"CollectionStatus": "Received", "FilesSent": "two", "FilesReceived": int64(1)})
	ts.row("c", "Sent", 2)
	ts.sweep()
	ts.pass(time.Hour)
	clear(ts.sent)
}

// The sweep does nothing for a run that was ended by hand, at the price of one query, until it is too old.
func TestASweepPassesByWhatWasEndedByHand(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		registered := ts.theRun().RegisteredAt
		ts.abandon("its export failed for good")
		for ts.now.Sub(registered) < snapshot.AbandonedAfter-time.Hour {
			ts.pass(24 * time.Hour)
			ts.wantEnded(true)
		}
		open := ts.openRun()
		clear(ts.calls)
		found, err := ts.store.Examine(ts.Context(), open, "sweep")
		if err != nil || ts.calls["Query"] == 0 || len(ts.calls) != 1 {
			ts.Errorf("%v, calls %v; want the rows to be queried, and no more", err, ts.calls)
		}
		ts.finish(open, found)
		if ts.isOpen() {
			ts.Error("not abandoned by its age")
		}
		ts.wantSent()
		if ts.theRun().ByHand.Reason == "" {
			ts.Error("the reason is lost")
		}
	})
}

// What arrives or moves takes the run up again, with all that is due.
func TestWhatMovesTakesARunUpAgain(t *testing.T) {
	for name, moves := range map[string]func(ts *testStore){
		"a file":           func(ts *testStore) { ts.count(receipt("c", "late")) },
		"a status":         func(ts *testStore) { ts.row("c", "Received", 2) },
		"more files sent":  func(ts *testStore) { ts.row("c", "Sent", 3) },
		"a row":            func(ts *testStore) { ts.row("e", "Exporting", 0) },
		"a row is deleted": func(ts *testStore) { ts.put(ts.tables.Status.At(run, "c"), nil) },
		"a person":         func(ts *testStore) { ts.resume() },
		"the status Sent":  func(ts *testStore) { ts.row("d", "Sent", 2) },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				hangs(ts)
				ts.row("d", "Exported", 2)
				ts.abandon("hopeless")
				ts.wantEnded(true)
				moves(ts)
				found := ts.wantEnded(false)
				if !found.Open || !found.Late || len(found.Reconcile) == 0 || len(found.Alerts) == 0 {
					ts.Errorf("not examined as any other: %+v", found)
				}
				if ts.theRun().ByHand.Reason != "" || ts.resume() {
					ts.Errorf("still stored: %+v", ts.theRun().ByHand)
				}
			})
		})
	}
}

// A malformed item of the ledger changes no row: sweep and commands agree that the run is ended.
func TestAnEndedRunWithAMalformedCollection(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		ts.write(table.Write{Ref: ts.collectionRef("a"), Set: map[string]any{"Pages": "two"}})
		ts.abandon("hopeless")
		ts.wantEnded(true)
	})
}

// A message that only repeats what is counted moves nothing.
func TestADuplicateTakesUpNothing(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.register("a")
		ts.row("a", "Sent", 2)
		ts.count(receipt("a", "one"))
		ts.abandon("hopeless")
		ts.count(receipt("a", "one"))
		ts.wantEnded(true)
	})
}

// A run that finishes after all is done, whatever a person said before.
func TestAnEndedRunThatFinishesIsDone(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a")
		ts.abandon("hopeless")
		ts.export("a", "first ", 1)
		ts.wantSent(append(bothOf(0), request("a", 0))...)
		if found := ts.wantEnded(false); found.Open {
			ts.Errorf("open: %+v", found)
		}
	})
}

// Reopening a run takes it up again, like the first message of another export.
func TestReopeningTakesARunUpAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.runOf("a", "b")
		ts.export("a", "first ", 1)
		ts.row("b", "Received", 0)
		ts.execute("b", "x")
		ts.exportAgain("a")
		ts.row("a", "Sent", 1)
		ts.count(receipt("a", "again"))
		ts.abandon("hopeless")
		ts.wantEnded(true)
		ts.reconcile("a", "y")
		if ts.theRun().Generation != 1 {
			ts.Fatal("not reopened")
		}
		ts.wantEnded(false)
	})
}

func TestAbandonRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		given func(ts *testStore)
		want  error
	}{
		"a run that is not in the ledger": {func(ts *testStore) { ts.row("a", "Sent", 2) }, store.ErrUnknownRun},
		"a run that is done":              {doneAndNotified, store.ErrFinished},
		"a run that was done, without rows": {func(ts *testStore) {
			doneAndNotified(ts)
			ts.put(ts.tables.Status.At(run, "a"), nil)
			ts.put(ts.tables.Status.At(run, "b"), nil)
		}, store.ErrFinished},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(ts *testStore) {
				c.given(ts)
				clear(ts.calls)
				if _, err := ts.store.Abandon(ts.Context(), run, "no"); !errors.Is(err, c.want) ||
					ts.calls["Update"] > 0 {
					ts.Errorf("got %v after %v, want %v", err, ts.calls, c.want)
				}
			})
		})
	}
	ts := newMemoryStore(t)
	if _, err := ts.store.Resume(t.Context(), run); !errors.Is(err, store.ErrUnknownRun) {
		t.Errorf("resumed an unknown run: %v", err)
	}
}

// Repeating it keeps the time and replaces the reason. After something has moved, it is another abandonment.
func TestAbandonAgain(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		first := ts.abandon("one")
		ts.pass(time.Minute)
		if again := ts.abandon("two"); !again.At.Equal(first.At) {
			ts.Errorf("the time is %v, want %v", again.At, first.At)
		}
		ts.count(receipt("c", "late"))
		if again := ts.abandon("three"); !again.At.Equal(ts.now) {
			ts.Errorf("the time is %v, want %v", again.At, ts.now)
		}
		ts.wantEnded(true)
		if !ts.resume() || ts.resume() {
			ts.Error("resumed never or twice")
		}
		ts.pass(time.Minute)
		if again := ts.abandon("four"); !again.At.Equal(ts.now) {
			ts.Errorf("after it was taken up the time is %v, want %v", again.At, ts.now)
		}
	})
}
