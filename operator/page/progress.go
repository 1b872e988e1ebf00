package page

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"snapshot-status-checker/operator/report"
)

// No table holds the history of a run. Its progress is derived from the times of its receipts, of at most so many
// collections and so many receipts of each: one query or a few for each collection.
const (
	sampledCollections = 200
	sampledReceipts    = 2000
	maxPoints          = 240
	progressInterval   = 10 * time.Second
)

// progress is the number of files received over time.
type progress struct {
	Points  []point `json:"points"`
	Sampled int     `json:"sampled"` // collections that were read
	Of      int     `json:"of"`
	Cut     bool    `json:"cut"` // not all of their receipts were read
}

// Exact reports whether all receipts were read.
func (p progress) Exact() bool { return p.Sampled == p.Of && !p.Cut }

// point is the state of a run at a moment.
type point struct {
	At    int64 `json:"at"` // seconds
	Files int64 `json:"files"`
	Sent  int64 `json:"sent,omitempty"` // known of live readings only
}

// Time is the moment.
func (p point) Time() time.Time { return time.Unix(p.At, 0).UTC() }

// pointOf is the point of a run's reading; nil for other topics.
func pointOf(r reading) *point {
	live, ok := r.Value.(liveRun)
	if !ok {
		return nil
	}
	return &point{At: r.At.Unix(), Files: live.Run.FilesReceived, Sent: live.Run.FilesSent}
}

// progressOf reads the progress of the run that a request names.
func (s *Server) progressOf(r *http.Request) (report.Run, progress, error) {
	run, _, err := s.run(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		return run, progress{}, err
	}
	p, err := s.progress.get(run.Summary.Run, s.Now(), progressInterval,
		func() (progress, error) { return s.readProgress(r.Context(), run) })
	return run, p, err
}

func (s *Server) readProgress(ctx context.Context, run report.Run) (progress, error) {
	sampled := sample(slices.SortedFunc(slices.Values(run.Collections), byName), sampledCollections)
	counted := make([][]int64, len(sampled))
	cut := make([]bool, len(sampled))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * concurrentReads)
	for i, c := range sampled {
		group.Go(func() error {
			read, err := s.readReceipts(ctx, run.Summary.Run, c.Collection, sampledReceipts)
			for _, receipt := range read.Newest {
				if !receipt.Success && !receipt.Repeated {
					counted[i] = append(counted[i], receipt.ReceivedAt.Unix())
				}
			}
			cut[i] = read.More
			return err
		})
	}
	err := group.Wait()
	p := progress{Sampled: len(sampled), Of: len(run.Collections), Cut: slices.Contains(cut, true)}
	p.Points = points(slices.Concat(counted...), run.FilesReceived, p.Exact())
	return p, err
}

// sample picks at most n of a list, spread evenly.
func sample[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	picked := make([]T, n)
	for i := range picked {
		picked[i] = all[i*len(all)/n]
	}
	return picked
}

// points adds up the moments at which files were counted. A sample is scaled to the number received.
func points(moments []int64, received int64, exact bool) []point {
	if len(moments) == 0 {
		return []point{}
	}
	slices.Sort(moments)
	scale := 1.0
	if !exact {
		scale = float64(received) / float64(len(moments))
	}
	first, last := moments[0], moments[len(moments)-1]
	step := max(1, (last-first+maxPoints-1)/maxPoints)
	found := []point{{At: first - 1}}
	for at := first; at < last+step; at += step {
		n := sort.Search(len(moments), func(i int) bool { return moments[i] > at })
		found = append(found, point{At: min(at, last), Files: int64(float64(n)*scale + 0.5)})
	}
	return found
}

func (s *Server) progressJSON(w http.ResponseWriter, r *http.Request) {
	_, p, err := s.progressOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(p)
}

// progressView is the progress as a table, the newest point first.
type progressView struct {
	progress
	Run string
}

func (s *Server) progressPage(r *http.Request) (view, error) {
	run, p, err := s.progressOf(r)
	p.Points = slices.Clone(p.Points)
	slices.Reverse(p.Points)
	return view{Template: "progress.html", Title: "Progress of " + run.Summary.Run,
		Data: progressView{p, run.Summary.Run}}, err
}
