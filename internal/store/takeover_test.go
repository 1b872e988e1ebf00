package store_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// What docs/cutover.md promises of rows that the system counted which this one replaces. That one, the predecessor, adds
// to FilesReceived without looking, and knows of no ledger.

// predecessorCounts is its receipt of so many files.
func (w *world) predecessorCounts(collection string, files int64) {
	w.Helper()
	if _, err := w.db.DB.Update(w.Context(), table.Write{
		Ref: w.tables.Status.At(run, collection), Add: map[string]table.Sum{"FilesReceived": {N: files}},
	}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) registerRun() {
	w.Helper()
	said := snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: false, ReprocessFiles: true}
	if err := w.counter.RegisterRun(w.Context(), run, said); err != nil {
		w.Fatal(err)
	}
}

// finish lets the collection go on to its end: it is asked for once, its success file comes, and it is Success.
func (w *world) finish(collection string, attempt int64) {
	w.Helper()
	w.look(collection, "me")
	w.wantRow(collection, table.Item{"CollectionStatus": "Received"})
	if !w.requestOwed(collection, attempt, "me") {
		w.Fatal("the request is not claimed")
	}
	w.deliver(request(collection, attempt))
	w.count(collection, successFile(collection, "success of "+collection))
	if state := w.look(collection, "other"); state.Collection.RequestOwed(*state.Row) {
		w.Error("it is asked for again")
	}
	w.wantRow(collection, table.Item{"CollectionStatus": "Success"})
}

// Half of the files were counted before, the other half is now: none is lost, none counts double.
func TestTakeoverOfAHalfCountedCollection(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Exported", 5)
		w.predecessorCounts("a", 3)
		w.registerRun()
		w.count("a", receipts("a", 2)...)
		w.count("a", receipts("a", 2)...) // delivered again
		w.wantRow("a", table.Item{"FilesReceived": int64(5), "FilesCounted": int64(2)})
		w.row("a", "Sent", 5)
		w.finish("a", -3)
	})
}

// Both count for a while, in any order: the sum is right, and it is finished however the attempt changed by it.
func TestBothCountSideBySide(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 6)
		w.predecessorCounts("a", 1)
		w.registerRun()
		w.count("a", receipt("a", "one"))
		w.predecessorCounts("a", 2)
		stale := w.read("a")
		w.predecessorCounts("a", 1)
		if _, err := w.counter.Count(w.Context(), "execution-2", stale, []snapshot.Receipt{receipt("a", "two")}); err != nil {
			w.Fatal(err)
		}
		w.wantRow("a", table.Item{"FilesReceived": int64(6), "FilesCounted": int64(2)})
		w.finish("a", -4)
	})
}

// A known limit: what the predecessor counted and did not delete comes here as new. It counts twice, and its collection is
// finished all the same.
func TestAMessageThatBothCounted(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.predecessorCounts("a", 2) // and went before it looked
		w.registerRun()
		if tally := w.count("a", receipt("a", "not deleted")); tally.Row.Over() != 1 {
			w.Errorf("%d files too many are noticed", tally.Row.Over())
		}
		w.finish("a", -2)
	})
}

// All files were counted before, and then the sender writes Sent. The one who counted them does not look again: so this
// system does, and asks.
func TestTakeoverOfACollectionThatOnlyLacksSent(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Exported", 3)
		w.predecessorCounts("a", 3)
		w.registerRun() // by a message of another collection
		w.look("a", "me")
		w.wantRow("a", table.Item{"CollectionStatus": "Exported"})
		w.row("a", "Sent", 3)
		w.look("a", "me")
		said, owed, err := w.debts.Request(w.Context(), request("a", -3), "me")
		if want := (snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ReprocessFiles: true}); err != nil || !owed || said != want {
			w.Errorf("asks with %+v (owed: %v, %v), want what the run's first message said: %+v", said, owed, err, want)
		}
		w.finish("a", -3)
	})
}

// The sweep finds it too, whatever the one that took it over had come to when it died.
func TestTakeoverSurvivesDeath(t *testing.T) {
	for updates := range 4 {
		w := newMemoryWorld(t)
		w.row("a", "Sent", 3)
		w.predecessorCounts("a", 3)
		w.registerRun()
		w.dies("Update", updates)
		_, _ = w.looker.Look(w.Context(), key("a"), "dead")
		w.revives()
		w.now = w.now.Add(2 * snapshot.Lease)
		sweeper := &store.Sweeper{DB: w.db, Tables: w.tables, StalledAfter: time.Hour, Now: w.looker.Now, Pause: w.looker.Pause}
		runs, err := sweeper.OpenRuns(w.Context())
		if err != nil || len(runs) != 1 {
			t.Fatal(runs, err)
		}
		found, err := sweeper.Examine(w.Context(), runs[0], "sweep")
		if err != nil || len(found.Looks) != 1 {
			t.Fatalf("dead after %d updates: the sweep finds %v, %v", updates, found.Looks, err)
		}
		w.finish("a", -3)
	}
}

