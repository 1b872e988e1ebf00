package report_test

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// notified is a run in a generation, with the generations of its delivered notifications of all received and of all
// successful; -1 for none.
func notified(generation, received, successful int64) *snapshot.Run {
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

// Deleted rows, collections that are exported again or added later, a run id that is used again.
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
	const d, p, n = report.Delivered, report.Pending, report.NotDue
	for name, c := range map[string]struct {
		run       *snapshot.Run
		rows      []store.State
		state     report.State
		want      [2]report.DeliveryState // of all received, of all successful
		sentences []string
	}{
		"1a: notified twice, and one row is deleted": {notified(1, 1, 1), []store.State{success(0)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 1 collections are successful"}},
		"1a: the other one is exported again": {notified(1, 1, 1),
			[]store.State{state("Sent", 0, 1, again(1, 1), asked(0, true, now), at(0))},
			report.InProgress, [2]report.DeliveryState{d, d}, []string{"1 collection waits for files: 0 of 1"}},
		"1a: received again, and reopened": {notified(2, 1, 1),
			[]store.State{state("Received", 1, 1, again(1, 2), asked(1, true, now), at(0))},
			report.InProgress, [2]report.DeliveryState{p, n}, []string{"waits for the _success file",
				"All collections are received, but monitoring is not notified yet"}},
		"1a: received again, and notified": {notified(2, 2, 1),
			[]store.State{state("Received", 1, 1, again(1, 2), asked(1, true, now), at(0))},
			report.Received, [2]report.DeliveryState{d, n}, []string{"waits for the _success file"}},
		"1a: successful again, and not notified": {notified(2, 2, 1), []store.State{success(1)}, report.Received,
			[2]report.DeliveryState{d, p},
			[]string{"All collections are successful, but monitoring is not notified yet"}},
		"1a: notified again": {notified(2, 2, 2), []store.State{success(1)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done"}},
		"1b: notified of a row that another system counted": {notified(0, 0, 0), []store.State{others, success(0)},
			report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 2 collections"}},
		"1b: that row is deleted": {notified(0, 0, 0), []store.State{success(0)}, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: all 1 collections"}},
		"all rows are deleted": {notified(1, 1, 1), nil, report.Successful,
			[2]report.DeliveryState{d, d}, []string{"The run is done: monitoring received both notifications"}},
		"all rows are deleted, notified of one": {notified(0, 0, -1), nil, report.Stalled,
			[2]report.DeliveryState{d, n}, []string{"no row for this run any more, but messages of it were counted"}},
		"all rows are deleted after it was reopened": {notified(1, 0, 0), nil, report.Stalled,
			[2]report.DeliveryState{n, n}, []string{"no row for this run any more"}},
		"no row ever": {nil, nil, report.InProgress,
			[2]report.DeliveryState{n, n}, []string{"The exporter has not started it"}},
		"a collection is added": {notified(0, 0, 0),
			[]store.State{success(0), state("Exporting", 0, 0, at(time.Minute))},
			report.InProgress, [2]report.DeliveryState{d, d}, []string{"1 collection waits for exporter and sender"}},
		"the added one is complete": {notified(0, 0, 0), []store.State{success(0), state("Sent", 2, 2, at(0))},
			report.InProgress, [2]report.DeliveryState{d, d}, []string{"1 collection waits for reconciliation"}},
		"the added one is received": {notified(1, 1, 0),
			[]store.State{success(0), state("Received", 2, 2, asked(0, true, now))}, report.Received,
			[2]report.DeliveryState{d, n}, []string{"waits for the _success file"}},
		"the run id is used again": {notified(0, 0, 0),
			[]store.State{state("Sent", 0, 2, func(s *store.State) { s.Collection = snapshot.Collection{} }),
				state("Exporting", 0, 0, at(time.Minute))}, report.InProgress,
			[2]report.DeliveryState{d, d}, []string{"waits for files: 0 of 2", "waits for exporter and sender"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := report.New("run", store.RunState{Run: c.run, Collections: c.rows},
				report.Settings{StalledAfter: time.Hour}, now)
			if run.State != c.state {
				t.Errorf("%s, want %s", run.State, c.state)
			}
			for i, n := range run.Notifications {
				if n.Delivery.State != c.want[i] {
					t.Errorf("%s is %s, want %s", n.Kind, n.Delivery.State, c.want[i])
				}
			}
			findings := report.Why(run, report.Evidence{}, "")
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
