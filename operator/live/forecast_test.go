package live

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/operator/show"
)

// A run of 10 files a second that will have arrived in 85 seconds.
func TestForecastAgainstTheDeadline(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deadline float64 // seconds; 0 for none
		late     bool
		line     string
	}{
		"none": {0, false, " in progress: 0 of 0 collections received, 0 successful, 0 of 0 files (10 a second, " +
			"all arrived in about 1m)"},
		"before": {155, false, " in progress, deadline in 2m: 0 of 0 collections received, 0 successful, 0 of 0 " +
			"files (10 a second, all arrived in about 1m, 1m before the deadline)"},
		"after": {30, false, " in progress, deadline in 20s: 0 of 0 collections received, 0 successful, 0 of 0 " +
			"files (10 a second, all arrived in about 1m, 1m after the deadline)"},
		"late": {-3590, true, " in progress, late for 1h00m: 0 of 0 collections received, 0 successful, 0 of 0 " +
			"files (10 a second, all arrived in about 1m, 1h01m after the deadline)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dated := func(run report.Run) report.Run {
				run.State, run.Late = report.InProgress, test.late
				if test.deadline != 0 {
					deadline := at(test.deadline)
					run.Deadline = &deadline
				}
				return run
			}
			tracker, _ := NewTracker(time.Second).Take(reading(0, dated(receivedFiles(50))))
			last := reading(10, dated(receivedFiles(150)))
			tracker, events := tracker.Take(last)
			got := newLine(tracker, last, events).Text(show.Printer{})
			if !strings.HasSuffix(got, test.line) {
				t.Errorf("%s\nwant …%s", got, test.line)
			}
		})
	}
}

// A run that becomes late is an event, once.
func TestARunBecomesLate(t *testing.T) {
	t.Parallel()
	before, after := oneCollection(), oneCollection()
	deadline := at(0)
	before.Deadline, after.Deadline, after.Late = &deadline, &deadline, true
	if got := Events(before, after); len(got) != 1 || got[0].Kind != Late || got[0].Text != "the run is late" {
		t.Errorf("%+v", got)
	}
	if got := Events(after, after); len(got) != 0 {
		t.Errorf("again: %+v", got)
	}
	next := at(60)
	again := after
	again.Deadline = &next // what only the clock changes is no change
	if tracker, _ := NewTracker(time.Second).Take(reading(0, after)); changed(tracker, tracker, nil) {
		t.Error("changed")
	}
	if progress(after.Summary) != progress(again.Summary) {
		t.Error("a reading of the same run has other pointers, and would be a line")
	}
}

// The end of a run by hand is an event with its reason, and so is taking it up again.
func TestARunIsAbandonedByHand(t *testing.T) {
	t.Parallel()
	before, after := oneCollection(), oneCollection()
	after.State, after.Abandonment = report.Abandoned, &report.Abandonment{At: at(0), Reason: "its host is gone"}
	if got := Events(before, after); len(got) != 1 || got[0].Kind != Abandoned ||
		!strings.HasSuffix(got[0].Text, "by hand, the sweep ignores it: its host is gone") {
		t.Errorf("%+v", got)
	}
	if got := Events(after, before); len(got) != 1 || got[0].Kind != ProgressAgain {
		t.Errorf("taken up: %+v", got)
	}
	again := after
	again.Abandonment = &report.Abandonment{At: at(0), Reason: "its host is gone"}
	if progress(after.Summary) != progress(again.Summary) {
		t.Error("a reading of the same run has other pointers, and would be a line")
	}
}
