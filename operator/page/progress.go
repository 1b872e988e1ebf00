package page

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// There is no table of a run's history. Its progress is made from the times at which its messages were counted, of so
// many collections and so many messages of each at most: one query or a few for each collection.
const (
	sampledCollections = 200
	sampledMessages    = 2000
	mostPoints         = 240
)

// progress is how many files had come by when.
type progress struct {
	Points  []point `json:"points"`
	Sampled int     `json:"sampled"` // collections that were read
	Of      int     `json:"of"`
	Cut     bool    `json:"cut"` // not all of their messages were
}

// Exact reports whether every message was read.
func (p progress) Exact() bool { return p.Sampled == p.Of && !p.Cut }

// point is a moment of a run.
type point struct {
	At    int64 `json:"at"` // seconds
	Files int64 `json:"files"`
	Sent  int64 `json:"sent,omitempty"` // of what was read while somebody watched
}

// Time is the moment.
func (p point) Time() time.Time { return time.Unix(p.At, 0).UTC() }

// pointOf is the moment that was just read of a run, nil of anything else.
func pointOf(r reading) *point {
	seen, ok := r.Value.(watchedRun)
	if !ok {
		return nil
	}
	return &point{At: r.At.Unix(), Files: seen.Run.FilesReceived, Sent: seen.Run.FilesSent}
}

// progressOf reads the progress of a run.
func (s *Server) progressOf(ctx context.Context, run report.Run) (progress, error) {
	const longest = 10 * time.Second
	return s.progress.get(run.Summary.Run, s.Now(), longest,
		func() (progress, error) { return s.readProgress(ctx, run) })
}

func (s *Server) readProgress(ctx context.Context, run report.Run) (progress, error) {
	sample := evenly(byName(run.Collections), sampledCollections)
	counted := make([][]int64, len(sample))
	cut := make([]bool, len(sample))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * sideBySide)
	for i, c := range sample {
		group.Go(func() error {
			key := snapshot.CollectionKey{CorrelationID: run.Summary.Run, CollectionName: c.Collection}
			err := s.Store.Receipts(ctx, key, func(receipt store.Receipt) error {
				if len(counted[i]) == sampledMessages {
					return errEnough
				}
				if !receipt.Success {
					counted[i] = append(counted[i], receipt.ReceivedAt.Unix())
				}
				return nil
			})
			if cut[i] = errors.Is(err, errEnough); cut[i] {
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	p := progress{Sampled: len(sample), Of: len(run.Collections), Cut: slices.Contains(cut, true)}
	p.Points = points(slices.Concat(counted...), run.FilesReceived, p.Exact())
	return p, err
}

// evenly picks so many of a list at most, spread over it.
func evenly[T any](all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	picked := make([]T, 0, most)
	for i := range most {
		picked = append(picked, all[i*len(all)/most])
	}
	return picked
}

// points adds up the moments at which messages were counted. Of a sample they are scaled to what came in all.
func points(moments []int64, received int64, exact bool) []point {
	slices.Sort(moments)
	scale := 1.0
	if !exact && len(moments) > 0 {
		scale = float64(received) / float64(len(moments))
	}
	if len(moments) == 0 {
		return []point{}
	}
	first, last := moments[0], moments[len(moments)-1]
	step := max(1, (last-first+mostPoints-1)/mostPoints)
	found := []point{{At: first - 1}}
	for at := first; at < last+step; at += step {
		until, _ := slices.BinarySearchFunc(moments, at, func(m, at int64) int {
			return cmp.Or(cmp.Compare(m, at),
				-1)
		})
		found = append(found, point{At: min(at, last), Files: int64(float64(until)*scale + 0.5)})
	}
	return found
}

func (s *Server) progressJSON(w http.ResponseWriter, r *http.Request) {
	run, err := s.run(r, "id")
	var p progress
	if err == nil {
		p, err = s.progressOf(r.Context(), run)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p)
}

// progressView is the progress as a table.
type progressView struct {
	progress
	Run report.Summary
}

func (s *Server) progressPage(r *http.Request) (view, error) {
	run, err := s.run(r, "id")
	if err != nil {
		return view{}, err
	}
	p, err := s.progressOf(r.Context(), run)
	p.Points = slices.Clone(p.Points)
	slices.Reverse(p.Points)
	return view{Template: "progress.html", Title: "Progress of " + run.Summary.Run, Data: progressView{p, run.Summary}},
		err
}
