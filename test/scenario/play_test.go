package scenario

import "testing"

// As the pipe's filters compare: without regard to the case of ASCII letters, and of no others.
func TestInStatus(t *testing.T) {
	t.Parallel()
	rows := []Row{{Status: "Success"}, {Status: "SUCCESS"}, {Status: "\u017fuccess"}, {Status: "Received"}}
	if got := InStatus(rows, "Success"); got != 2 {
		t.Errorf("%d rows are Success, want 2", got)
	}
	if got := InStatus(rows, "Received", "Success"); got != 3 {
		t.Errorf("%d rows are Received or Success, want 3", got)
	}
}
