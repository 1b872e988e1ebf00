package page

import (
	"context"
	"net/http"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/operator/report"
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

// read reads what is watched: a run, or the list of runs.
func (s *Server) read(ctx context.Context, key string) (any, error) {
	if key == "" {
		return s.newest(ctx)
	}
	return s.readRun(ctx, key)
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
		group.Go(func() error {
			read, err := s.readRun(ctx, run.CorrelationID)
			list.Runs[i] = read.Summary
			return err
		})
	}
	return list, group.Wait()
}

func (s *Server) runsPage(r *http.Request) (view, error) {
	read, err := s.hub.latest(r.Context(), "")
	return view{Template: "runs.html", Title: "Runs", Live: "", Version: read.Version, Data: read.Value}, err
}
