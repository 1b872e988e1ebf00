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
		var t1 snapshot.Tally
		for _, r := range rows {
			t1.Add(r, nil)
		}
		sums := run.Sums(&t1)
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

func TestDone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		tally  *snapshot.Tally
		outbox outbox
		want   bool
	}{
		{"successful and notified", tally("Success", "Blocked_Topic"), both, true},
		{"not successful", tally("Success", "Received"), both, false},
		{"notified of the second only", tally("Success"), outbox{snapshot.AllSuccessful: delivered(0)}, false},
		{"notified of the first only", tally("Success"), outbox{snapshot.AllReceived: delivered(0)}, false},
		{"enqueued and not delivered", tally("Success"), outbox{snapshot.AllReceived: delivered(0),
			snapshot.AllSuccessful: entry(0, "x", 0)}, false},
		{"no rows", tally(), both, false},
	} {
		if got := (snapshot.Run{Outbox: test.outbox}).Done(test.tally); got != test.want {
			t.Errorf("%s: done %v", test.name, got)
		}
	}
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

func TestEndedByHand(t *testing.T) {
	t.Parallel()
	first, ended := snapshot.Run{}, func(t *snapshot.Tally) snapshot.Abandonment {
		return snapshot.Abandonment{At: now, Reason: "gone", Sums: snapshot.Run{}.Sums(t), Stored: true}
	}
	for _, test := range []struct {
		name   string
		byHand snapshot.Abandonment
		run    snapshot.Run
		tally  *snapshot.Tally
		want   bool
	}{
		{"not ended", snapshot.Abandonment{}, first, tally("Sent"), false},
		{"nothing has moved", ended(tally("Sent")), first, tally("Sent"), true},
		{"without rows", ended(tally()), first, tally(), true},
		{"a status has changed", ended(tally("Sent")), first, tally("Received"), false},
		{"the rows are gone", ended(tally("Sent")), first, tally(), false},
		{"it was reopened", ended(tally("Sent")), snapshot.Run{Generation: 1}, tally("Sent"), false},
		{"it was taken up", snapshot.Abandonment{Stored: true}, first, tally("Sent"), false},
		{"all successful, but not notified", ended(tally("Success")), first, tally("Success"), true},
		{"notified, and moved back", ended(tally("Sent")), snapshot.Run{Outbox: both}, tally("Sent"), true},
		{"it is done", ended(tally("Success")), snapshot.Run{Outbox: both}, tally("Success"), false},
		{"it was done, and its rows are gone", ended(tally()), snapshot.Run{Outbox: both}, tally(), false},
	} {
		test.run.ByHand = test.byHand
		if got := test.run.EndedByHand(test.tally); got != test.want {
			t.Errorf("%s: ended by hand: %v", test.name, got)
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
