package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

func (w *world) sweeper(exempt ...snapshot.Status) *store.Sweeper {
	return &store.Sweeper{DB: w.db, Tables: w.tables, Exempt: exempt, StalledAfter: time.Hour, Now: w.looker.Now, Pause: w.looker.Pause}
}

func (w *world) openRuns() []snapshot.Run {
	w.Helper()
	runs, err := w.sweeper().OpenRuns(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return runs
}

// openRun is the world's run as a sweep finds it.
func (w *world) openRun() snapshot.Run {
	w.Helper()
	runs := w.openRuns()
	i := slices.IndexFunc(runs, func(open snapshot.Run) bool { return open.CorrelationID == run })
	if i < 0 {
		w.Fatalf("the run is not among the %d open ones", len(runs))
	}
	return runs[i]
}

func (w *world) examine(claimer string, exempt ...snapshot.Status) store.Examination {
	w.Helper()
	found, err := w.sweeper(exempt...).Examine(w.Context(), w.openRun(), claimer)
	if err != nil {
		w.Fatal(err)
	}
	return found
}

// looksDue is which collections are to be looked at.
func (w *world) looksDue(exempt ...snapshot.Status) []string {
	w.Helper()
	due := []string{}
	for _, key := range w.examine("sweep", exempt...).Looks {
		if key.CorrelationID != run {
			w.Errorf("a look at another run: %+v", key)
		}
		due = append(due, key.CollectionName)
	}
	return due
}

func (w *world) registerAs(correlationID, exportDate string) {
	w.Helper()
	if err := w.counter.RegisterRun(w.Context(), correlationID, snapshot.Export{SnapshotType: "full", ExportDate: exportDate}); err != nil {
		w.Fatal(err)
	}
}

// countAndDie counts files and dies at its update of this number.
func (w *world) countAndDie(collection string, update int) {
	w.Helper()
	state := w.read(collection)
	w.dies("Update", update)
	_, err := w.counter.Count(w.Context(), "e", state, receipts(collection, 2))
	w.revives()
	if !errors.Is(err, errDied) {
		w.Fatalf("did not die: %v", err)
	}
}

func TestOpenRunsOverPages(t *testing.T) {
	everywhere(t, func(w *world) {
		var want []string
		for i := range 5 {
			id := fmt.Sprintf("run#%d%%", i) // needs escaping in a key
			w.registerAs(id, strings.Repeat("x", 300_000))
			want = append(want, id)
		}
		w.now = w.now.Add(snapshot.LetGoAfter)
		runs := w.openRuns()
		if w.db.calls["Query"] < 2 {
			w.Error("the runs came in one page; the test needs more")
		}
		if err := w.sweeper().Settle(w.Context(), runs[1], store.Examination{LetGo: true}); err != nil {
			w.Fatal(err)
		}
		var got []string
		for _, open := range w.openRuns() {
			got = append(got, open.CorrelationID)
			if open.SnapshotType != "full" || len(open.ExportDate) != 300_000 || !open.RegisteredAt.Equal(time.Unix(1_600_000_000, 0)) {
				w.Errorf("run %s: %s, registered %v", open.CorrelationID, open.SnapshotType, open.RegisteredAt)
			}
		}
		if diff := cmp.Diff(slices.Delete(want, 1, 2), got); diff != "" {
			w.Error(diff)
		}
	})
}

func TestExamineFindsWhatIsDue(t *testing.T) {
	received := func(w *world) {
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.look("a", "x")
	}
	delivered := func(w *world) { received(w); w.deliver(request("a", 0)) }
	for name, c := range map[string]struct {
		given func(w *world)
		due   bool
	}{
		"files are missing":                       {func(w *world) { w.row("a", "Sent", 2); w.count("a", receipt("a", "one")) }, false},
		"no files":                                {func(w *world) { w.row("a", "Sent", 0) }, false},
		"not sent yet":                            {func(w *world) { w.row("a", "Exported", 1); w.count("a", receipt("a", "one")) }, false},
		"received without messages":               {func(w *world) { w.row("a", "Received", 1) }, false},
		"counted but the row is behind":           {func(w *world) { w.row("a", "Sent", 9); w.countAndDie("a", 0) }, true},
		"up to date but the ledger does not know": {func(w *world) { w.row("a", "Sent", 9); w.countAndDie("a", 1) }, true},
		"complete but Sent":                       {func(w *world) { w.row("a", "Sent", 1); w.count("a", receipt("a", "one")) }, true},
		"complete in capitals":                    {func(w *world) { w.row("a", "SENT", 1); w.count("a", receipt("a", "one")) }, true},
		"Sent over Received":                      {func(w *world) { delivered(w); w.row("a", "Sent", 1) }, true},
		"received and nobody asked": {func(w *world) {
			w.row("a", "Exported", 1)
			w.count("a", receipt("a", "one"))
			w.row("a", "Received", 1)
		}, true},
		"received while the claimer lives": {func(w *world) { received(w); w.now = w.now.Add(snapshot.Lease - time.Second) }, false},
		"received and the claimer died":    {func(w *world) { received(w); w.now = w.now.Add(snapshot.Lease) }, true},
		"received and asked":               {delivered, false},
		"an early success":                 {func(w *world) { delivered(w); w.count("a", successFile("a", "success")) }, true},
		"successful":                       {func(w *world) { delivered(w); w.count("a", successFile("a", "success")); w.look("a", "x") }, false},
		"successful and the claimer died": {func(w *world) {
			received(w)
			w.count("a", successFile("a", "success"))
			w.look("a", "x")
			w.now = w.now.Add(snapshot.Lease)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				w.row("z", "Exporting", 0) // keeps the news out of it
				c.given(w)
				want := []string{}
				if c.due {
					want = []string{"a"}
				}
				if diff := cmp.Diff(want, w.looksDue()); diff != "" {
					w.Error(diff)
				}
			})
		})
	}
}

