package snapshot_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestStatusIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status, other snapshot.Status
		want          bool
	}{
		{"Sent", snapshot.Sent, true}, {"SENT", snapshot.Sent, true}, {"sent", snapshot.Sent, true},
		{"Blocked_Topic", "BLOCKED_TOPIC", true},
		{"Received", snapshot.Sent, false}, {"", snapshot.Sent, false},
		{"Sent ", snapshot.Sent, false}, {"Not_Sent", snapshot.Sent, false},
		{"ſent", snapshot.Sent, false}, {"Bloc\u212Aed_Topic", "Blocked_Topic", false}, {"É", snapshot.Sent, false},
	} {
		if got := test.status.Is(test.other); got != test.want {
			t.Errorf("%q is %s: %v", test.status, test.other, got)
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
