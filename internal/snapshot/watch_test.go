package snapshot_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

func TestMayOwe(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_600_000_000, 0)
	told := snapshot.Claim{Attempt: snapshot.Count(0), By: "me", Delivered: true}
	living := snapshot.Claim{Attempt: snapshot.Count(0), By: "me", Until: now.Add(time.Second)}
	dead := snapshot.Claim{Attempt: snapshot.Count(0), By: "me", Until: now}
	received, successful := snapshot.AllReceived, snapshot.AllSuccessful
	type claims = map[snapshot.DebtKind]snapshot.Claim
	type counts = map[snapshot.DebtKind]int64
	for _, c := range []struct {
		name     string
		news     claims
		asked    int64
		answered counts
		want     snapshot.DebtKind
	}{
		{"nothing was told", nil, 0, nil, received},
		{"the first was told", claims{received: told}, 0, nil, successful},
		{"both were told", claims{received: told, successful: told}, 3, counts{received: 3, successful: 3}, ""},
		{"the first is being told", claims{received: living, successful: told}, 0, nil, ""},
		{"who told the first died", claims{received: dead, successful: told}, 0, nil, received},
		{"who told the second died", claims{received: told, successful: dead}, 0, nil, successful},
		{"somebody asked", claims{received: told, successful: told}, 4, counts{received: 3, successful: 3}, received},
		{"that is answered for the first", claims{received: told, successful: told}, 4, counts{received: 4, successful: 3}, successful},
	} {
		run := snapshot.Run{News: c.news, Watch: snapshot.Watch{Asked: c.asked, Answered: c.answered}}
		if got, may := run.MayOwe(now); got != c.want || may != (c.want != "") {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, may, c.want)
		}
	}
}

func TestHeld(t *testing.T) {
	t.Parallel()
	run := snapshot.Run{CorrelationID: "run", News: map[snapshot.DebtKind]snapshot.Claim{
		snapshot.AllReceived:   {Attempt: snapshot.Count(7), By: "me"},
		snapshot.AllSuccessful: {Attempt: snapshot.Count(7), By: "me", Delivered: true},
		snapshot.RunStalled:    {Attempt: snapshot.Count(9), By: "me"}, // not news
	}}
	want := []snapshot.Debt{{Kind: snapshot.AllReceived, CollectionKey: snapshot.CollectionKey{CorrelationID: "run"}, Attempt: 7}}
	if diff := cmp.Diff(want, run.Held("me")); diff != "" {
		t.Error(diff)
	}
	if held := run.Held("another"); held != nil {
		t.Errorf("got %v", held)
	}
}

func TestFirstAttempt(t *testing.T) {
	t.Parallel()
	row := func(received, counted int64) snapshot.Row {
		return snapshot.Row{FilesReceived: snapshot.Count(received), FilesCounted: snapshot.Count(counted)}
	}
	asked := snapshot.Claim{Attempt: snapshot.Count(0)}
	for _, c := range []struct {
		name    string
		row     snapshot.Row
		request snapshot.Claim
		want    bool
	}{
		{"the first", row(3, 3), snapshot.Claim{}, true},
		{"counters set back before it was ever received", row(2, 3), snapshot.Claim{}, false},
		{"counters set back after it was received", row(2, 3), asked, false},
		{"counters restored", row(3, 3), asked, false},
	} {
		collection := snapshot.Collection{Counted: 3, Projected: true, Request: c.request}
		if got := collection.FirstAttempt(c.row); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}
