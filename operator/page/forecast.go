package page

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	tracking "snapshot-status-checker/operator/live"
	"snapshot-status-checker/operator/report"
)

// forecast says when all files of a run will have arrived at the present speed.
type forecast struct {
	At         time.Time // zero if unknown
	ByDeadline string    // how long before or after the deadline
}

// forecasts compare the readings of the runs with viewers.
type forecasts struct {
	mu       sync.Mutex
	trackers *simplelru.LRU[string, tracking.Tracker]
}

// take adds a reading of a run, unless it has it, and returns the forecast since the last readings.
func (f *forecasts) take(run report.Run, at time.Time) (found forecast) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trackers == nil {
		f.trackers, _ = simplelru.NewLRU[string, tracking.Tracker](maxEntries, nil) // fails only without a size
	}
	tracker, _ := f.trackers.Get(run.Summary.Run)
	if at.After(tracker.At) {
		tracker, _ = tracker.Take(tracking.Reading{Run: run, Began: at, Ended: at})
		f.trackers.Add(run.Summary.Run, tracker)
	}
	if in, known := tracker.AllFilesIn(); known {
		found = forecast{tracker.At.Add(in), tracker.ByDeadline(in)}
	}
	return found
}
