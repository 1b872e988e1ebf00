package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

func (w *world) register() {
	w.Helper()
	if err := w.counter.RegisterRun(w.Context(), run, snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01"}); err != nil {
		w.Fatal(err)
	}
}

func news(kind snapshot.DebtKind, attempts int64) snapshot.Debt {
	return snapshot.Debt{Kind: kind, CollectionKey: snapshot.CollectionKey{CorrelationID: run}, Attempt: attempts}
}

func (w *world) wantClaims(claimer string, want ...snapshot.Debt) {
	w.Helper()
	if diff := cmp.Diff(want, w.check(claimer).Claimed); diff != "" {
		w.Errorf("claims of %s (-want +got)\n%s", claimer, diff)
	}
}

func TestCheckIsSatisfiedByReceivedOrFurther(t *testing.T) {
	for _, c := range []struct {
		statuses string
		exempt   []snapshot.Status
		want     []snapshot.Debt
	}{
		{"Received Sent Received", nil, nil},
		{"Received Success RECEIVED", nil, []snapshot.Debt{news(snapshot.AllReceived, 0)}},
		{"Success SUCCESS Success", nil, []snapshot.Debt{news(snapshot.AllReceived, 0), news(snapshot.AllSuccessful, 0)}},
		{"Success Blocked_Topic Success", nil, nil},
		{"Success BLOCKED_TOPIC Received", []snapshot.Status{"Table_Unavailable", "Blocked_Topic"}, []snapshot.Debt{news(snapshot.AllReceived, 0)}},
		{"Success Blocked_Topic Success", []snapshot.Status{"Blocked_Topic"}, []snapshot.Debt{news(snapshot.AllReceived, 0), news(snapshot.AllSuccessful, 0)}},
	} {
		t.Run(c.statuses, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.register()
				for i, status := range strings.Fields(c.statuses) {
					w.row(fmt.Sprint("c", i), status, 0)
				}
				w.runs.Exempt = c.exempt
				w.wantClaims("me", c.want...)
			})
		})
	}
}

func TestCheckClaimsOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Received", 0)
		told := news(snapshot.AllReceived, 0)
		w.wantClaims("first", told)
		w.wantClaims("second")
		w.wantClaims("first", told)
		w.now = w.now.Add(snapshot.Lease)
		w.wantClaims("heir", told)
		if _, owed, err := w.debts.News(w.Context(), told, "first"); owed || err != nil {
			w.Errorf("the late claimer would tell too: %v", err)
		}
		w.deliver(told)
		w.now = w.now.Add(2 * snapshot.Lease)
		w.wantClaims("later")
	})
}

// A claimer that died with claimed news in hand runs again. What it claimed was true then, and it is still to be told,
// although a row has gone back meanwhile.
func TestNewsThatIsHeldIsToldAlsoIfARowWentBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Success", 0)
		w.row("b", "Success", 0)
		w.dies("Update", 3) // its turn, two claims; not the end of its reading
		if _, err := w.runs.Check(w.Context(), run, "me", snapshot.Success); !errors.Is(err, errDied) {
			w.Fatalf("got %v", err)
		}
		w.revives()
		w.overwrite("b", map[string]any{"CollectionStatus": "Received"})
		w.wantClaims("me", news(snapshot.AllReceived, 0), news(snapshot.AllSuccessful, 0))
	})
}

func TestChecksSideBySideClaimOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		for i := range 5 {
			w.row(fmt.Sprint("c", i), "Received", 0)
		}
		var mu sync.Mutex
		var group sync.WaitGroup
		claims := 0
		for i := range 10 {
			group.Go(func() {
				db := &counting{DB: w.db.DB, calls: map[string]int{}}
				runs := &store.Runs{DB: db, Tables: w.tables, Now: w.runs.Now, Pause: store.Jitter}
				verdict, err := runs.Check(w.Context(), run, fmt.Sprint(i), snapshot.Received)
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				claims += len(verdict.Claimed)
			})
		}
		group.Wait()
		if claims != 1 {
			w.Errorf("%d claims of one piece of news", claims)
		}
	})
}

func TestARegressionRepeatsNothingAndANewAttemptIsToldAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		w.row("a", "Sent", 1)
		w.row("b", "Received", 0)
		w.count("a", receipt("a", "one"))
		w.look("a", "first")
		w.wantClaims("first", news(snapshot.AllReceived, 0))
		w.deliver(news(snapshot.AllReceived, 0))

		w.overwrite("a", map[string]any{"CollectionStatus": "Sent"})
		w.wantClaims("second")
		w.look("a", "second")
		w.wantClaims("second")

		w.overwrite("a", map[string]any{"CollectionStatus": "Sent", "FilesReceived": int64(0)})
		w.count("a", receipt("a", "two"))
		w.look("a", "third")
		w.wantClaims("third", news(snapshot.AllReceived, 1))
		w.deliver(news(snapshot.AllReceived, 1))

		// The table restored from before the new attempt: a smaller sum is old news.
		w.overwrite("a", map[string]any{"FilesReceived": int64(2)})
		w.wantClaims("fourth")
	})
}

// A page ends at 1 MB, and the one collection that blocks may stand on the last of them.
func TestCheckReadsEveryPage(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		for i := range 14 {
			w.row(fmt.Sprintf("c%02d", i), "Received", 0)
			w.overwrite(fmt.Sprintf("c%02d", i), map[string]any{"OfOthers": strings.Repeat("x", 100_000)})
		}
		w.overwrite("c13", map[string]any{"CollectionStatus": "Sent"})
		verdict := w.check("me")
		if len(verdict.Claimed) != 0 || verdict.Blocker != (snapshot.Blocker{CollectionName: "c13", Status: "Sent"}) {
			w.Errorf("got %+v", verdict)
		}
		if w.db.calls["Query"] < 2 {
			w.Errorf("the rows came in %d pages; the test needs more than one", w.db.calls["Query"])
		}
		w.overwrite("c13", map[string]any{"CollectionStatus": "Received"})
		w.wantClaims("me", news(snapshot.AllReceived, 0))
	})
}

func TestARunWithoutRowsOrWithoutMessagesHasNoNews(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Success", 1)
		w.wantClaims("nobody registered the run")
		if _, err := w.runs.Check(w.Context(), "no such run", "me", snapshot.Received); err != nil {
			w.Error(err)
		}
	})
}

func TestARunKeepsWhatItsFirstMessageSaid(t *testing.T) {
	everywhere(t, func(w *world) {
		w.register()
		if err := w.counter.RegisterRun(w.Context(), run, snapshot.Export{SnapshotType: "incremental", ExportDate: "later"}); err != nil {
			w.Fatal(err)
		}
		got, _, err := w.debts.News(w.Context(), news(snapshot.AllReceived, 0), "me")
		if err != nil || got.SnapshotType != "full" || got.ExportDate != "2020-01-01" {
			w.Errorf("got %+v, %v", got, err)
		}
	})
}
