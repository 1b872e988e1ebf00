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
		" , ":   {nil, ""},
		" 1 ,":  {snapshot.LateAfter{"": time.Minute}, "1"},
		"20160": {snapshot.LateAfter{"": snapshot.AbandonedAfter}, "20160"},
		"incremental = 120, FULL=480,drift_testing.x-2=1": {snapshot.LateAfter{"full": 8 * time.Hour,
			"incremental": 2 * time.Hour, "drift_testing.x-2": time.Minute},
			"drift_testing.x-2=1,full=480,incremental=120"},
	} {
		var after, again snapshot.LateAfter
		if err := after.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.after, after); diff != "" || after.String() != want.text {
			t.Errorf("%q: %q: %s", text, after, diff)
		}
		if err := again.UnmarshalText([]byte(after.String())); err != nil || cmp.Diff(after, again) != "" {
			t.Errorf("%q read again: %v, %v", text, again, err)
		}
	}
	for text, says := range map[string]string{"0": `"0"`, "20161": `"20161"`, "soon": `"soon"`, "1.5": `"1.5"`,
		"full=": `"full="`, "=480": `"=480"`, "full=0": `"full=0"`, "a b=1": `"a b=1"`, "é=1": `"é=1"`,
		"full=1,Full=2": `"Full=2"`, "480,481": `"481"`, "full=1=2": `"full=1=2"`, "480,full=1": "exclude each other",
		"184467440737095517": `"184467440737095517"`, "99999999999999999999": `"99999999999999999999"`} {
		var after snapshot.LateAfter
		if err := after.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want an error with %s", text, err, says)
		}
	}
}

// Each run had its first message 8 hours ago.
func TestLate(t *testing.T) {
	t.Parallel()
	const after = 8 * time.Hour
	every, byType := snapshot.LateAfter{"": after}, snapshot.LateAfter{"full": after, "incremental": 2 * time.Hour}
	ofType := func(name string) snapshot.Run { return snapshot.Run{Export: snapshot.Export{SnapshotType: name}} }
	notified := func(kind snapshot.Kind, entry snapshot.Entry) snapshot.Run {
		return snapshot.Run{Outbox: outbox{kind: entry}}
	}
	earlier := notified(snapshot.AllSuccessful, delivered(0))
	earlier.Generation = 1
	reopened := snapshot.Run{ReopenedAt: now.Add(-time.Hour)}
	for name, test := range map[string]struct {
		run      snapshot.Run
		after    snapshot.LateAfter
		deadline time.Duration // since the first message; 0 for none
		late     bool
	}{
		"every run":                         {snapshot.Run{}, every, after, true},
		"no setting":                        {snapshot.Run{}, nil, 0, false},
		"a second earlier":                  {snapshot.Run{}, snapshot.LateAfter{"": after + 1}, after + 1, false},
		"by type, in any case, with blanks": {ofType(" FULL "), byType, after, true},
		"a shorter time":                    {ofType("incremental"), byType, 2 * time.Hour, true},
		"a type that is not listed":         {ofType("drift"), byType, 0, false},
		"all received":                      {notified(snapshot.AllReceived, delivered(0)), every, after, true},
		"successful":                        {notified(snapshot.AllSuccessful, delivered(0)), every, 0, false},
		"successful by its hint": {snapshot.Run{Hints: hints{snapshot.AllSuccessful: {Notified: true}}}, every, 0,
			false},
		"pending":                             {notified(snapshot.AllSuccessful, entry(0, "x", 1)), every, after, true},
		"successful in an earlier generation": {earlier, every, after, true},
		"reopened an hour ago":                {reopened, every, after - time.Hour + after, false},
		"reopened in time ago":                {reopened, snapshot.LateAfter{"": time.Hour}, after, true},
	} {
		run, deadline := test.run, time.Time{}
		run.RegisteredAt = now.Add(-after)
		if test.deadline > 0 {
			deadline = run.RegisteredAt.Add(test.deadline)
		}
		if got := run.Deadline(test.after); !got.Equal(deadline) || run.Late(now, test.after) != test.late {
			t.Errorf("%s: deadline %v, want %v; late %v", name, got, deadline, run.Late(now, test.after))
		}
	}
	if got := (snapshot.Run{}).Deadline(every); !got.IsZero() {
		t.Errorf("a run that is not in the ledger has the deadline %v", got)
	}
}
