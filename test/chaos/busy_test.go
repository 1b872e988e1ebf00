package chaos

import (
	"slices"
	"testing"
	"time"
)

// A computation takes at least its processor time.
func TestSlowdownIsAtLeastOne(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	got, err := slowdown(probe)
	if took := time.Since(begun); err != nil || got < 1 || got > took.Seconds()/probe.Seconds() || took < probe {
		t.Errorf("%v times in %v, %v", got, took, err)
	}
}

// A change of state resets the time. Time on a busy machine counts less.
func TestStallScalesTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	stall := stall{at: now}
	for i, call := range []struct {
		state    string
		after    time.Duration
		slowdown float64
		want     time.Duration
	}{
		{"a", time.Minute, 1, 0},
		{"a", time.Minute, 1, time.Minute},
		{"a", time.Minute, 4, 75 * time.Second},
		{"b", time.Hour, 1, 0},
		{"b", time.Hour, 60, time.Minute},
	} {
		now = now.Add(call.after)
		if got := stall.waited(call.state, now, call.slowdown); got != call.want {
			t.Errorf("call %d: waited for %v, want %v", i, got, call.want)
		}
	}
}

// On a busy machine what is missing may still come. What exists twice remains.
func TestUnfinishedRunReportsDuplicatesOnly(t *testing.T) {
	t.Parallel()
	check := func(unfinished string, files, counted int, requests ...string) []string {
		s := &system{Options: Options{Messages: 4}, plan: &plan{collections: []collection{{name: "a", files: 4}}}}
		for _, id := range requests {
			s.seen.requests.add("a", id)
		}
		r := &Report{system: s, Unfinished: unfinished}
		r.checkRows(map[string]row{"a": {CollectionName: "a", CollectionStatus: "Success", FilesReceived: files,
			SyncedFiles: float64(counted), FilesSent: 4}})
		r.checkRequests()
		return r.Broken
	}
	for _, test := range []struct {
		name       string
		files      int
		requests   []string
		quiet, not int // how much is broken on a quiet machine, and when it is unfinished on a busy one
	}{
		{"all there", 4, []string{"1"}, 0, 0},
		{"one missing", 3, []string{"1"}, 1, 0},
		{"no request", 4, nil, 2, 0},
		{"one twice", 5, []string{"1"}, 1, 1},
		{"two requests", 4, []string{"1", "2"}, 1, 1},
		{"a request without an id", 4, []string{""}, 1, 1},
	} {
		if got := check("", test.files, test.files, test.requests...); len(got) != test.quiet {
			t.Errorf("%s: %q", test.name, got)
		}
		if got := check("3 collections", test.files, test.files, test.requests...); len(got) != test.not {
			t.Errorf("%s, unfinished: %q", test.name, got)
		}
	}
	if got := check("", 4, 5, "1"); !slices.Equal(got, check("3 collections", 4, 5, "1")) {
		t.Errorf("a count that is too high gives another report on a busy machine: %q", got)
	}
}

// Kills depend on requests, not on time.
func TestKillsFollowRequests(t *testing.T) {
	t.Parallel()
	f := &faults{killEvery: 10, kills: make(chan struct{}, 1)}
	called := 0
	for range 10_000 {
		f.request()
		select {
		case <-f.kills:
			called++
		default:
		}
	}
	if called < 500 || called > 2_000 { // 1,000 expected, with a standard deviation of 30
		t.Errorf("%d kills in 10,000 requests, want about 1,000", called)
	}
	for range 1_000 { // pending kills do not add up
		f.request()
	}
	if len(f.kills) != 1 || f.requests.Load() != 11_000 {
		t.Errorf("%d pending kills after %d requests", len(f.kills), f.requests.Load())
	}
}