// As long as no message of a run has come here, its collections are the predecessor's: a deployment beside it, whose
// stream sees every Sent, takes none of its moves away.
func TestRunsOfOthersAreLeftAlone(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 3)
		w.predecessorCounts("a", 3)
		w.look("a", "me")
		w.wantRow("a", table.Item{"CollectionStatus": "Sent", "FilesReceived": int64(3)})
		if w.requestOwed("a", -3, "me") {
			w.Error("asks for a collection of others")
		}
	})
}

// What it had finished stays as it is: Received is not asked for again, and its success file moves it on.
func TestTakeoverOfFinishedCollections(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("received", "Received", 2)
		w.predecessorCounts("received", 2)
		w.row("success", "Success", 2)
		w.predecessorCounts("success", 2)
		w.registerRun()
		for _, collection := range []string{"received", "success"} {
			if state := w.look(collection, "me"); state.Collection.RequestOwed(*state.Row) || state.Collection.Request.Attempt.Set {
				w.Errorf("asks for %s: %+v", collection, state.Collection)
			}
		}
		w.count("received", successFile("received", "success of it"))
		w.look("received", "me")
		w.wantRow("received", table.Item{"CollectionStatus": "Success", "FilesReceived": int64(2)})
	})
}

// There and back again: the predecessor counted in between, beside our FilesCounted. What is counted stays right, and the
// collection is finished in the attempt that its counting made of it.
func TestForwardAgainAfterGoingBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Exported", 6)
		w.registerRun()
		w.count("a", receipts("a", 2)...)
		w.predecessorCounts("a", 3)
		w.count("a", receipts("a", 2)...) // from before, delivered late
		w.wantRow("a", table.Item{"FilesReceived": int64(5), "FilesCounted": int64(2)})
		w.count("a", receipt("a", "last"))
		w.wantRow("a", table.Item{"FilesReceived": int64(6), "FilesCounted": int64(3)})
		w.row("a", "Sent", 6)
		w.finish("a", -3)
	})
}

// The same, where the predecessor counted the last file and went before Sent was written.
func TestForwardAgainToACompleteCollection(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Exported", 3)
		w.registerRun()
		w.count("a", receipts("a", 2)...)
		w.predecessorCounts("a", 1)
		w.row("a", "Sent", 3)
		w.finish("a", -1)
	})
}

// No message of its run has come here, so somebody asks by hand (docs/cutover.md). The success file makes the run known, and
// the rest follows.
func TestTakeoverByItsSuccessFile(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 2)
		w.predecessorCounts("a", 2)
		w.registerRun()
		w.count("a", successFile("a", "success of a"))
		w.look("a", "me")
		w.wantRow("a", table.Item{"CollectionStatus": "Success", "FilesReceived": int64(2)})
	})
}

// Forward again with a new ledger: it goes on from the row's FilesCounted, and finishes what the predecessor left complete.
func TestForwardAgainWithANewLedger(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, collection := range []string{"complete", "half"} {
			w.row(collection, "Sent", 4)
			w.overwrite(collection, map[string]any{"FilesReceived": int64(3), "FilesCounted": int64(2)})
		}
		w.predecessorCounts("complete", 1)
		w.registerRun()
		w.count("half", receipt("half", "last"))
		w.wantRow("half", table.Item{"FilesReceived": int64(4), "FilesCounted": int64(3)})
		w.finish("complete", -2)
		w.finish("half", -1)
	})
}

// A known limit of going forward again with the old ledger: what was finished here, exported again meanwhile, and counted
// whole by the predecessor, looks like the attempt that was finished here. docs/cutover.md says how to avoid it.
func TestForwardAgainTakesOneAttemptForAnother(t *testing.T) {
	w := newMemoryWorld(t)
	w.row("a", "Sent", 2)
	w.registerRun()
	w.count("a", receipts("a", 2)...)
	w.finish("a", 0)
	w.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
	w.predecessorCounts("a", 2)
	w.look("a", "me")
	w.wantRow("a", table.Item{"CollectionStatus": "Success"}) // without its new success file
}

// newMemoryWorld is a world over the table in memory, for tests of what no table could change.
func newMemoryWorld(t *testing.T) *world {
	return newWorld(t, &memory.DB{PageSize: 2}, store.NewTables("status", "ledger"))
}
