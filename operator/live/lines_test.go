package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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

// scenario is a run of one collection, read until it is done.
func scenario() []Reading {
	run := oneCollection()
	late := with(run, func(c *report.Collection) {
		c.FilesReceived, c.Status, c.WaitsFor = 10, "Received", report.ForSuccessFile
	})
	late.State, late.Notifications = report.Received, notifications(report.Delivered, report.NotDue)
	done := with(late, func(c *report.Collection) { c.Status, c.WaitsFor = "Success", report.ForNothing })
	done.State, done.Notifications = report.Successful, notifications(report.Delivered, report.Delivered)
	return []Reading{{Err: ErrUnknown}, {Err: ErrUnknown}, {Run: run}, {Run: run},
		{Err: errors.New("ThrottlingException")}, {Run: run}, {Run: late}, {Run: done}}
}

// A line for each change, as text and as JSON; nothing for a reading that changed nothing.
func TestLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text, lines bytes.Buffer
		o := Options{Name: "run-1", Every: 2 * time.Second, Wait: true, Now: time.Now}
		last, err := Lines(t.Context(), o, source(t, 100*time.Millisecond, scenario()...), func(line Line) error {
			text.WriteString(line.Text(show.Printer{}) + "\n")
			return json.NewEncoder(&lines).Encode(line)
		})
		if err != nil || last.Run.State != report.Successful {
			t.Errorf("state = %v, err = %v", last.Run.State, err)
		}
		goldenText(t, "lines.txt", text.String())
		goldenText(t, "lines.jsonl", lines.String())
	})
}

func goldenText(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestLinesEnd(t *testing.T) {
	t.Parallel()
	written := errors.New("broken pipe")
	for name, test := range map[string]struct {
		o        Options
		readings []Reading
		write    error
		lines    int
		want     error
		unknown  bool
	}{
		"Unknown":    {readings: []Reading{{Err: ErrUnknown}}, unknown: true},
		"BrokenPipe": {readings: []Reading{{Run: oneCollection()}}, write: written, lines: 1, want: written},
		"ContextEnded": {readings: []Reading{{Run: oneCollection()}, {Run: oneCollection()}, {Run: oneCollection()}},
			lines: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				test.o.Every, test.o.Now = 2*time.Second, time.Now
				lines := 0
				last, err := Lines(ctx, test.o, source(t, time.Millisecond, test.readings...), func(Line) error {
					lines++
					return test.write
				})
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
