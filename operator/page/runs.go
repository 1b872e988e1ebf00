package page

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
	tracking "snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/report"
)

const (
	maxRuns         = 20 // in the list
	concurrentReads = 4
	// A run that has ended is read this often for the list: one of its collections may be exported again.
	endedInterval = 5 * time.Minute
	// Queues, executions and messages are read at most this often.
	surroundingsInterval = 5 * time.Second
)

// runList lists the newest runs.
type runList struct {
	Runs      []report.Summary
	Older     int    // not listed
	Malformed string // why some are not listed
}

func (s *Server) newestRuns(ctx context.Context) (runList, error) {
	runs, malformed := s.Store.Runs(ctx)
	if malformed != nil && !report.Malformed(malformed) {
		return runList{}, malformed
	}
	report.NewestFirst(runs)
	list := runList{Older: max(0, len(runs)-maxRuns)}
	runs = runs[:min(len(runs), maxRuns)]
	summaries, unread := make([]report.Summary, len(runs)), make([]error, len(runs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentReads)
	for i, run := range runs {
		group.Go(func() (err error) {
			if summaries[i], err = s.summary(ctx, run.CorrelationID); report.Malformed(err) {
				unread[i], err = err, nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return runList{}, err
	}
	for i, summary := range summaries {
		if malformed = errors.Join(malformed, unread[i]); unread[i] == nil {
			list.Runs = append(list.Runs, summary)
		}
	}
	if malformed != nil {
		list.Malformed = malformed.Error()
	}
	return list, nil
}

// summary reads a run for the list. The cache holds only runs that have ended, and not by hand: a message takes such a
// run up again.
func (s *Server) summary(ctx context.Context, correlationID string) (report.Summary, error) {
	summary, err := s.endedRuns.get(correlationID, s.Now(), endedInterval, func() (report.Summary, error) {
		run, err := s.readRun(ctx, correlationID)
		return run.Summary, err
	})
	ended := summary.State == report.Successful || summary.State == report.Abandoned && summary.Abandonment == nil
	if err != nil || !ended {
		s.endedRuns.forget(correlationID)
	}
	return summary, err
}

func (s *Server) runsPage(r *http.Request) (view, error) {
	of := topic{Kind: runsTopic}
	list, read, err := latest[runList](r.Context(), s.hub, of)
	return view{Template: "runs.html", Title: "Runs", Live: of.String(), Version: read.Version, Data: list}, err
}

// readRun reads a run, or returns notFound if neither table has it.
func (s *Server) readRun(ctx context.Context, correlationID string) (report.Run, error) {
	state, err := s.Store.Run(ctx, correlationID)
	if err != nil {
		return report.Run{}, err
	}
	if state.Run == nil && len(state.Collections) == 0 {
		return report.Run{}, notFound("Neither table has the run " + correlationID + ".")
	}
	return report.New(correlationID, state, s.Settings, s.Now()), nil
}

// run returns the stored state of a run with its reading.
func (s *Server) run(ctx context.Context, correlationID string) (report.Run, reading, error) {
	return latest[report.Run](ctx, s.hub, topic{Kind: tablesTopic, Run: correlationID})
}

// surroundings are the queues and executions of a run.
type surroundings struct {
	Around  report.Evidence
	Partial bool   // not all could be read
	err     string // the text may differ each time
}

// liveRun is the value of a run's topic.
type liveRun struct {
	Run      report.Run `json:"-"`
	Tables   string     // version of the run
	Known    bool       // there is a forecast
	Forecast forecast   `json:"-"` // differs at each reading
	surroundings
}

func (s *Server) readLiveRun(ctx context.Context, run report.Run, tables reading) (liveRun, error) {
	near, err := s.readSurroundings(ctx, run)
	expected := s.forecast(run, tables.At)
	return liveRun{run, tables.Version, !expected.At.IsZero(), expected, near}, err
}

// readSurroundings reads what surrounds a run that is not done. A failure is cached as well.
func (s *Server) readSurroundings(ctx context.Context, run report.Run) (surroundings, error) {
	if run.State == report.Successful || s.Around == nil {
		return surroundings{}, nil
	}
	return s.surroundings.get(run.Summary.Run, s.Now(), surroundingsInterval, func() (near surroundings, err error) {
		if near.Around, err = s.Around(ctx, run.Summary.Run); err != nil {
			near.Partial, near.err = true, err.Error()
		}
		return near, ctx.Err()
	})
}

// forecast says when all files of a run will have arrived at the present speed.
type forecast struct {
	At         time.Time // zero if unknown
	ByDeadline string    // how long before or after the deadline
}

// forecast compares a reading of a run with the last ones. One that they contain already changes nothing.
func (s *Server) forecast(run report.Run, at time.Time) forecast {
	e, release := s.trackers.hold(run.Summary.Run)
	defer release()
	if at.After(e.value.At) {
		e.value, _ = e.value.Take(tracking.Reading{Run: run, Began: at, Ended: at})
	}
	in, known := e.value.AllFilesIn()
	if !known {
		return forecast{}
	}
	return forecast{e.value.At.Add(in), e.value.ByDeadline(in)}
}

// runView is the page of a run.
type runView struct {
	report.Run
	Findings     []report.Finding
	Partial      string // why the findings may be incomplete
	Forecast     forecast
	HeatMap      heatMap
	Table        collectionTable
	CanReconcile bool
	CanAbandon   bool
	MaxReason    int
}

func (s *Server) runPage(r *http.Request) (view, error) {
	of := topic{Kind: runTopic, Run: r.URL.Query().Get("id")}
	live, read, err := latest[liveRun](r.Context(), s.hub, of)
	if err != nil {
		return view{}, err
	}
	run := live.Run
	return view{Template: "run.html", Title: run.Summary.Run, Live: of.String(), Version: read.Version,
		Data: runView{Run: run, HeatMap: newHeatMap(run), Table: newCollectionTable(run, r.URL.Query()),
			Findings: report.Why(run, live.Around, s.Command), Partial: live.err, Forecast: live.Forecast,
			CanReconcile: s.AllowWrites && s.Reconcile != nil && run.State != report.Successful,
			CanAbandon:   s.canAbandon(run), MaxReason: snapshot.MaxReason}}, nil
}
