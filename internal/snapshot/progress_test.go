package snapshot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// tally adds up rows of the collections a, b, c … with these statuses, each with 2 of 3 files received.
func tally(statuses ...snapshot.Status) *snapshot.Tally {
	t := &snapshot.Tally{}
	for i, status := range statuses {
		r := row(status, n(3), n(2), n(2))
		r.CollectionName = string(rune('a' + i))
		t.Add(r, []snapshot.Status{"Blocked_Topic"})
	}
	return t
}

func TestHolders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		tally *snapshot.Tally
		named string
		more  int
	}{
		{"no rows", tally(), "", 0},
		{"all successful", tally("Success", "SUCCESS"), "", 0},
		{"what is exempt holds nothing", tally("Success", "Blocked_Topic"), "", 0},
		{"those that are not received", tally("Received", "Sent", "Success", "Table_Unavailable"), "bd", 0},
		{"if all are received, those that are not successful", tally("Received", "Success", "Received"), "ac", 0},
		{"five are named", tally("Sent", "Sent", "Sent", "Sent", "Sent"), "abcde", 0},
		{"and the others are counted", tally("Received", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent", "Sent"), "bcdef", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			holders, named := test.tally.Holders(), ""
			for _, r := range holders.Named {
				named += r.CollectionName
			}
			if named != test.named || holders.More != test.more {
				t.Errorf("got %q and %d more, want %q and %d", named, holders.More, test.named, test.more)
			}
		})
	}
}

// Whatever changes while a run moves changes its sums.
func TestSums(t *testing.T) {
	t.Parallel()
	base := row("Sent", n(3), n(2), n(2))
	with := func(change func(*snapshot.Row)) snapshot.Row {
		r := base
		change(&r)
		return r
	}
	seen := map[string]string{}
	for name, r := range map[string]snapshot.Row{
		"base":                  base,
		"another file":          with(func(r *snapshot.Row) { r.FilesReceived, r.FilesCounted = n(3), n(3) }),
		"another file sent":     with(func(r *snapshot.Row) { r.FilesSent = n(4) }),
		"received":              with(func(r *snapshot.Row) { r.Status = "Received" }),
		"successful":            with(func(r *snapshot.Row) { r.Status = "Success" }),
		"another attempt":       with(func(r *snapshot.Row) { r.FilesCounted = n(4) }),
		"counters are set back": with(func(r *snapshot.Row) { r.FilesReceived = n(0) }),
	} {
		var one snapshot.Tally
		one.Add(r, nil)
		if other, ok := seen[one.Sums()]; ok {
			t.Errorf("%s has the sums of %s: %s", name, other, one.Sums())
		}
		seen[one.Sums()] = name
	}
	var two snapshot.Tally
	two.Add(base, nil)
	before := two.Sums()
	two.Add(row("Sent", none, none, none), nil)
	if two.Sums() == before {
		t.Error("another row does not change the sums")
	}
}

func TestDone(t *testing.T) {
	t.Parallel()
	told := map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: deliveredFor(0), snapshot.AllSuccessful: deliveredFor(0)}
	for _, test := range []struct {
		name  string
		tally *snapshot.Tally
		news  map[snapshot.DebtKind]snapshot.Claim
		want  bool
	}{
		{"successful and told", tally("Success", "Success"), told, true},
		{"successful and exempt", tally("Success", "Blocked_Topic"), told, true},
		{"not successful", tally("Success", "Received"), told, false},
		{"not told", tally("Success"), nil, false},
		{"told the other only", tally("Success"), map[snapshot.DebtKind]snapshot.Claim{snapshot.AllSuccessful: deliveredFor(0)}, false},
		{"told the one only", tally("Success"), map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: deliveredFor(0)}, false},
		{"claimed and not told", tally("Success"), map[snapshot.DebtKind]snapshot.Claim{
			snapshot.AllReceived: deliveredFor(0), snapshot.AllSuccessful: claimed(0, "x", 0)}, false},
		{"no rows", tally(), told, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (snapshot.Run{News: test.news}).Done(test.tally); got != test.want {
				t.Errorf("done: %v", got)
			}
		})
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	const after = time.Hour
	told := map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: deliveredFor(0), snapshot.AllSuccessful: deliveredFor(0)}
	still := func(tally *snapshot.Tally, since time.Duration) snapshot.Progress {
		return snapshot.Progress{Sums: tally.Sums(), Since: now.Add(-since)}
	}
	moving, held, done := tally("Sent"), tally("Received"), tally("Success")
	for _, test := range []struct {
		name     string
		tally    *snapshot.Tally
		progress snapshot.Progress
		want     snapshot.Progress
		stalled  bool
	}{
		{"seen for the first time", held, snapshot.Progress{}, still(held, 0), false},
		{"moved since, however long ago", held, still(moving, 9*after), still(held, 0), false},
		{"still for less than that", held, still(held, after-time.Second), still(held, after-time.Second), false},
		{"still for so long", held, still(held, after), still(held, after), true},
		{"still for longer", held, still(held, 9*after), still(held, 9*after), true},
		{"done", done, still(done, 9*after), still(done, 9*after), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			progress, stalled := snapshot.Run{Progress: test.progress, News: told}.Stall(test.tally, now, after)
			if diff := cmp.Diff(test.want, progress); diff != "" {
				t.Error(diff)
			}
			if stalled != test.stalled {
				t.Errorf("stalled: %v", stalled)
			}
		})
	}
}

func TestLettingGo(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{0: false, snapshot.LetGoAfter - time.Second: false, snapshot.LetGoAfter: true, 2 * snapshot.LetGoAfter: true} {
		t.Run(fmt.Sprint(age), func(t *testing.T) {
			t.Parallel()
			if got := (snapshot.Run{RegisteredAt: now.Add(-age)}).LettingGo(now); got != want {
				t.Errorf("letting go: %v", got)
			}
		})
	}
}
