package snapshot_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestEndedByHand(t *testing.T) {
	t.Parallel()
	both := outbox{snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: delivered(0)}
	with := func(t *snapshot.Tally) snapshot.Abandonment {
		return snapshot.Abandonment{At: now, Reason: "gone", Sums: snapshot.Run{}.Sums(t), Stored: true}
	}
	for _, test := range []struct {
		name   string
		byHand snapshot.Abandonment
		run    snapshot.Run
		tally  *snapshot.Tally
		want   bool
	}{
		{"not ended", snapshot.Abandonment{}, snapshot.Run{}, tally("Sent"), false},
		{"nothing has moved", with(tally("Sent")), snapshot.Run{}, tally("Sent"), true},
		{"without rows", with(tally()), snapshot.Run{}, tally(), true},
		{"a status has changed", with(tally("Sent")), snapshot.Run{}, tally("Received"), false},
		{"a row was added", with(tally("Sent")), snapshot.Run{}, tally("Sent", "Sent"), false},
		{"the rows are gone", with(tally("Sent")), snapshot.Run{}, tally(), false},
		{"it was reopened", with(tally("Sent")), snapshot.Run{Generation: 1}, tally("Sent"), false},
		{"it was taken up", snapshot.Abandonment{Stored: true}, snapshot.Run{}, tally("Sent"), false},
		{"all successful, but not notified", with(tally("Success")), snapshot.Run{}, tally("Success"), true},
		{"it is done", with(tally("Success")), snapshot.Run{Outbox: both}, tally("Success"), false},
		{"it was done, and its rows are gone", with(tally()), snapshot.Run{Outbox: both}, tally(), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := test.run
			run.ByHand = test.byHand
			if got := run.EndedByHand(test.tally); got != test.want {
				t.Errorf("ended by hand: %v", got)
			}
		})
	}
}

func TestCheckReason(t *testing.T) {
	t.Parallel()
	for reason, says := range map[string]string{"gone": "", strings.Repeat("x", snapshot.MaxReason): "",
		"": "is empty", " \n": "is empty", strings.Repeat("é", snapshot.MaxReason/2) + "x": "has 1025 bytes"} {
		err := snapshot.CheckReason(reason)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.9q: %v, want %q", reason, err, says)
		}
	}
}
