package page

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/report"
)

// register stores the run's item, as its first message does.
func (c *countingDB) register(run string, at time.Time) {
	c.Put(tables.Ledger.At("run", run), table.Item{"CorrelationId": run, "RegisteredAt": at.Unix(),
		"SnapshotType": "full", "ExportDate": "2026-11-22"})
}

// The list and the page of a run show its deadline, and since when it is late.
func TestPagesShowLateRuns(t *testing.T) {
	t.Parallel()
	const badge = `<span class="badge bad">late</span>`
	for name, c := range map[string]struct {
		after time.Duration
		late  bool
		shown string
	}{
		"late":    {time.Hour, true, "<dt>Late since</dt>"},
		"in time": {24 * time.Hour, false, "<dt>Deadline</dt>"},
		"never":   {0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(2)
			db.register(runID, time.Now().Add(-2*time.Hour))
			source := newSource(db)
			source.Settings.LateAfter = snapshot.LateAfter{"full": c.after}
			server := newServer(t, source, Options{})
			for _, page := range []string{server.get("/"), server.get("/run", "id", runID)} {
				if strings.Contains(page, badge) != c.late {
					t.Errorf("late: %v, want %v:\n%s", !c.late, c.late, page)
				}
			}
			page := server.get("/run", "id", runID)
			for _, term := range []string{"<dt>Late since</dt>", "<dt>Deadline</dt>"} {
				if strings.Contains(page, term) != (term == c.shown) {
					t.Errorf("%s: want %q", term, c.shown)
				}
			}
		})
	}
}

// While files arrive, the page says when all will have arrived, and what that means for the deadline. A reading that is
// shared by several pages counts once.
func TestForecastOfARun(t *testing.T) {
	t.Parallel()
	began := time.Now()
	deadline := began.Add(time.Hour)
	at := func(received int64) report.Run {
		return report.Run{Summary: report.Summary{Run: "run", Deadline: &deadline},
			Collections: []report.Collection{{Collection: "a", Status: "Sent", FilesReceived: received, FilesSent: 100,
				WaitsFor: report.ForFiles}}}
	}
	var all forecasts
	for range 2 {
		if got := all.take(at(10), began); got != (forecast{}) {
			t.Errorf("a forecast from one reading: %+v", got)
		}
	}
	ten := began.Add(10 * time.Second)
	want := forecast{ten.Add(80 * time.Second), ", 58m before the deadline"}
	for range 2 {
		if got := all.take(at(20), ten); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := all.take(at(20), ten.Add(time.Hour)); got != (forecast{}) {
		t.Errorf("nothing arrives any more: %+v", got)
	}
}

// The page of a run whose files arrive shows the forecast. That it ends is a change, too.
func TestForecastIsShown(t *testing.T) {
	t.Parallel()
	db := newDB(0)
	db.row("run", "a", "Sent", 1)
	viewTopic(t, db, topic{Kind: runTopic, Run: "run"}, nil, func(t *testing.T, _ *Server, sent *readings) {
		wait(time.Second)
		db.row("run", "a", "Sent", 2)
		wait(maxInterval)
		if live := sent.last().Value.(liveRun); !live.Known || live.Forecast.At.IsZero() {
			t.Errorf("no forecast: %+v", live.Forecast)
		}
		arriving := sent.last().Version
		wait(10 * time.Minute)
		if live := sent.last().Value.(liveRun); live.Known || sent.last().Version == arriving {
			t.Errorf("the forecast has not ended: %+v", live.Forecast)
		}
	})
}

func TestForecastOnThePage(t *testing.T) {
	t.Parallel()
	db := newDB(0)
	db.row("run", "a", "Sent", 2)
	server := newServer(t, newSource(db), Options{})
	before := report.Run{Summary: report.Summary{Run: "run"},
		Collections: []report.Collection{{Collection: "a", Status: "Sent", FilesReceived: 1, FilesSent: 10}}}
	server.pages.forecasts.take(before, time.Now().Add(-10*time.Second))
	if text := server.get("/run", "id", "run"); !strings.Contains(text, "<dt>All files expected</dt>") {
		t.Error(text)
	}
}
