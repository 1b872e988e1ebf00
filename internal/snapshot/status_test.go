package snapshot_test

import (
	"fmt"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestStatusIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status snapshot.Status
		other  snapshot.Status
		want   bool
	}{
		{"Sent", snapshot.Sent, true}, {"SENT", snapshot.Sent, true}, {"sent", snapshot.Sent, true},
		{"RECEIVED", snapshot.Received, true}, {"SUCCESS", snapshot.Success, true},
		{"Blocked_Topic", "BLOCKED_TOPIC", true},
		{"Received", snapshot.Sent, false}, {"Exported", snapshot.Sent, false}, {"", snapshot.Sent, false},
		{"Sent ", snapshot.Sent, false}, {"Not_Sent", snapshot.Sent, false},
		{"ſent", snapshot.Sent, false}, {"Bloc\u212Aed_Topic", "Blocked_Topic", false}, {"É", snapshot.Sent, false},
	} {
		t.Run(fmt.Sprintf("%q is %s", test.status, test.other), func(t *testing.T) {
			t.Parallel()
			if got := test.status.Is(test.other); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestStatusAs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ status, old, want snapshot.Status }{
		{snapshot.Received, "Sent", "Received"},
		{snapshot.Received, "SENT", "RECEIVED"},
		{snapshot.Received, "sent", "received"},
		{snapshot.Received, "sEnT", "Received"},
		{snapshot.Success, "Received", "Success"},
		{snapshot.Success, "RECEIVED", "SUCCESS"},
		{snapshot.Received, "", "Received"},
	} {
		t.Run(fmt.Sprintf("%q to %s", test.old, test.status), func(t *testing.T) {
			t.Parallel()
			if got := test.status.As(test.old); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
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
		{"Exporting", nil, false, false},
		{"Exported", nil, false, false},
		{"Export_Failed", nil, false, false},
		{"", nil, false, false},
		// statuses that never finish block by default
		{"Table_Unavailable", nil, false, false},
		{"Blocked_Topic", nil, false, false},
		{"Blocked_Topic", exempt, true, true},
		{"BLOCKED_TOPIC", exempt, true, true},
		{"Table_Unavailable", exempt, false, false},
	} {
		t.Run(fmt.Sprintf("%q exempt %q", test.status, test.exempt), func(t *testing.T) {
			t.Parallel()
			if got := test.status.AtLeast(snapshot.Received, test.exempt); got != test.received {
				t.Errorf("received or further: %v", got)
			}
			if got := test.status.AtLeast(snapshot.Success, test.exempt); got != test.success {
				t.Errorf("successful: %v", got)
			}
		})
	}
}
