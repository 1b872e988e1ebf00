package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Every change of a run in progress changes its sums.
func TestSums(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	of := func(name string, run snapshot.Run, rows ...snapshot.Row) {
		var all snapshot.Tally
		for _, r := range rows {
			all.Add(r, nil)
		}
		sums := run.Sums(&all)
		if other, ok := seen[sums]; ok {
			t.Errorf("%s has the sums of %s: %s", name, other, sums)
		}
		seen[sums] = name
	}
	first, base := snapshot.Run{}, adopted("Sent", 3, 2, 0)
	of("base", first, base)
	of("another file", first, adopted("Sent", 3, 3, 0))
	of("another file sent", first, adopted("Sent", 4, 2, 0))
	of("not yet sent", first, adopted("Exported", 3, 2, 0))
	of("received", first, adopted("Received", 3, 2, 0))
	of("successful", first, adopted("Success", 3, 2, 0))
	of("the counter set back", first, setTo(n(0), base))
	of("another row", first, base, row("Exported", none, none))
	of("another generation", snapshot.Run{Generation: 1}, base)
}

func TestStall(t *testing.T) {
	t.Parallel()
	const after = time.Hour
	still := func(tally *snapshot.Tally, since time.Duration) snapshot.Progress {
		return snapshot.Progress{Sums: snapshot.Run{}.Sums(tally), Since: now.Add(-since)}
	}
	moving, blocked, done := tally("Sent"), tally("Received"), tally("Success")
	settled := still(blocked, 9*after)
	settled.Settled = true
	for _, test := range []struct {
		name     string
		tally    *snapshot.Tally
		progress snapshot.Progress
		want     snapshot.Progress
		stalled  bool
	}{
		{"seen for the first time", blocked, snapshot.Progress{}, still(blocked, 0), false},
		{"moved since it was settled, however long ago", moving, settled, still(moving, 0), false},
		{"still for less than that", blocked, still(blocked, after-1), still(blocked, after-1), false},
		{"still for so long", blocked, still(blocked, after), still(blocked, after), true},
		{"done", done, still(done, 9*after), still(done, 9*after), false},
	} {
		progress, stalled := snapshot.Run{Progress: test.progress, Outbox: both}.Stall(test.tally, now, after)
		if progress != test.want || stalled != test.stalled {
			t.Errorf("%s: %+v, stalled %v, want %+v", test.name, progress, stalled, test.want)
		}
	}
}

func TestOld(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{snapshot.AbandonedAfter - 1: false, snapshot.AbandonedAfter: true} {
		for _, run := range []snapshot.Run{{RegisteredAt: now.Add(-age)},
			{RegisteredAt: now.Add(-age - snapshot.AbandonedAfter), ReopenedAt: now.Add(-age)}} {
			if got := run.Old(now); got != want {
				t.Errorf("%+v: old: %v", run, got)
			}
		}
	}
}

func TestDoneAndEndedByHand(t *testing.T) {
	t.Parallel()
	first, again, notified := snapshot.Run{}, snapshot.Run{Generation: 1}, snapshot.Run{Outbox: both}
	only := func(kind snapshot.Kind) snapshot.Run {
		return snapshot.Run{Outbox: outbox{snapshot.AllReceived: entry(0, "x", 0), snapshot.AllSuccessful: entry(0, "x",
			0),
			kind: delivered(0)}}
	}
	for _, test := range []struct {
		name        string
		run         snapshot.Run
		at          *snapshot.Tally // when it was ended by hand; nil if it was not
		tally       *snapshot.Tally
		done, ended bool
	}{
		{"successful and notified", notified, nil, tally("Success", "Blocked_Topic"), true, false},
		{"not successful", notified, nil, tally("Success", "Received"), false, false},
		{"notified of the second only", only(snapshot.AllSuccessful), nil, tally("Success"), false, false},
		{"notified of the first only", only(snapshot.AllReceived), nil, tally("Success"), false, false},
		{"nothing has moved", first, tally("Sent"), tally("Sent"), false, true},
		{"without rows", first, tally(), tally(), false, true},
		{"a status has changed", first, tally("Sent"), tally("Received"), false, false},
		{"the rows are gone", first, tally("Sent"), tally(), false, false},
		{"it was reopened", again, tally("Sent"), tally("Sent"), false, false},
		{"all successful, but not notified", first, tally("Success"), tally("Success"), false, true},
		{"notified, and moved back", notified, tally("Sent"), tally("Sent"), false, true},
		{"it is done", notified, tally("Success"), tally("Success"), true, false},
		{"it was done, and its rows are gone", notified, tally(), tally(), false, false},
	} {
		run := test.run
		if run.ByHand.Stored = true; test.at != nil { // of one that was taken up again, Stored alone is left
			run.ByHand = snapshot.Abandonment{At: now, Reason: "gone", Sums: first.Sums(test.at), Stored: true}
		}
		if done, ended := run.Done(test.tally), run.EndedByHand(test.tally); done != test.done || ended != test.ended {
			t.Errorf("%s: done %v, ended by hand %v", test.name, done, ended)
		}
	}
}

func TestCheckReason(t *testing.T) {
	t.Parallel()
	for reason, says := range map[string]string{"gone": "", strings.Repeat("x", snapshot.MaxReason): "",
		" \n": "is empty", strings.Repeat("é", snapshot.MaxReason/2) + "x": "has 1025 bytes"} {
		err := snapshot.CheckReason(reason)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.9q: %v, want %q", reason, err, says)
		}
	}
}
