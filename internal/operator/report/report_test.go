package report_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/internal/operator/report"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// state is a collection of which so many files were counted, and the row holds them all.
func state(status snapshot.Status, received, sent int64, change ...func(*store.State)) store.State {
	s := store.State{
		Row: &snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: "run", CollectionName: string(status)}, Status: status,
			FilesSent: snapshot.Count(sent), FilesReceived: snapshot.Count(received), FilesCounted: snapshot.Count(received)},
		Collection: snapshot.Collection{Counted: received, Projected: true},
	}
	for _, change := range change {
		change(&s)
	}
	return s
}

func asked(attempt int64, delivered bool, until time.Time) func(*store.State) {
	return func(s *store.State) {
		s.Collection.Request = snapshot.Claim{Attempt: snapshot.Count(attempt), By: "execution/collection", Since: until.Add(-snapshot.Lease),
			Until: until, Delivered: delivered}
	}
}

// What a collection waits for follows from what is stored.
func TestWaitsFor(t *testing.T) {
	t.Parallel()
	settings := report.Settings{Exempt: []snapshot.Status{"Table_Unavailable", "Skipped"}}
	for name, c := range map[string]struct {
		state store.State
		want  report.WaitsFor
		debt  report.DebtState
	}{
		"exporting":                 {state("Exporting", 0, 0), report.ForExport, report.NotDue},
		"being sent":                {state("Exported", 1, 2), report.ForExport, report.NotDue},
		"all so far":                {state("Exported", 2, 2), report.ForSent, report.NotDue},
		"files missing":             {state("Sent", 1, 2), report.ForFiles, report.NotDue},
		"no files":                  {state("Sent", 0, 0), report.ForSender, report.NotDue},
		"complete, not moved":       {state("SENT", 2, 2), report.ForLook, report.NotDue},
		"behind":                    {state("Sent", 1, 3, func(s *store.State) { s.Collection.Counted = 2 }), report.ForLook, report.NotDue},
		"not asked":                 {state("Received", 2, 2), report.ForDelivery, report.Owed},
		"asking":                    {state("Received", 2, 2, asked(0, false, now.Add(time.Minute))), report.ForDelivery, report.Claimed},
		"claimer died":              {state("Received", 2, 2, asked(0, false, now)), report.ForDelivery, report.Owed},
		"asked":                     {state("Received", 2, 2, asked(0, true, now)), report.ForSuccessFile, report.Delivered},
		"asked for another attempt": {state("Received", 2, 2, asked(7, true, now)), report.ForDelivery, report.Owed},
		"the sender's own":          {state("Received", 0, 0), report.ForSuccessFile, report.NotDue},
		"success file, not moved":   {state("Received", 2, 2, asked(0, true, now), func(s *store.State) { s.Collection.Success = snapshot.Count(0) }), report.ForLook, report.Delivered},
		"successful":                {state("SUCCESS", 2, 2, asked(0, true, now)), report.ForNothing, report.Delivered},
		"failed, complete":          {state("Export_Failed", 1, 1), report.ForRetry, report.NotDue},
		"failed, in capitals":       {state("EXPORT_FAILED", 1, 2), report.ForRetry, report.NotDue},
		"failed, set back":          {state("export_failed", 0, 0), report.ForRetry, report.NotDue},
		"exporting, complete":       {state("Exporting", 1, 1), report.ForExport, report.NotDue},
		"with a blank":              {state("Sent ", 1, 1), report.ForStatus, report.NotDue},
		"empty":                     {state("", 1, 1), report.ForStatus, report.NotDue},
		"unknown":                   {state("Paused", 0, 0), report.ForStatus, report.NotDue},
		"received, with a tab":      {state("Received\t", 1, 1), report.ForStatus, report.NotDue},
		"unknown, but exempt":       {state("skipped", 0, 0), report.ForNothing, report.NotDue},
		"final, complete":           {state("Table_Unavailable ", 2, 2), report.ForStatus, report.NotDue},
		"never ends":                {state("blocked_topic", 0, 0), report.ForNothingEver, report.NotDue},
		"exempt":                    {state("Table_Unavailable", 0, 0), report.ForNothing, report.NotDue},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := report.NewCollection(c.state, settings, now)
			if got.WaitsFor != c.want || got.Request.State != c.debt {
				t.Errorf("waits for %q, request %q; want %q, %q", got.WaitsFor, got.Request.State, c.want, c.debt)
			}
		})
	}
}

