package page

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// writableSource is a source over the table whose runs can be ended by hand, by the sweep's own code. It collects the
// names of the reconciled collections.
func writableSource(db *countingDB) (source Source, reconciled *[]string) {
	source, reconciled = newSource(db), new([]string)
	task := sweep.New(store.New(db, tables, store.Settings{}), nil, nil, slog.New(slog.DiscardHandler))
	call := func(ctx context.Context, in sweep.Input) (sweep.Answer, error) {
		out, err := task.Handle(ctx, in)
		if err == nil && out.ByHand.Refused != "" {
			err = errors.New(out.ByHand.Refused)
		}
		return *out.ByHand, err
	}
	source.Abandon = func(ctx context.Context, run, reason string) (sweep.Answer, error) {
		return call(ctx, sweep.Input{Abandon: &sweep.Abandon{CorrelationID: run, Reason: reason}})
	}
	source.Resume = func(ctx context.Context, run string) (sweep.Answer, error) {
		return call(ctx, sweep.Input{Resume: &sweep.Resume{CorrelationID: run}})
	}
	source.Reconcile = func(_ context.Context, keys []snapshot.CollectionKey) error {
		for _, key := range keys {
			*reconciled = append(*reconciled, key.CollectionName)
		}
		return nil
	}
	return source, reconciled
}

func TestReconcileStartsWithWhatWaits(t *testing.T) {
	t.Parallel()
	db := newDB(0)
	for name, status := range map[string]string{"waits/a": "Sent", "waits/b": "Success", "waits/c": "Exporting",
		"done/a": "Success"} {
		run, collection, _ := strings.Cut(name, "/")
		db.row(run, collection, status, 0)
	}
	for name, c := range map[string]struct {
		run, collection string
		status          int
		reconciled      []string
		notice          string
	}{
		"a run that waits":         {"waits", "", 303, []string{"a", "c"}, "Reconciling 2 collections."},
		"a run that is done":       {"done", "", 303, nil, "Nothing to reconcile."},
		"a collection that exists": {"done", "a", 303, []string{"a"}, "Reconciling 1 collection."},
		"an unknown collection":    {"waits", "d", 404, nil, ""},
		"an unknown run":           {"none", "", 404, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, reconciled := writableSource(db)
			pages := newPages(t, source, Options{AllowWrites: true})
			got := pages.post("/reconcile", "run", c.run, "collection", c.collection)
			slices.Sort(*reconciled)
			if diff := cmp.Diff(c.reconciled, *reconciled); diff != "" ||
				got.status != c.status || got.notice != c.notice {
				t.Errorf("%s; %d, %q, want %d, %q", diff, got.status, got.notice, c.status, c.notice)
			}
		})
	}
}

const abandonForm, abandonedBadge = `<form action="/abandon"`, `<span class="badge bad">abandoned</span>`

// A person ends a run on its page and takes it up again. Each page shows the result at once.
func TestAbandonOnThePage(t *testing.T) {
	t.Parallel()
	db := newDB(5)
	db.register(runID, time.Now())
	source, reconciled := writableSource(db)
	pages := newPages(t, source, Options{AllowWrites: true})
	shows := func(abandoned bool) string {
		t.Helper()
		page := pages.get("/run", "id", runID)
		for _, text := range []string{page, pages.get("/")} {
			if strings.Contains(text, abandonedBadge) != abandoned {
				t.Errorf("abandoned: want %v:\n%s", abandoned, text)
			}
		}
		if strings.Contains(page, abandonForm) == abandoned {
			t.Error("the button to abandon is there, or is not")
		}
		return page
	}
	abandon := func(reason, want string) {
		t.Helper()
		if got := pages.post("/abandon", "run", runID, "reason", reason); !strings.HasPrefix(got.notice, want) {
			t.Errorf("%.9q: %s, want %s", reason, got.notice, want)
		}
	}
	abandon(" ", "Not abandoned: the reason")
	abandon(strings.Repeat("x", snapshot.MaxReason+1), "Not abandoned: the reason")
	shows(false)
	abandon("<b>gone</b>", "Abandoned.")
	shows(true)
	db.row(runID, collectionName(0), "Sent", 9) // a file arrives
	for _, of := range []topic{{Kind: runsTopic}, {Kind: tablesTopic, Run: runID}, ofRun} {
		pages.hub.recent.forget(of.String()) // a second passes
	}
	shows(false)
	abandon("<b>gone</b>", "Abandoned.")
	abandon("<b>gone</b>, again", "Abandoned.")
	pages.want(shows(true), "&lt;b&gt;gone&lt;/b&gt;, again")
	got := pages.post("/reconcile", "run", runID)
	if len(*reconciled) != 4 || !strings.HasPrefix(got.notice, "Taken up again. ") {
		t.Errorf("reconciled %q: %s", *reconciled, got.notice)
	}
	shows(false)
}

func TestAbandonOnThePageRefuses(t *testing.T) {
	t.Parallel()
	db := newDB(1) // not in the ledger
	source, _ := writableSource(db)
	pages := newPages(t, source, Options{AllowWrites: true})
	got := pages.post("/abandon", "run", runID, "reason", "gone")
	if !strings.Contains(got.notice, "not in the ledger") ||
		strings.Contains(pages.get("/run", "id", runID), abandonForm) {
		t.Errorf("a run that is not in the ledger: %s", got.notice)
	}
	db.register(runID, time.Now())
	reading := newPages(t, source, Options{})
	if strings.Contains(reading.get("/run", "id", runID), abandonForm) {
		t.Error("a page that is read-only has the button")
	}
}

// If the sweep cannot be called, the error is shown. A run that it still ignores is not reconciled.
func TestSweepCannotBeCalled(t *testing.T) {
	t.Parallel()
	db := newDB(5)
	db.register(runID, time.Now())
	source, reconciled := writableSource(db)
	if _, err := source.Abandon(t.Context(), runID, "gone"); err != nil {
		t.Fatal(err)
	}
	denied := errors.New("denied")
	source.Abandon = func(context.Context, string, string) (sweep.Answer, error) { return sweep.Answer{}, denied }
	source.Resume = func(context.Context, string) (sweep.Answer, error) { return sweep.Answer{}, denied }
	pages := newPages(t, source, Options{AllowWrites: true})
	for _, path := range []string{"/abandon", "/reconcile"} {
		got := pages.post(path, "run", runID, "reason", "gone")
		if got.status != http.StatusBadGateway || !strings.Contains(got.text, "denied") || len(*reconciled) > 0 {
			t.Errorf("%s: %d, reconciled %q: %s", path, got.status, *reconciled, got.text)
		}
	}
}
