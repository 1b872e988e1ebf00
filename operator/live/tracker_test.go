package live

import (
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
		"QuickReading":         {2 * time.Second, 100 * time.Millisecond, 0, 2 * time.Second},
		"ATenthOfTheTime":      {2 * time.Second, 3 * time.Second, 0, 27 * time.Second},
		"FailedAgain":          {2 * time.Second, 0, 3, 16 * time.Second},
		"FailedOften":          {2 * time.Second, 0, 1000, time.Minute},
		"FailedAndRare":        {5 * time.Minute, 0, 2, 5 * time.Minute},
		"FailedAfterALongTime": {2 * time.Second, 2 * time.Minute, 1, 2 * time.Minute},
	} {
		if got := pause(test.every, test.took, test.failures); got.Round(time.Millisecond) != test.want {
			t.Errorf("%s: pause = %v, want %v", name, got, test.want)
		}
	}
}

func receivedFiles(files ...int64) report.Run {
	run := report.Run{}
	for i, n := range files {
		run.Collections = append(run.Collections, named(string(rune('a'+i)), one("Sent", n, 1000, report.ForFiles)))
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
	if text := speed(tracker); text != "10 a second, all arrived in about 2m" {
		t.Errorf("says %q", text)
	}
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
	half := one("Sent", 20, 40, report.ForFiles)
	for name, test := range map[string]struct {
		collections []report.Collection
		want        time.Duration
		known       bool
	}{
		"OK": {[]report.Collection{half, named("db.b", one("SENT", 0, 10, report.ForFiles))}, 15 * time.Second, true},
		// it is read while its files are counted
		"BehindTheLedger": {[]report.Collection{one("Sent", 20, 40, report.ForReconciliation)}, 10 * time.Second, true},
		"StuckOnesGetNoFiles": {[]report.Collection{half,
			named("db.b", one("Blocked_Topic", 0, 10, report.ForManualAction))}, 10 * time.Second, true},
		"SenderNotFinished": {[]report.Collection{half, named("db.b", one("", 0, 10, report.ForExport))}, 0, false},
		"NoneArrive":        {[]report.Collection{one("Sent", 0, 40, report.ForFiles)}, 0, false},
		"AllArrived":        {[]report.Collection{one("", 40, 40, report.ForSuccessFile)}, 0, false},
	} {
		tracker, _ := NewTracker(time.Second).Take(reading(0, report.Run{Collections: []report.Collection{
			one("Sent", 0, 0, report.ForFiles)}}))
		tracker, _ = tracker.Take(reading(10, report.Run{Collections: test.collections}))
		if got, known := tracker.AllFilesIn(); got != test.want || known != test.known {
			t.Errorf("%s: all files in %v (known: %v), want %v (%v)", name, got, known, test.want, test.known)
		}
	}
}

// The time since the last message includes the time before watch began.
func TestQuietSinceBeforeTheFirstReading(t *testing.T) {
	t.Parallel()
	long, longer := at(-540), at(-3600)
	for want, last := range map[string][2]*time.Time{"none for 9m": {&longer, &long}, "none for 2s": {}} {
		run := receivedFiles(7, 9)
		run.Collections[0].LastMessage, run.Collections[1].LastMessage = last[0], last[1]
		tracker, _ := NewTracker(time.Second).Take(reading(0, run))
		if tracker, _ = tracker.Take(reading(2, run)); speed(tracker) != want {
			t.Errorf("says %q, want %q", speed(tracker), want)
		}
	}
}