// How far a run is.
func TestState(t *testing.T) {
	t.Parallel()
	told := func(attempts int64) snapshot.Claim {
		return snapshot.Claim{Attempt: snapshot.Count(attempts), Since: ago(2 * time.Hour), Until: ago(time.Hour), Delivered: true}
	}
	sent, received, successful := state("Sent", 1, 2), state("Received", 2, 2, asked(0, true, now)), state("Success", 2, 2, asked(0, true, now))
	counted := func(s store.State, at time.Time) store.State { s.Collection.CountedAt = at; return s }
	for name, c := range map[string]struct {
		run  snapshot.Run
		rows []store.State
		want report.State
	}{
		"going":                {snapshot.Run{}, []store.State{counted(sent, ago(time.Minute)), successful}, report.Going},
		"stalled":              {snapshot.Run{}, []store.State{counted(sent, ago(time.Hour))}, report.Stalled},
		"never began":          {snapshot.Run{}, []store.State{sent}, report.Going},
		"received, not told":   {snapshot.Run{}, []store.State{received}, report.Going},
		"received":             {snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: told(0)}}, []store.State{counted(received, ago(0))}, report.Received},
		"successful, one told": {snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: told(0)}}, []store.State{counted(successful, ago(0))}, report.Received},
		"successful": {snapshot.Run{News: map[snapshot.DebtKind]snapshot.Claim{snapshot.AllReceived: told(0), snapshot.AllSuccessful: told(0)}},
			[]store.State{successful}, report.Successful},
		"let go": {snapshot.Run{LetGo: true}, []store.State{counted(sent, ago(time.Hour))}, report.LetGo},
		// Whatever the sweep saw then, the sums changed at that time, and have changed again since.
		"moved since then":         {snapshot.Run{Progress: snapshot.Progress{Sums: "others", Since: ago(time.Minute)}}, []store.State{counted(sent, ago(time.Hour))}, report.Going},
		"moved, and swept no more": {snapshot.Run{Progress: snapshot.Progress{Sums: "others", Since: ago(time.Hour)}}, []store.State{counted(sent, ago(time.Hour))}, report.Stalled},
		"moved just now":           {snapshot.Run{Progress: snapshot.Progress{Sums: "1 rows, 0 received, 0 successful, 1 of 2 files, attempts 0", Since: ago(time.Second)}}, []store.State{counted(sent, ago(time.Hour))}, report.Going},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := report.New("run", store.RunState{Run: &c.run, Collections: c.rows}, report.Settings{StalledAfter: time.Hour}, now)
			if got.State != c.want {
				t.Errorf("%s, want %s", got.State, c.want)
			}
		})
	}
}

// A run whose sender counts on, while no file comes, is not stalled: neither before a sweep has seen it nor after.
func TestAMovingRunIsNeverStalled(t *testing.T) {
	t.Parallel()
	const stalledAfter, sweepEvery = time.Hour, 2
	known := snapshot.Run{}
	for minute := range 180 {
		at := ago(0).Add(time.Duration(minute) * time.Minute)
		one := state("Exported", 1, int64(minute+2))
		one.Collection.CountedAt = ago(0)
		got := report.New("run", store.RunState{Run: &known, Collections: []store.State{one}}, report.Settings{StalledAfter: stalledAfter}, at)
		if got.State != report.Going {
			t.Fatalf("%s after %d minutes", got.State, minute)
		}
		if minute%sweepEvery == 0 {
			tally := &snapshot.Tally{}
			tally.Add(*one.Row, nil)
			known.Progress, _ = known.Stall(tally, at, stalledAfter)
		}
	}
}

// What a predecessor counted is not ours to look at as long as no message of the run has come here.
func TestAnotherSystemsRun(t *testing.T) {
	t.Parallel()
	theirs := state("Sent", 2, 2, func(s *store.State) { s.Row.FilesCounted, s.Collection = snapshot.Counter{}, snapshot.Collection{} })
	for known, want := range map[*snapshot.Run]report.WaitsFor{nil: report.ForOthers, {}: report.ForLook} {
		run := report.New("run", store.RunState{Run: known, Collections: []store.State{theirs}}, report.Settings{}, now)
		if got := run.Collections[0].WaitsFor; got != want {
			t.Errorf("waits for %q, want %q", got, want)
		}
	}
}

// Every difference has a sentence, and none is found where there is none.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state   store.State
		markers report.Count
		heals   []bool
	}{
		"agree":              {state("Sent", 2, 2), report.Count{Files: 2}, nil},
		"markers missing":    {state("Sent", 2, 2), report.Count{Files: 1}, []bool{false}},
		"row behind":         {state("Sent", 2, 3, func(s *store.State) { s.Collection.Counted = 3 }), report.Count{Files: 3}, []bool{true}},
		"row ahead":          {state("Sent", 2, 3, func(s *store.State) { s.Collection.Counted = 1 }), report.Count{Files: 1}, []bool{false}},
		"counters set back":  {state("Sent", 2, 3, func(s *store.State) { s.Row.FilesReceived = snapshot.Count(0) }), report.Count{Files: 2}, []bool{false}},
		"no success marker":  {state("Sent", 2, 2, func(s *store.State) { s.Collection.Success = snapshot.Count(0) }), report.Count{Files: 2}, []bool{false}},
		"success marker too": {state("Sent", 2, 2, func(s *store.State) { s.Collection.Success = snapshot.Count(0) }), report.Count{Files: 2, SuccessFiles: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []bool
			for _, difference := range report.Verify(c.state, c.markers) {
				got = append(got, difference.Heals)
			}
			if diff := cmp.Diff(c.heals, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s %v", diff, report.Verify(c.state, c.markers))
			}
		})
	}
}

// A name is one word of a command line, whatever it is.
func TestQuote(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"run-1": "run-1", "db.a b": "'db.a b'", "it's": `'it'\''s'`, "": "''", "--yes": "--yes", "a\tb\u202e": `$'a\tb\342\200\256'`, "$(x)": "'$(x)'"} {
		if got := report.Quote(name); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
