package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func (ts *testStore) abandon(reason string) snapshot.Abandonment {
	ts.Helper()
	abandoned, err := ts.store.Abandon(ts.Context(), run, reason)
	ts.ok(err)
	if abandoned.Reason != reason || ts.theRun().ByHand != abandoned {
		ts.Fatalf("stored %+v, want %+v", ts.theRun().ByHand, abandoned)
	}
	return abandoned
}

func (ts *testStore) resume() bool {
	ts.Helper()
	resumed, err := ts.store.Resume(ts.Context(), run)
	ts.ok(err)
	return resumed
}

// wantEnded examines the run and expects that the sweep passes it by, or not.
func (ts *testStore) wantEnded(want bool) store.Examination {
	ts.Helper()
	state, err := ts.store.Run(ts.Context(), run)
	ts.ok(err)
	found := ts.examine("sweep")
	if found.EndedByHand != want || state.EndedByHand(ts.settings.Exempt) != want {
		ts.Errorf("passed by %v, shown as ended %v, want %v", found.EndedByHand,
			state.EndedByHand(ts.settings.Exempt), want)
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
	ts.configure(store.Settings{LateAfter: snapshot.LateAfter{"": time.Minute}})
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
		found := ts.examineRun(open, "sweep")
		if ts.calls["Query"] == 0 || len(ts.calls) != 1 {
			ts.Errorf("calls %v; want the rows to be queried, and no more", ts.calls)
		}
		ts.ok(ts.store.Finish(ts.Context(), open, found))
		if ts.isOpen() {
			ts.Error("not abandoned by its age")
		}
		ts.wantSent()
		if ts.theRun().ByHand.Reason == "" {
			ts.Error("the reason is lost")
		}
	})
}

// What arrives or moves takes the run up again, with all that is due. Which changes are noticed is tested with
// snapshot.Run.Sums.
func TestWhatMovesTakesARunUpAgain(t *testing.T) {
	for name, moves := range map[string]func(ts *testStore){
		"a file":           func(ts *testStore) { ts.count(receipt("c", "late")) },
		"a row is deleted": func(ts *testStore) { ts.remove("c") },
		"a person":         func(ts *testStore) { ts.resume() },
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			hangs(ts)
			ts.abandon("hopeless")
			ts.wantEnded(true)
			moves(ts)
			found := ts.wantEnded(false)
			if !found.Open || !found.Late || len(found.Reconcile) == 0 || len(found.Alerts) == 0 {
				t.Errorf("not examined as any other: %+v", found)
			}
			if ts.theRun().ByHand.Reason != "" || ts.resume() {
				t.Errorf("still stored: %+v", ts.theRun().ByHand)
			}
		})
	}
}

// A duplicate moves nothing, and a malformed item of the ledger is no row: sweep and commands agree that the run is
// ended.
func TestWhatMovesNothing(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	ts.abandon("hopeless")
	ts.count(receipts("a", "m", 1)...)
	ts.wantEnded(true)
	ts.write(table.Write{Ref: ts.collectionRef("a"), Set: map[string]any{"Pages": "two"}})
	ts.wantEnded(true)
}

// A run that finishes after all is done, whatever a person said before.
func TestAnEndedRunThatFinishesIsDone(t *testing.T) {
	ts := newStore(t)
	ts.runOf("a")
	ts.abandon("hopeless")
	ts.export("a", "first ", 1)
	ts.wantSent(append(bothOf(0), request("a", 0))...)
	if found := ts.wantEnded(false); found.Open {
		t.Errorf("open: %+v", found)
	}
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
			ts.remove("a")
			ts.remove("b")
		}, store.ErrFinished},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newStore(t)
			c.given(ts)
			clear(ts.calls)
			if _, err := ts.store.Abandon(t.Context(), run, "no"); !errors.Is(err, c.want) || ts.calls["Update"] > 0 {
				t.Errorf("got %v after %v, want %v", err, ts.calls, c.want)
			}
		})
	}
	ts := newStore(t)
	if _, err := ts.store.Resume(t.Context(), run); !errors.Is(err, store.ErrUnknownRun) {
		t.Errorf("resumed an unknown run: %v", err)
	}
}

// Repeating it keeps the time and replaces the reason. After something has moved, it is another abandonment.
func TestAbandonAgain(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	first := ts.abandon("one")
	ts.pass(time.Minute)
	if again := ts.abandon("two"); !again.At.Equal(first.At) {
		t.Errorf("the time is %v, want %v", again.At, first.At)
	}
	ts.count(receipt("c", "late"))
	if again := ts.abandon("three"); !again.At.Equal(ts.now) {
		t.Errorf("the time is %v, want %v", again.At, ts.now)
	}
	ts.wantEnded(true)
	if !ts.resume() || ts.resume() {
		t.Error("resumed never or twice")
	}
	ts.pass(time.Minute)
	if again := ts.abandon("four"); !again.At.Equal(ts.now) {
		t.Errorf("after it was taken up the time is %v, want %v", again.At, ts.now)
	}
}

// A message that comes between reading the rows and writing the abandonment is noticed by the next sweep.
func TestAMessageWhileARunIsAbandoned(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	ts.meanwhile(ts.updates("run"), func() { ts.count(receipt("c", "late")) })
	ts.abandon("hopeless")
	ts.wantEnded(false)
}

// The sweep takes up only the abandonment that it read, not the one that a person made since.
func TestASweepTakesUpOnlyWhatItRead(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	ts.abandon("one")
	ts.count(receipt("c", "late"))
	ts.meanwhile(ts.updates("run"), func() { ts.abandon("two") })
	if found := ts.examine("sweep"); found.Open || len(found.Alerts)+len(found.Reconcile) > 0 {
		t.Errorf("got %+v", found)
	}
	ts.wantEnded(true)
}

// A sweep that listed the run before a person ended it sends no alert. Nor does its retry.
func TestASweepAlertsNoRunThatWasEndedMeanwhile(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	open := ts.openRun()
	ts.abandon("hopeless")
	ts.wantAlerts(ts.examineRun(open, "sweep"))
	ts.wantAlerts(ts.examine("sweep"))
}

// A run that is taken up while a sweep abandons it by its age is not abandoned without an alert.
func TestATakenUpRunIsNotAbandonedSilently(t *testing.T) {
	ts := newStore(t)
	hangs(ts)
	ts.abandon("hopeless")
	ts.pass(snapshot.AbandonedAfter)
	open, found := ts.openRun(), ts.examine("sweep")
	ts.resume()
	ts.ok(ts.store.Finish(t.Context(), open, found))
	if !ts.isOpen() {
		t.Fatal("abandoned silently")
	}
	found = ts.examineAndFinish("another")
	if len(found.Alerts) == 0 || found.Alerts[0].Kind != snapshot.RunAbandoned || ts.isOpen() {
		t.Errorf("alerts %+v", found.Alerts)
	}
}

// Several people at once: each tries again, and all succeed.
func TestAbandonAndResumeAtOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		hangs(ts)
		ts.lockstep(3, func(i int) {
			if _, err := ts.another().Abandon(ts.Context(), run, fmt.Sprint(i)); err != nil {
				ts.Error(err)
			}
		})
		ts.wantEnded(true)
		ts.lockstep(3, func(int) {
			if _, err := ts.another().Resume(ts.Context(), run); err != nil {
				ts.Error(err)
			}
		})
		ts.wantEnded(false)
	})
}