func TestExamineFindsNewsThatIsDue(t *testing.T) {
	toldReceived := func(w *world) { w.check("x"); w.deliver(news(snapshot.AllReceived, 0)) }
	first, nothing := []string{"a"}, []string{}
	for name, c := range map[string]struct {
		statuses [2]string
		given    func(w *world)
		due      []string
	}{
		"unclaimed":                       {[2]string{"Received", "Success"}, func(*world) {}, first},
		"claimed while the claimer lives": {[2]string{"Received", "Success"}, func(w *world) { w.check("x"); w.now = w.now.Add(snapshot.Lease - time.Second) }, nothing},
		"claimed and the claimer died":    {[2]string{"Received", "Success"}, func(w *world) { w.check("x"); w.now = w.now.Add(snapshot.Lease) }, first},
		"told":                            {[2]string{"Received", "Success"}, toldReceived, nothing},
		"told of an older attempt":        {[2]string{"Received", "Success"}, func(w *world) { toldReceived(w); w.overwrite("a", map[string]any{"FilesCounted": int64(1)}) }, first},
		"told one of two":                 {[2]string{"Success", "Success"}, func(w *world) { toldReceived(w); w.now = w.now.Add(snapshot.Lease) }, first},
		"told both":                       {[2]string{"Success", "Success"}, func(w *world) { toldReceived(w); w.deliver(news(snapshot.AllSuccessful, 0)) }, nothing},
		"not true":                        {[2]string{"Received", "Blocked_Topic"}, func(*world) {}, nothing},
		"true but for what is exempt":     {[2]string{"Received", "TABLE_UNAVAILABLE"}, func(*world) {}, first},
		"comes with what is due anyway":   {[2]string{"Received", "Received"}, func(w *world) { w.count("b", receipt("b", "one")) }, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				w.row("a", c.statuses[0], 0)
				w.row("b", c.statuses[1], 0)
				c.given(w)
				if diff := cmp.Diff(c.due, w.looksDue("Table_Unavailable")); diff != "" {
					w.Error(diff)
				}
			})
		})
	}
}

// A batch read takes 100 items. Each row is held against its own collection, beyond the first batch too.
func TestExamineARunOf120Collections(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		for i := range 120 {
			w.row(fmt.Sprintf("c%03d", i), "Sent", 9)
		}
		for _, behind := range []string{"c000", "c099", "c100", "c119"} {
			w.countAndDie(behind, 0)
		}
		w.db.calls = map[string]int{}
		found := w.examine("sweep")
		want := []snapshot.CollectionKey{key("c000"), key("c099"), key("c100"), key("c119")}
		if diff := cmp.Diff(want, found.Looks); diff != "" {
			w.Error(diff)
		}
		if len(found.Holders.Named) != snapshot.MaxNamed || found.Holders.More != 115 {
			w.Errorf("%d collections are named and %d more", len(found.Holders.Named), found.Holders.More)
		}
		if w.db.calls["GetMany"] != 2 {
			w.Errorf("%d batch reads", w.db.calls["GetMany"])
		}
	})
}

// Whoever wrote it has to mend it. Until then it holds its run and is named, and its neighbours are looked at.
func TestExamineAMalformedRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 1)
		w.count("a", receipt("a", "one"))
		w.overwrite("b", map[string]any{"CollectionStatus": "Sent", "FilesSent": "two"})
		found := w.examine("sweep")
		if diff := cmp.Diff([]snapshot.CollectionKey{key("a")}, found.Looks); diff != "" {
			w.Errorf("looks (-want +got)\n%s", diff)
		}
		if named := found.Holders.Named; len(named) != 2 || named[1].CollectionName != "b" || named[1].Status != "Malformed row" {
			w.Errorf("the run is held by %+v", named)
		}
		var malformed *failure.Malformed
		if !errors.As(found.Malformed, &malformed) || !strings.Contains(found.Malformed.Error(), `"b"`) {
			w.Errorf("got %v, want an error that names the row", found.Malformed)
		}
	})
}

// A run of the ledger that cannot be read keeps no other from being swept.
func TestARunThatCannotBeReadHidesNoOther(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 1)
		if err := w.counter.RegisterRun(w.Context(), run, snapshot.Export{SnapshotType: "full"}); err != nil {
			w.Fatal(err)
		}
		spoilt := table.Write{Ref: w.tables.Ledger.At("run", "another"), Set: map[string]any{"CorrelationId": "another", "RegisteredAt": "yesterday"}}
		if _, err := w.db.DB.Update(w.Context(), spoilt); err != nil {
			w.Fatal(err)
		}
		runs, err := w.sweeper().OpenRuns(w.Context())
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), `"another"`) {
			w.Errorf("got %v, want an error that names the run", err)
		}
		if len(runs) != 1 || runs[0].CorrelationID != run {
			w.Errorf("got %+v, want the other run", runs)
		}
	})
}
