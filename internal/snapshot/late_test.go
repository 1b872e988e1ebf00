package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

func TestLateAfterText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		after snapshot.LateAfter
		text  string
	}{
		"":      {nil, ""},
		" , ":   {nil, ""},
		"480":   {snapshot.LateAfter{"": 8 * time.Hour}, "480"},
		" 1 ,":  {snapshot.LateAfter{"": time.Minute}, "1"},
		"20160": {snapshot.LateAfter{"": snapshot.AbandonedAfter}, "20160"},
		"incremental = 120, FULL=480": {snapshot.LateAfter{"full": 8 * time.Hour, "incremental": 2 * time.Hour},
			"full=480,incremental=120"},
		"drift_testing.x-2=1": {snapshot.LateAfter{"drift_testing.x-2": time.Minute}, "drift_testing.x-2=1"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var after, again snapshot.LateAfter
			if err := after.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.after, after); diff != "" || after.String() != want.text {
				t.Errorf("%q: %s", after, diff)
			}
			if err := again.UnmarshalText([]byte(after.String())); err != nil || cmp.Diff(after, again) != "" {
				t.Errorf("read again: %v, %v", again, err)
			}
		})
	}
	for text, quoted := range map[string]string{"0": `"0"`, "-1": `"-1"`, "20161": `"20161"`, "soon": `"soon"`,
		"1.5": `"1.5"`, "full=": `"full="`, "=480": `"=480"`, "full=0": `"full=0"`, "full:480": `"full:480"`,
		"a b=1": `"a b=1"`, "é=1": `"é=1"`, "full=1,Full=2": `"Full=2"`, "480,481": `"481"`, "full=1=2": `"full=1=2"`,
		"480,full=1": "exclude each other", "99999999999999999999": `"99999999999999999999"`,
		"184467440737095517": `"184467440737095517"`} {
		var after snapshot.LateAfter
		if err := after.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), quoted) {
			t.Errorf("%q: %v, want an error with %s", text, err, quoted)
		}
	}
}

// Each run had its first message 8 hours ago.
func TestLate(t *testing.T) {
	t.Parallel()
	const after = 8 * time.Hour
	every, byType := snapshot.LateAfter{"": after}, snapshot.LateAfter{"full": after, "incremental": 2 * time.Hour}
	began := now.Add(-after)
	for name, test := range map[string]struct {
		run      snapshot.Run
		after    snapshot.LateAfter
		deadline time.Duration // since the first message; 0 for none
		late     bool
	}{
		"every run":  {snapshot.Run{}, every, after, true},
		"no setting": {snapshot.Run{}, nil, 0, false},
		"a second earlier": {snapshot.Run{}, snapshot.LateAfter{"": after + time.Second}, after + time.Second,
			false},
		"by type, in any case, with blanks": {snapshot.Run{Export: snapshot.Export{SnapshotType: " FULL "}}, byType,
			after, true},
		"a shorter time": {snapshot.Run{Export: snapshot.Export{SnapshotType: "incremental"}}, byType,
			2 * time.Hour, true},
		"a type that is not listed": {snapshot.Run{Export: snapshot.Export{SnapshotType: "drift"}}, byType, 0, false},
		"no type":                   {snapshot.Run{}, byType, 0, false},
		"all received": {snapshot.Run{Outbox: outbox{snapshot.AllReceived: delivered(0)}}, every, after,
			true},
		"successful": {snapshot.Run{Outbox: outbox{snapshot.AllSuccessful: delivered(0)}}, every, 0,
			false},
		"successful by its hint": {snapshot.Run{Hints: hints{snapshot.AllSuccessful: {Notified: true}}}, every, 0,
			false},
		"pending": {snapshot.Run{Outbox: outbox{snapshot.AllSuccessful: entry(0, "x", time.Hour)}}, every, after,
			true},
		"successful in an earlier generation": {snapshot.Run{Generation: 1,
			Outbox: outbox{snapshot.AllSuccessful: delivered(0)}}, every, after, true},
		"reopened an hour ago": {snapshot.Run{ReopenedAt: now.Add(-time.Hour)}, every, after - time.Hour + after,
			false},
		"reopened in time ago": {snapshot.Run{ReopenedAt: now.Add(-time.Hour)}, snapshot.LateAfter{"": time.Hour},
			after, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, deadline := test.run, time.Time{}
			run.RegisteredAt = began
			if test.deadline > 0 {
				deadline = began.Add(test.deadline)
			}
			if got := run.Deadline(test.after); !got.Equal(deadline) {
				t.Errorf("deadline %v, want %v", got, deadline)
			}
			if got := run.Late(now, test.after); got != test.late {
				t.Errorf("late: %v", got)
			}
		})
	}
	if got := (snapshot.Run{}).Deadline(every); !got.IsZero() {
		t.Errorf("a run that is not in the ledger has the deadline %v", got)
	}
}
