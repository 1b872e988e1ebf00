package page

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/operator/report"
)

// How many runs are listed, and how many of them are read at one time.
const (
	mostRuns   = 20
	sideBySide = 4
)

// runList are the newest runs.
type runList struct {
	Runs  []report.Summary
	Older int // that are left out
}

func (s *Server) newest(ctx context.Context) (runList, error) {
	runs, err := s.Store.Runs(ctx)
	if err != nil {
		return runList{}, err
	}
	report.NewestFirst(runs)
	list := runList{Older: max(0, len(runs)-mostRuns)}
	runs = runs[:min(len(runs), mostRuns)]
	list.Runs = make([]report.Summary, len(runs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	for i, run := range runs {
		group.Go(func() (err error) {
			list.Runs[i], err = s.summary(ctx, run.CorrelationID)
			return err
		})
	}
	return list, group.Wait()
}

// finishedEvery is how often the list reads a run that has ended: a collection of it may still be exported again.
const finishedEvery = 5 * time.Minute

// summary reads a run for the list; of one that has ended it is remembered.
func (s *Server) summary(ctx context.Context, correlationID string) (report.Summary, error) {
	summary, err := s.finished.get(correlationID, s.Now(), finishedEvery, func() (report.Summary, error) {
		run, err := s.readRun(ctx, correlationID)
		return run.Summary, err
	})
	if err != nil || summary.State != report.Successful && summary.State != report.Abandoned {
		s.finished.forget(correlationID)
	}
	return summary, err
}

func (s *Server) runsPage(r *http.Request) (view, error) {
	of := topic{Of: ofRuns}
	list, read, err := latest[runList](r.Context(), s.hub, of)
	return view{Template: "runs.html", Title: "Runs", Live: of.String(), Version: read.Version, Data: list}, err
}
