package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// source plays readings; each takes so long.
func source(t *testing.T, took time.Duration, readings ...Reading) Source {
	return func(ctx context.Context) (report.Run, error) {
		if len(readings) == 0 {
			t.Error("one reading too many")
			return report.Run{}, errors.New("no more readings")
		}
		next := readings[0]
		readings = readings[1:]
		select {
		case <-ctx.Done():
			return report.Run{}, ctx.Err()
		case <-time.After(took):
			return next.Run, next.Err
		}
	}
}

// scenario is a run of one collection, read until it is done. Each reading has its own pointers.
func scenario() (all []Reading) {
	began := time.Now()
	read := func(c report.Collection, state report.State, received, successful report.DeliveryState) *report.Run {
		first, deadline := began, began.Add(20*time.Second)
		run := sum(report.Run{Summary: report.Summary{Run: "run-1", State: state, FirstMessage: &first,
			Deadline: &deadline}, Notifications: notifications(received, successful),
			Collections: []report.Collection{c}})
		if state == report.Successful || state == report.Abandoned {
			run.Deadline = nil // as in the report
		}
		all = append(all, Reading{Run: run})
		return &all[len(all)-1].Run
	}
	fails := func(err error) { all = append(all, Reading{Err: err}) }
	const inProgress, notDue, delivered = report.InProgress, report.NotDue, report.Delivered
	few := one("Sent", 2, 20, report.ForFiles)
	fails(ErrUnknown)
	fails(ErrUnknown)
	read(few, inProgress, notDue, notDue)
	read(few, inProgress, notDue, notDue)
	fails(errors.New("ThrottlingException"))
	read(few, inProgress, notDue, notDue)
	read(one("Sent", 17, 20, report.ForFiles), inProgress, notDue, notDue)
	read(one("Sent", 18, 20, report.ForFiles), inProgress, notDue, notDue)
	read(one("Sent", 18, 20, report.ForFiles), inProgress, notDue, notDue)
	read(one("Sent", 19, 20, report.ForFiles), inProgress, notDue, notDue).Late = true
	read(one("Sent", 19, 20, report.ForFiles), report.Abandoned, notDue, notDue).Abandonment =
		&report.Abandonment{At: began, Reason: "its host is gone"}
	read(one("Sent", 19, 20, report.ForFiles), report.Abandoned, notDue, notDue).Abandonment =
		&report.Abandonment{At: began, Reason: "its host is gone"}
	read(one("Received", 20, 20, report.ForSuccessFile), report.Received, delivered, notDue).Late = true
	read(one("Success", 20, 20, report.ForNothing), report.Successful, delivered, delivered)
	return all
}

// A line for each change, as text and as JSON; nothing for a reading that changed nothing.
func TestLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text, lines bytes.Buffer
		o := Options{Name: "run-1", Every: 2 * time.Second, Wait: true, Stay: true, Now: time.Now}
		ctx, cancel := context.WithCancel(t.Context())
		last, err := Lines(ctx, o, source(t, 100*time.Millisecond, scenario()...), func(line Line) error {
			text.WriteString(line.Text(show.Printer{}) + "\n")
			if line.Run != nil && line.Run.State == report.Successful {
				cancel()
			}
			return json.NewEncoder(&lines).Encode(line)
		})
		if err != nil || last.Run.State != report.Successful {
			t.Errorf("state = %v, err = %v", last.Run.State, err)
		}
		golden(t, "lines.txt", text.String())
		golden(t, "lines.jsonl", lines.String())
	})
}

func TestLinesEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	done := Reading{Run: report.Run{Summary: report.Summary{State: report.Successful}}}
	still := Reading{Run: oneCollection()}
	for name, test := range map[string]struct {
		readings []Reading
		write    error
		lines    int
		want     error
		unknown  bool
	}{
		"Done":         {readings: []Reading{still, done}, lines: 2},
		"Unknown":      {readings: []Reading{{Err: ErrUnknown}}, unknown: true},
		"BrokenPipe":   {readings: []Reading{still}, write: broken, lines: 1, want: broken},
		"ContextEnded": {readings: []Reading{still, still, still}, lines: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				lines := 0
				last, err := Lines(ctx, Options{Every: 2 * time.Second, Now: time.Now},
					source(t, time.Millisecond, test.readings...), func(Line) error { lines++; return test.write })
				if !errors.Is(err, test.want) || lines != test.lines ||
					errors.Is(last.Err, ErrUnknown) != test.unknown {
					t.Errorf("err = %v, %d lines, last error %v", err, lines, last.Err)
				}
			})
		})
	}
}

// A reading that hangs is given up.
func TestReadingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := source(t, time.Hour, Reading{}).read(t.Context(), time.Now)
		if !errors.Is(r.Err, context.DeadlineExceeded) || r.Ended.Sub(r.Began) != readTimeout {
			t.Errorf("err = %v after %v", r.Err, r.Ended.Sub(r.Began))
		}
	})
}
