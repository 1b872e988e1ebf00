package snapshot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// tally has rows a, b, c … with these statuses, each with 2 of 3 files received.
func tally(statuses ...snapshot.Status) *snapshot.Tally {
	t := &snapshot.Tally{}
	for i, status := range statuses {
		r := row(status, n(3), n(2))
		r.CollectionName = string(rune('a' + i))
		t.Add(r, []snapshot.Status{"Blocked_Topic"})
	}
	return t
}

func TestBlockers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		tally *snapshot.Tally
		named string
		more  int
	}{
		{"no rows", tally(), "", 0},
		{"all successful", tally("Success", "SUCCESS"), "", 0},
		{"what is exempt blocks nothing", tally("Success", "Blocked_Topic"), "", 0},
		{"those that are not received", tally("Received", "Sent", "Success", "Table_Unavailable"), "bd", 0},
		{"if all are received, those that are not successful", tally("Received", "Success", "Received"), "ac", 0},
		{"five are named", tally("Sent", "Sent", "Sent", "Sent", "Sent"), "abcde", 0},
		{"and the others are counted", tally("Received", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent"),
			"bcdef", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blockers, named := test.tally.Blockers(), ""
			for _, r := range blockers.Named {
				named += r.CollectionName
			}
			if named != test.named || blockers.More != test.more {
				t.Errorf("got %q and %d more, want %q and %d", named, blockers.More, test.named, test.more)
			}
		})
	}
}

// Every change of a run in progress changes its sums.
func TestSums(t *testing.T) {
	t.Parallel()
	base := adopted("Sent", 3, 2, 0)
	seen := map[string]string{}
	for name, r := range map[string]snapshot.Row{
		"base":                 base,
		"another file":         adopted("Sent", 3, 3, 0),
		"another file sent":    adopted("Sent", 4, 2, 0),
		"not yet sent":         adopted("Exported", 3, 2, 0),
		"received":             adopted("Received", 3, 2, 0),
		"successful":           adopted("Success", 3, 2, 0),
		"the counter set back": setTo(n(0), base),
	} {
		var one snapshot.Tally
		one.Add(r, nil)
		sums := snapshot.Run{}.Sums(&one)
		if other, ok := seen[sums]; ok {
			t.Errorf("%s has the sums of %s: %s", name, other, sums)
		}
		seen[sums] = name
	}
	var two snapshot.Tally
	two.Add(base, nil)
	first := snapshot.Run{Generation: 1}
	before := first.Sums(&two)
	if seen[before] != "" {
		t.Error("another generation does not change the sums")
	}
	two.Add(row("Sent", none, none), nil)
	if first.Sums(&two) == before {
		t.Error("another row does not change the sums")
	}
}

func TestDone(t *testing.T) {
	t.Parallel()
	both := outbox{snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: delivered(0)}
	for _, test := range []struct {
		name   string
		tally  *snapshot.Tally
		outbox outbox
		want   bool
	}{
		{"successful and notified", tally("Success", "Success"), both, true},
		{"successful and exempt", tally("Success", "Blocked_Topic"), both, true},
		{"not successful", tally("Success", "Received"), both, false},
		{"not notified", tally("Success"), nil, false},
		{"notified of the second only", tally("Success"), outbox{snapshot.AllSuccessful: delivered(0)}, false},
		{"notified of the first only", tally("Success"), outbox{snapshot.AllReceived: delivered(0)}, false},
		{"enqueued and not delivered", tally("Success"), outbox{snapshot.AllReceived: delivered(0),
			snapshot.AllSuccessful: entry(0, "x", 0)}, false},
		{"no rows", tally(), both, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (snapshot.Run{Outbox: test.outbox}).Done(test.tally); got != test.want {
				t.Errorf("done: %v", got)
			}
		})
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	const after = time.Hour
	both := outbox{snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: delivered(0)}
	still := func(tally *snapshot.Tally, since time.Duration) snapshot.Progress {
		return snapshot.Progress{Sums: snapshot.Run{}.Sums(tally), Since: now.Add(-since)}
	}
	settled := still(tally("Received"), 9*after)
	settled.Settled = true
	moving, blocked, done := tally("Sent"), tally("Received"), tally("Success")
	for _, test := range []struct {
		name     string
		tally    *snapshot.Tally
		progress snapshot.Progress
		want     snapshot.Progress
		stalled  bool
	}{
		{"seen for the first time", blocked, snapshot.Progress{}, still(blocked, 0), false},
		{"moved since, however long ago", blocked, still(moving, 9*after), still(blocked, 0), false},
		{"moved since it was settled", moving, settled, still(moving, 0), false},
		{"still for less than that", blocked, still(blocked, after-time.Second), still(blocked, after-time.Second),
			false},
		{"still for so long", blocked, still(blocked, after), still(blocked, after), true},
		{"still for longer", blocked, still(blocked, 9*after), still(blocked, 9*after), true},
		{"done", done, still(done, 9*after), still(done, 9*after), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			progress, stalled := snapshot.Run{Progress: test.progress, Outbox: both}.Stall(test.tally, now, after)
			if diff := cmp.Diff(test.want, progress); diff != "" {
				t.Error(diff)
			}
			if stalled != test.stalled {
				t.Errorf("stalled: %v", stalled)
			}
		})
	}
}

func TestOld(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{0: false, snapshot.AbandonedAfter - time.Second: false,
		snapshot.AbandonedAfter: true, 2 * snapshot.AbandonedAfter: true} {
		t.Run(fmt.Sprint(age), func(t *testing.T) {
			t.Parallel()
			for _, run := range []snapshot.Run{{RegisteredAt: now.Add(-age)},
				{RegisteredAt: now.Add(-age - 2*snapshot.AbandonedAfter), ReopenedAt: now.Add(-age)}} {
				if got := run.Old(now); got != want {
					t.Errorf("%+v: old: %v", run, got)
				}
			}
		})
	}
}
