package snapshot_test

import (
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
)

// Each row asks as "me", for attempt 3, at now.
func TestClaim(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                string
		claim               snapshot.Claim
		settles, held, free bool
	}{
		{"never taken", snapshot.Claim{}, false, false, true},
		{"taken by another", claimed(3, "other", time.Second), false, false, false},
		{"taken by another, at the end of its lease", claimed(3, "other", 0), false, false, true},
		{"taken by another, lease over", claimed(3, "other", -time.Hour), false, false, true},
		{"taken by me", claimed(3, "me", time.Second), false, true, false},
		{"taken by me, lease over and nobody else wanted it", claimed(3, "me", -time.Hour), false, true, false},
		{"delivered", deliveredFor(3), true, false, false},
		{"delivered by me", snapshot.Claim{Attempt: n(3), By: "me", Until: now, Delivered: true}, true, false, false},
		{"taken for another attempt", claimed(2, "other", time.Second), false, false, true},
		{"taken by me for another attempt", claimed(2, "me", time.Second), false, false, true},
		{"delivered for another attempt", deliveredFor(4), false, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.claim.Settles(3); got != test.settles {
				t.Errorf("settles: %v", got)
			}
			if got := test.claim.HeldBy("me", 3); got != test.held {
				t.Errorf("held: %v", got)
			}
			if got := test.claim.Free(3, "me", now); got != test.free {
				t.Errorf("free: %v", got)
			}
		})
	}
}

func TestClaimForAttemptZeroIsNotTheZeroClaim(t *testing.T) {
	t.Parallel()
	if (snapshot.Claim{}).For(0) {
		t.Error("a claim that was never taken is for attempt 0")
	}
	if !claimed(0, "x", 0).For(0) || !claimed(-2, "x", 0).For(-2) {
		t.Error("a claim is not for its own attempt")
	}
}
