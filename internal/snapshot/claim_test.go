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

// A debt that one claimer after the other fails to pay has been owed since the first of them.
func TestClaimAgain(t *testing.T) {
	t.Parallel()
	claimedAt := now.Add(-snapshot.Lease)
	for _, test := range []struct {
		name  string
		old   snapshot.Claim
		since time.Time
	}{
		{"never taken", snapshot.Claim{}, claimedAt},
		{"taken before", snapshot.Claim{Attempt: n(3), Since: now.Add(-time.Hour)}, now.Add(-time.Hour)},
		{"taken before anybody noted when", snapshot.Claim{Attempt: n(3)}, claimedAt},
		{"taken for another attempt", snapshot.Claim{Attempt: n(2), Since: now.Add(-time.Hour)}, claimedAt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := snapshot.Claim{Attempt: n(3), By: "me", Until: now, Since: test.since}
			if got := test.old.Again(snapshot.Claim{Attempt: n(3), By: "me", Until: now}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Collections may have any name; executions have those of Step Functions.
func TestExecutionOf(t *testing.T) {
	t.Parallel()
	for _, execution := range []string{"arn:aws:states:eu-west-1:123456789012:execution:checker:e1", "arn:aws:states:eu-west-1:123456789012:express:checker:e1:x-1"} {
		for _, collection := range []string{"db.a.b", "a/b", ""} {
			if got := snapshot.ExecutionOf(snapshot.Claimer(execution, collection)); got != execution {
				t.Errorf("%q of %s: %s", collection, execution, got)
			}
		}
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
