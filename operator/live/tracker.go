// Package live follows a run: on a screen that updates itself, or line by line. Comparing two readings is pure, as is
// the screen.
package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Source reads the run. Its error is ErrUnknown if neither table knows the run.
type Source func(ctx context.Context) (report.Run, error)

// ErrUnknown is the error for a run that neither table knows.
var ErrUnknown = errors.New("the run is in neither table")

// Reading is the result of reading the run once.
type Reading struct {
	Run          report.Run
	Err          error
	Began, Ended time.Time
}

// readTimeout bounds one reading. A run of 10,000 collections takes seconds.
const readTimeout = 2 * time.Minute

// failure describes a reading that failed, and when it is tried again.
func failure(err error, again time.Duration) string {
	if errors.Is(err, ErrUnknown) {
		return fmt.Sprintf("%v (next reading in %s)", err, show.Duration(again))
	}
	return fmt.Sprintf("reading failed (next try in %s): %s", show.Duration(again), show.Clean(err.Error()))
}

// read reads the run once, within readTimeout.
func (s Source) read(ctx context.Context, now func() time.Time) Reading {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r := Reading{Began: now()}
	r.Run, r.Err = s(ctx)
	r.Ended = now()
	return r
}

// Tracker follows a run by its readings.
type Tracker struct {
	Run   report.Run // as it was read last
	At    time.Time  // when that reading began; zero if none has succeeded yet
	Err   error      // of the last reading
	Next  time.Time  // when it is to be read again
	every time.Duration
	fails int // in a row
	pace  pace
}

// NewTracker returns a Tracker that reads the run at once and then at this interval, if reading is quick enough.
func NewTracker(every time.Duration) Tracker { return Tracker{every: every} }

// Known reports whether the run was read at all.
func (t Tracker) Known() bool { return !t.At.IsZero() }

// Ended reports whether the run is successful or abandoned.
func (t Tracker) Ended() bool {
	return t.Known() && (t.Run.State == report.Successful || t.Run.State == report.Abandoned)
}

// Take adds a reading and returns the events since the last one that succeeded.
func (t Tracker) Take(r Reading) (Tracker, []Event) {
	t.Err, t.fails = r.Err, t.fails+1
	if r.Err == nil || errors.Is(r.Err, ErrUnknown) {
		t.fails = 0
	}
	t.Next = r.Ended.Add(pause(t.every, r.Ended.Sub(r.Began), t.fails))
	if r.Err != nil {
		return t, nil
	}
	var events []Event
	var files int64
	if t.Known() {
		events, files = Events(t.Run, r.Run), arrived(t.Run, r.Run)
	}
	t.pace = t.pace.after(files, r.Began)
	t.Run, t.At = r.Run, r.Began
	return t, events
}

// readingShare is the part of the time that reading may take, to limit the load on the tables.
const readingShare = 0.10

// maxRetry is the longest pause after a failed reading that was quick.
const maxRetry = time.Minute

// pause is how long to wait after a reading: every, or longer if reading would take more than readingShare. After
// failures in a row it doubles each time, and is at least as long as the failed reading took.
func pause(every, took time.Duration, failures int) time.Duration {
	wait := every
	for range min(failures, 10) {
		wait = min(2*wait, max(every, maxRetry))
	}
	if failures > 0 {
		return max(wait, took)
	}
	return max(wait, time.Duration(float64(took)*(1/readingShare-1)))
}

// pace is how many files had arrived at the times of the readings.
type pace []sample

type sample struct {
	at    time.Time
	files int64 // since the first sample
}

// rateWindow is the time over which a rate is taken. The last two readings count however far apart they are.
const rateWindow = time.Minute

// after adds a reading, with the files since the one before.
func (p pace) after(files int64, at time.Time) pace {
	if len(p) > 0 {
		files += p[len(p)-1].files
	}
	p = append(slices.Clone(p), sample{at, files})
	for len(p) > 2 && at.Sub(p[1].at) >= rateWindow {
		p = p[1:]
	}
	return p
}

// Rate is how many files arrived a second recently. It is unknown before the second reading.
func (t Tracker) Rate() (perSecond float64, over time.Duration, known bool) {
	if len(t.pace) == 0 {
		return 0, 0, false
	}
	first, last := t.pace[0], t.pace[len(t.pace)-1]
	if over = last.at.Sub(first.at); over <= 0 {
		return 0, 0, false
	}
	return float64(last.files-first.files) / over.Seconds(), over, true
}

// Quiet is how long ago the last message was counted; 0 if unknown.
func (t Tracker) Quiet() time.Duration {
	var newest time.Time
	for _, c := range t.Run.Collections {
		if c.LastMessage != nil && c.LastMessage.After(newest) {
			newest = *c.LastMessage
		}
	}
	if newest.IsZero() {
		return 0
	}
	return t.At.Sub(newest)
}

// AllFilesIn is when all files will have arrived at the present rate. It is known while files arrive and the sender has
// said for every collection how many it has.
func (t Tracker) AllFilesIn() (in time.Duration, known bool) {
	rate, _, _ := t.Rate()
	if rate <= 0 {
		return 0, false
	}
	var left int64
	for _, c := range t.Run.Collections {
		switch c.WaitsFor {
		case report.ForExport, report.ForRetry, report.ForSent, report.ForRepair, report.ForStatus:
			return 0, false
		}
		if is(c, snapshot.Sent) {
			left += max(0, c.FilesSent-c.FilesReceived)
		}
	}
	if left <= 0 {
		return 0, false
	}
	return time.Duration(float64(left) / rate * float64(time.Second)), true
}

// ByDeadline says how long before or after the deadline all files will have arrived, "" without a deadline.
func (t Tracker) ByDeadline(in time.Duration) string {
	if t.Run.Deadline == nil {
		return ""
	}
	left := t.Run.Deadline.Sub(t.At.Add(in))
	if left < 0 {
		return ", " + show.Duration(-left) + " after the deadline"
	}
	return ", " + show.Duration(left) + " before the deadline"
}

// arrived counts the files that arrived between two readings. Counters that were set back do not reduce it.
func arrived(before, after report.Run) (files int64) {
	was := byName(before)
	for _, c := range after.Collections {
		old := was[c.Collection]
		if exportedAgain(old, c) {
			old.FilesReceived = 0
		}
		files += max(0, c.FilesReceived-old.FilesReceived)
	}
	return files
}

// waiting counts what the collections wait for, except nothing; kinds are in the collections' order.
func waiting(all []report.Collection) (kinds []report.WaitsFor, counts map[report.WaitsFor]int) {
	counts = map[report.WaitsFor]int{}
	for _, c := range all {
		if c.WaitsFor == report.ForNothing {
			continue
		}
		if counts[c.WaitsFor]++; counts[c.WaitsFor] == 1 {
			kinds = append(kinds, c.WaitsFor)
		}
	}
	return kinds, counts
}
