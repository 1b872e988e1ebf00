package live

import (
	"errors"
	"testing"
	"time"

	"snapshot-status-checker/operator/report"
)

func TestPause(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		every, took time.Duration
		failures    int
		want        time.Duration
	}{
		"QuickReading":         {every: 2 * time.Second, took: 100 * time.Millisecond, want: 2 * time.Second},
		"ATenthOfTheTime":      {every: 2 * time.Second, took: 3 * time.Second, want: 27 * time.Second},
		"Failed":               {every: 2 * time.Second, failures: 1, want: 4 * time.Second},
		"FailedAgain":          {every: 2 * time.Second, failures: 3, want: 16 * time.Second},
		"FailedOften":          {every: 2 * time.Second, failures: 1000, want: time.Minute},
		"FailedAndRare":        {every: 5 * time.Minute, failures: 2, want: 5 * time.Minute},
		"FailedAfterALongTime": {every: 2 * time.Second, took: 2 * time.Minute, failures: 1, want: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := pause(test.every, test.took, test.failures); got.Round(time.Millisecond) != test.want {
				t.Errorf("pause = %v, want %v", got, test.want)
			}
		})
	}
}

// reading is a reading that begins and ends at that second.
func reading(second float64, run report.Run) Reading {
	return Reading{Run: run, Began: at(second), Ended: at(second)}
}

func receivedFiles(files ...int64) report.Run {
	run := report.Run{}
	for i, n := range files {
		run.Collections = append(run.Collections, report.Collection{
			Collection: string(rune('a' + i)), Status: "Sent", FilesReceived: n, FilesSent: 1000,
			WaitsFor: report.ForFiles,
		})
	}
	return run
}

func TestRate(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(time.Second)
	take := func(second float64, run report.Run) { tracker, _ = tracker.Take(reading(second, run)) }
	want := func(rate float64, over time.Duration) {
		t.Helper()
		gotRate, gotOver, known := tracker.Rate()
		if !known || gotRate != rate || gotOver != over {
			t.Errorf("rate = %v over %v (known: %v), want %v over %v", gotRate, gotOver, known, rate, over)
		}
	}
	take(0, receivedFiles(100, 100))
	if _, _, known := tracker.Rate(); known {
		t.Error("the rate is known after one reading")
	}
	take(10, receivedFiles(150, 150)) // what had arrived before the first reading does not count
	want(10, 10*time.Second)
	take(20, receivedFiles(150, 150))
	want(5, 20*time.Second)
	again := receivedFiles(30, 170) // the first was exported again: 30 files of the new epoch
	again.Collections[0].Epoch = 150
	take(50, again)
	want(3, 50*time.Second)
	take(80, again) // the readings at 0 and 10 are out of the window; that at 20 is its beginning
	want(50.0/60, time.Minute)
	take(500, again)
	want(0, 420*time.Second)
}

func TestAllFilesIn(t *testing.T) {
	t.Parallel()
	after := func(second []report.Collection) Tracker {
		tracker, _ := NewTracker(time.Second).Take(reading(0, report.Run{Collections: []report.Collection{
			one("Sent", 0, 0, report.ForFiles)}}))
		tracker, _ = tracker.Take(reading(10, report.Run{Collections: second}))
		return tracker
	}
	other := func(c report.Collection) report.Collection { c.Collection = "db.b"; return c }
	half := one("Sent", 20, 40, report.ForFiles)
	for name, test := range map[string]struct {
		collections []report.Collection
		want        time.Duration
		known       bool
	}{
		"OK": {[]report.Collection{half, other(one("SENT", 0, 10, report.ForFiles))}, 15 * time.Second, true},
		// it is read while its files are counted
		"BehindTheLedger": {[]report.Collection{one("Sent", 20, 40, report.ForReconciliation)}, 10 * time.Second, true},
		"StuckOnesGetNoFiles": {[]report.Collection{half, other(one("Blocked_Topic", 0, 10, report.ForManualAction))},
			10 * time.Second, true},
		"SenderNotFinished": {[]report.Collection{half, other(one("", 0, 10, report.ForExport))}, 0, false},
		"NoneArrive":        {[]report.Collection{one("Sent", 0, 40, report.ForFiles)}, 0, false},
		"AllArrived":        {[]report.Collection{one("", 40, 40, report.ForSuccessFile)}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, known := after(test.collections).AllFilesIn(); got != test.want || known != test.known {
				t.Errorf("all files in %v (known: %v), want %v (%v)", got, known, test.want, test.known)
			}
		})
	}
}

// A reading that fails keeps what was known, and is tried again.
func TestFailedReadingKeepsWhatWasKnown(t *testing.T) {
	t.Parallel()
	tracker, _ := NewTracker(2 * time.Second).Take(reading(0, oneCollection()))
	throttled := errors.New("throttled")
	tracker, events := tracker.Take(Reading{Err: throttled, Began: at(2), Ended: at(3)})
	if tracker.Err != throttled || events != nil || tracker.Run.Run != "run-1" || !tracker.At.Equal(at(0)) {
		t.Errorf("tracker = %+v, events = %v", tracker, events)
	}
	if want := at(7); !tracker.Next.Equal(want) { // twice the pause
		t.Errorf("next = %v, want %v", tracker.Next, want)
	}
	tracker, events = tracker.Take(reading(14, with(oneCollection(), func(c *report.Collection) {
		c.FilesReceived, c.Status, c.WaitsFor = 10, "Received", report.ForSuccessFile
	})))
	if tracker.Err != nil || len(events) != 1 || events[0].Kind != Received {
		t.Errorf("err = %v, events = %v", tracker.Err, events)
	}
}

// The time since the last message includes the time before watch began.
func TestQuietSinceBeforeTheFirstReading(t *testing.T) {
	t.Parallel()
	run := receivedFiles(7, 9)
	long, longer := at(-540), at(-3600)
	run.Collections[0].LastMessage, run.Collections[1].LastMessage = &longer, &long
	tracker, _ := NewTracker(time.Second).Take(reading(0, run))
	if tracker, _ = tracker.Take(reading(2, run)); speed(tracker) != "none for 9m" {
		t.Errorf("says %q, want for how long none has come", speed(tracker))
	}
	for i := range run.Collections {
		run.Collections[i].LastMessage = nil
	}
	if tracker, _ = tracker.Take(reading(4, run)); speed(tracker) != "none for 4s" {
		t.Errorf("says %q, want what is known", speed(tracker))
	}
}
