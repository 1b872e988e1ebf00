package page

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// endingSource is a source over the table whose runs can be ended by hand, by the sweep's own code.
func endingSource(db *countingDB) (source Source, reconciled *int) {
	source, reconciled = newSource(db), new(int)
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
	source.Reconcile = func(context.Context, []snapshot.CollectionKey) error { *reconciled++; return nil }
	return source, reconciled
}

// A person ends a run on its page and takes it up again. Each page shows the result at once.
func TestAbandonOnThePage(t *testing.T) {
	t.Parallel()
	const button, badge = `<form action="/abandon"`, `<span class="badge bad">abandoned</span>`
	db := newDB(5)
	db.register(runID, time.Now())
	source, reconciled := endingSource(db)
	server := newServer(t, source, Options{AllowWrites: true})
	post := func(path string, form url.Values) string {
		t.Helper()
		form.Set("run", runID)
		status, header, text := server.send("POST", path, form, nil)
		if status != http.StatusSeeOther {
			t.Fatal(status, text)
		}
		target, err := url.Parse(header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return target.Query().Get("notice")
	}
	shows := func(abandoned bool) string {
		t.Helper()
		page := server.get("/run", "id", runID)
		for _, text := range []string{page, server.get("/")} {
			if strings.Contains(text, badge) != abandoned {
				t.Errorf("abandoned: %v:\n%s", abandoned, text)
			}
		}
		if strings.Contains(page, button) == abandoned {
			t.Error("the button to abandon is there, or is not")
		}
		return page
	}
	shows(false)
	for _, reason := range []string{"", " ", strings.Repeat("x", snapshot.MaxReason+1)} {
		if notice := post("/abandon", url.Values{"reason": {reason}}); !strings.HasPrefix(notice,
			"Not abandoned: the reason") {
			t.Errorf("%.9q: %s", reason, notice)
		}
	}
	shows(false)
	for _, reason := range []string{"<b>gone</b>", "<b>gone</b>, again"} {
		if notice := post("/abandon", url.Values{"reason": {reason}}); !strings.HasPrefix(notice, "Abandoned.") {
			t.Error(notice)
		}
	}
	shows(true)
	db.row(runID, collectionName(0), "Sent", 9) // a file arrives
	for _, of := range []topic{{Kind: runsTopic}, {Kind: tablesTopic, Run: runID}, {Kind: runTopic, Run: runID}} {
		server.pages.hub.recent.forget(of.String()) // a second passes
	}
	shows(false)
	post("/abandon", url.Values{"reason": {"<b>gone</b>, again"}})
	if page := shows(true); !strings.Contains(page, "&lt;b&gt;gone&lt;/b&gt;, again") {
		t.Error("the reason is not shown, or not escaped")
	}
	if notice := post("/reconcile", url.Values{}); *reconciled != 1 || !strings.HasPrefix(notice, "Taken up again. ") {
		t.Errorf("%d executions: %s", *reconciled, notice)
	}
	shows(false)
}

func TestAbandonOnThePageRefuses(t *testing.T) {
	t.Parallel()
	db := newDB(1) // not in the ledger
	source, _ := endingSource(db)
	server := newServer(t, source, Options{AllowWrites: true})
	form := url.Values{"run": {runID}, "reason": {"gone"}}
	_, header, _ := server.send("POST", "/abandon", form, nil)
	if location := header.Get("Location"); !strings.Contains(location, "not+in+the+ledger") {
		t.Error(location)
	}
	if strings.Contains(server.get("/run", "id", runID), `<form action="/abandon"`) {
		t.Error("a run that is not in the ledger has the button")
	}
	db.register(runID, time.Now())
	reading := newServer(t, source, Options{})
	if strings.Contains(reading.get("/run", "id", runID), `<form action="/abandon"`) {
		t.Error("a page that is read-only has the button")
	}
	source.Abandon = func(context.Context, string, string) (sweep.Answer, error) {
		return sweep.Answer{}, errors.New("calling the sweep: denied")
	}
	failing := newServer(t, source, Options{AllowWrites: true})
	if status, _, text := failing.send("POST", "/abandon", form, nil); status != http.StatusBadGateway ||
		!strings.Contains(text, "denied") {
		t.Error(status, text)
	}
}

// A run that is still ignored by the sweep is not reconciled.
func TestReconcileOfARunThatCannotBeTakenUp(t *testing.T) {
	t.Parallel()
	db := newDB(5)
	db.register(runID, time.Now())
	source, reconciled := endingSource(db)
	if _, err := source.Abandon(t.Context(), runID, "gone"); err != nil {
		t.Fatal(err)
	}
	source.Resume = func(context.Context, string) (sweep.Answer, error) {
		return sweep.Answer{}, errors.New("denied")
	}
	server := newServer(t, source, Options{AllowWrites: true})
	status, _, text := server.send("POST", "/reconcile", url.Values{"run": {runID}}, nil)
	if status != http.StatusBadGateway || !strings.Contains(text, "denied") || *reconciled > 0 {
		t.Errorf("%d, %d executions: %s", status, *reconciled, text)
	}
}
