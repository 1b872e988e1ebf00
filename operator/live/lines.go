package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// Line is a reading with its events. Its JSON is a line of `snapshot-status watch --output json`.
type Line struct {
	At       time.Time               `json:"at"`                // when the reading began
	Run      *report.Summary         `json:"summary,omitempty"` // absent if the reading failed
	WaitsFor map[report.WaitsFor]int `json:"waits_for,omitempty"`
	// over the last minute, or the last two readings; absent after the first
	FilesPerSecond *float64   `json:"files_per_second,omitempty"`
	AllFilesIn     *float64   `json:"all_files_in_seconds,omitempty"` // if known
	Events         []Event    `json:"events"`
	Error          string     `json:"error,omitempty"`
	Again          *time.Time `json:"again,omitempty"` // when a failed reading is tried again

	tracker Tracker
}

// Lines writes the first reading and each one that changed something, until the run is done or the context ends. The
// error is that of write.
func Lines(ctx context.Context, o Options, source Source, write func(Line) error) (Tracker, error) {
	t := NewTracker(o.Every)
	for {
		r := source.read(ctx, o.Now)
		if ctx.Err() != nil {
			return t, nil
		}
		before := t
		var events []Event
		t, events = t.Take(r)
		// already written, or left to the caller
		unknown := errors.Is(t.Err, ErrUnknown) && (o.over(t) || errors.Is(before.Err, ErrUnknown))
		if changed(before, t, events) && !unknown {
			if err := write(newLine(t, r, events)); err != nil {
				return t, err
			}
		}
		if o.over(t) {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, nil
		case <-time.After(t.Next.Sub(o.Now())):
		}
	}
}

func changed(before, after Tracker, events []Event) bool {
	return after.Err != nil || before.Err != nil || len(events) > 0 ||
		progress(before.Run.Summary) != progress(after.Run.Summary)
}

// progress is a summary without its times, and without the abandonment, which its state tells.
func progress(s report.Summary) report.Summary {
	s.FirstMessage, s.LastProgress, s.Deadline, s.Abandonment = nil, nil, nil, nil
	return s
}

func newLine(t Tracker, r Reading, events []Event) Line {
	line := Line{At: r.Began, Events: append([]Event{}, events...), tracker: t}
	if t.Err != nil {
		line.Error, line.Again = t.Err.Error(), &t.Next
		return line
	}
	summary := t.Run.Summary
	line.Run = &summary
	_, line.WaitsFor = waiting(t.Run.Collections)
	if rate, _, known := t.Rate(); known {
		line.FilesPerSecond = &rate
	}
	if in, known := t.AllFilesIn(); known {
		seconds := in.Seconds()
		line.AllFilesIn = &seconds
	}
	return line
}

// label is a run's state and, beside it, how long the run is late or has until its deadline.
func label(run report.Summary, now time.Time) string {
	switch {
	case run.Late:
		return run.Label() + " for " + show.Duration(now.Sub(*run.Deadline))
	case run.Deadline != nil:
		return run.Label() + ", deadline in " + show.Duration(run.Deadline.Sub(now))
	}
	return run.Label()
}

// Text is the line for people.
func (l Line) Text(p show.Printer) string {
	at := l.At.UTC().Format(time.DateTime)
	if l.Run == nil {
		return at + " " + p.Tone(show.Bad, failure(l.tracker.Err, l.Again.Sub(l.At)))
	}
	parts := []string{fmt.Sprintf("%s %s: %d of %d collections received, %d successful, %d of %d files", at,
		p.Tone(l.Run.Tone(), label(*l.Run, l.At)),
		l.Run.Received, l.Run.Collections, l.Run.Successful, l.Run.FilesReceived, l.Run.FilesSent)}
	if speed := speed(l.tracker); speed != "" {
		parts[0] += " (" + speed + ")"
	}
	for _, s := range Sentences(l.Events) {
		parts = append(parts, p.Tone(s.Kind.tone(), s.Text))
	}
	return strings.Join(parts, "; ")
}
