package report_test

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// told is a run in a generation, with the generations in which monitoring was told of all received and of all
// successful; -1 for never.
func told(generation, received, successful int64) *snapshot.Run {
	run := &snapshot.Run{CorrelationID: "run", Generation: generation, RegisteredAt: ago(5 * time.Hour),
		Outbox: map[snapshot.Kind]snapshot.Entry{}}
	for kind, version := range map[snapshot.Kind]int64{snapshot.AllReceived: received,
		snapshot.AllSuccessful: successful} {
		if version >= 0 {
			run.Outbox[kind] = delivered(version)
		}
	}
	return run
}

// Rows that vanish, collections that are exported again or added later, a run id that is used again: what show and why
// say.
func TestRunsWhoseRowsVanish(t *testing.T) {
	t.Parallel()
	again := func(epoch, counted int64) func(*store.State) {
		return func(s *store.State) { s.Row.EpochStart, s.Collection.Counted = snapshot.Count(epoch), counted }
	}
	at := func(ago time.Duration) func(*store.State) {
		return func(s *store.State) { s.Collection.CountedAt = now.Add(-ago) }
	}
	success := func(epoch int64) store.State {
		return state("Success", 1, 1, again(epoch, epoch+1), asked(epoch, true, ago(time.Hour)), at(0))
	}
	// Another system counted 3 of its 4 files.
	others := state("Success", 4, 4, again(-3, 1), asked(-3, true, ago(time.Hour)))
	const d, o, n = report.Delivered, report.Pending, report.NotDue
	for name, c := range map[string]struct {
		run       *snapshot.Run
		rows      []store.State
		state     report.State
		news      [2]report.DeliveryState // of all received, of all successful
		sentences []string
	}{
		"1a: told twice, and one row is gone": {told(1, 1, 1), []store.State{success(0)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 1 collections are successful"}},
		"1a: the other one is exported again": {told(1, 1, 1),
			[]store.State{state("Sent", 0, 1, again(1, 1), asked(0, true, now), at(0))},
			report.Going, [2]report.DeliveryState{d, d}, []string{"1 collection waits for files: 0 of 1"}},
		"1a: received again, and reopened": {told(2, 1, 1),
			[]store.State{state("Received", 1, 1, again(1, 2), asked(1, true, now), at(0))},
			report.Going, [2]report.DeliveryState{o, n}, []string{"waits for the _success file",
				"All collections are received, and monitoring was not told yet"}},
		"1a: received again, and told": {told(2, 2, 1),
			[]store.State{state("Received", 1, 1, again(1, 2), asked(1, true, now), at(0))},
			report.Received, [2]report.DeliveryState{d, n}, []string{"waits for the _success file"}},
		"1a: successful again, and not told": {told(2, 2, 1), []store.State{success(1)}, report.Received,
			[2]report.DeliveryState{d, o}, []string{"All collections are successful, and monitoring was not told yet"}},
		"1a: told again": {told(2, 2, 2), []store.State{success(1)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done"}},
		"1b: told of a row that others counted": {told(0, 0, 0), []store.State{others, success(0)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 2 collections"}},
		"1b: that row is gone": {told(0, 0, 0), []store.State{success(0)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 1 collections"}},
		"all rows are gone": {told(1, 1, 1), nil, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: monitoring was told of both"}},
		"all rows are gone, told of one": {told(0, 0, -1), nil, report.Stalled,
			[2]report.DeliveryState{d, n}, []string{"no row for this run any more, though messages of it have come here"}},
		"all rows are gone after it was reopened": {told(1, 0, 0), nil, report.Stalled,
			[2]report.DeliveryState{n, n}, []string{"no row for this run any more"}},
		"no row ever": {nil, nil, report.Going,
			[2]report.DeliveryState{n, n}, []string{"the exporter has not begun it"}},
		"a collection is added": {told(0, 0, 0), []store.State{success(0), state("Exporting", 0, 0, at(time.Minute))},
			report.Going,
			[2]report.DeliveryState{d, d}, []string{"1 collection waits for exporter and sender"}},
		"the added one is complete": {told(0, 0, 0), []store.State{success(0), state("Sent", 2, 2, at(0))},
			report.Going,
			[2]report.DeliveryState{d, d}, []string{"1 collection waits for a look"}},
		"the added one is received": {told(1, 1, 0),
			[]store.State{success(0), state("Received", 2, 2, asked(0, true, now))}, report.Received,
			[2]report.DeliveryState{d, n}, []string{"waits for the _success file"}},
		"the run id is used again": {told(0, 0, 0),
			[]store.State{state("Sent", 0, 2, func(s *store.State) { s.Collection = snapshot.Collection{} }),
				state("Exporting", 0, 0, at(time.Minute))}, report.Going,
			[2]report.DeliveryState{d, d}, []string{"waits for files: 0 of 2", "waits for exporter and sender"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := report.New("run", store.RunState{Run: c.run, Collections: c.rows},
				report.Settings{StalledAfter: time.Hour}, now)
			if run.State != c.state {
				t.Errorf("%s, want %s", run.State, c.state)
			}
			for i, news := range run.Notifications {
				if news.Delivery.State != c.news[i] {
					t.Errorf("%s is %s, want %s", news.Kind, news.Delivery.State, c.news[i])
				}
			}
			findings := report.Why(run, report.Around{}, "")
			if len(findings) != len(c.sentences) {
				t.Fatalf("%d findings, want %d: %+v", len(findings), len(c.sentences), findings)
			}
			for i, want := range c.sentences {
				if !strings.Contains(findings[i].Sentence, want) {
					t.Errorf("%s, want %s", findings[i].Sentence, want)
				}
			}
		})
	}
}
