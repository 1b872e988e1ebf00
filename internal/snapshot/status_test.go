package snapshot_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestStatusIs(t *testing.T) {
	t.Parallel()
	for other, same := range map[snapshot.Status][]snapshot.Status{snapshot.Sent: {"Sent", "SENT", "sent"},
		"BLOCKED_TOPIC": {"Blocked_Topic"}} {
		for _, status := range same {
			if !status.Is(other) || !other.Is(status) {
				t.Errorf("%q is not %s", status, other)
			}
		}
		for _, status := range []snapshot.Status{"Received", "", "Sent ", "Not_Sent", "ſent", "Bloc\u212Aed_Topic", "É"} {
			if status.Is(other) {
				t.Errorf("%q is %s", status, other)
			}
		}
	}
}

func TestStatusAs(t *testing.T) {
	t.Parallel()
	for old, want := range map[snapshot.Status]snapshot.Status{"Sent": "Received", "SENT": "RECEIVED",
		"sent": "received", "sEnT": "Received", "": "Received"} {
		if got := snapshot.Received.As(old); got != want {
			t.Errorf("Received in place of %q is %q, want %q", old, got, want)
		}
	}
}

func TestStatusAtLeast(t *testing.T) {
	t.Parallel()
	exempt := []snapshot.Status{"Blocked_Topic"}
	for _, test := range []struct {
		status            snapshot.Status
		exempt            []snapshot.Status
		received, success bool
	}{
		{"Received", nil, true, false},
		{"RECEIVED", nil, true, false},
		{"Success", nil, true, true},
		{"SUCCESS", nil, true, true},
		{"Sent", nil, false, false},
		{"Exported", exempt, false, false},
		{"", exempt, false, false},
		// statuses that never finish block by default
		{"Blocked_Topic", nil, false, false},
		{"BLOCKED_TOPIC", exempt, true, true},
		{"Table_Unavailable", exempt, false, false},
	} {
		received := test.status.AtLeast(snapshot.Received, test.exempt)
		success := test.status.AtLeast(snapshot.Success, test.exempt)
		if received != test.received || success != test.success {
			t.Errorf("%q, exempt %q: received or further %v, successful %v", test.status, test.exempt, received,
				success)
		}
	}
}
