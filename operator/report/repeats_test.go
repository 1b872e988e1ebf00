package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

func TestRepeats(t *testing.T) {
	t.Parallel()
	at := func(second int, identity, file string, repeated, success bool) store.Receipt {
		return store.Receipt{Identity: identity, Filename: file, Repeated: repeated, Success: success,
			ReceivedAt: time.Unix(int64(second), 0)}
	}
	receipts := []store.Receipt{
		at(9, "m9", "x", true, false), // after the second epoch's
		at(1, "m1", "x", false, false),
		at(2, "m2", "x", true, false),
		at(5, "m5", "x", false, false), // counted in the next epoch
		at(5, "m6", "x", true, false),  // by the same second
		at(0, "m0", "x", true, false),  // recorded by a process whose clock is behind
		at(3, "m3", "y", true, false),  // its first message has no receipt
		at(4, "m4", "y", false, true),
	}
	want := []string{"m5", "", "m1", "", "m5", "m1", "", ""}
	if diff := cmp.Diff(want, report.Repeats(receipts)); diff != "" {
		t.Error(diff)
	}
}
