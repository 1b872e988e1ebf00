package report_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// state is a collection of which so many files were counted, and the row holds them all.
func state(status snapshot.Status, received, sent int64, change ...func(*store.State)) store.State {
	s := store.State{
		Row: &snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: "run", CollectionName: string(status)},
			Status:    status,
			FilesSent: snapshot.Count(sent), FilesReceived: snapshot.Count(received), EpochStart: snapshot.Count(0),
			SyncedFiles: snapshot.Count(received)},
		Collection: snapshot.Collection{Known: true, Counted: received},
	}
	for _, change := range change {
		change(&s)
	}
	return s
}

func asked(epoch int64, delivered bool, until time.Time) func(*store.State) {
	return func(s *store.State) {
		s.Collection.Request = snapshot.Entry{Version: snapshot.Count(epoch), Owner: "execution/collection",
			Since: until.Add(-store.DefaultLease),
			Until: until, Delivered: delivered}
	}
}

// delivered is the outbox entry of a notification that monitoring got in a generation.
func delivered(generation int64) snapshot.Entry {
	return snapshot.Entry{Version: snapshot.Count(generation), Since: ago(2 * time.Hour), Until: ago(time.Hour),
		Delivered: true}
}

// What a collection waits for follows from what is stored.
func TestWaitsFor(t *testing.T) {
	t.Parallel()
	settings := report.Settings{Exempt: []snapshot.Status{"Table_Unavailable", "Skipped"}}
	for name, c := range map[string]struct {
		state    store.State
		want     report.WaitsFor
		delivery report.DeliveryState
	}{
		"exporting":           {state("Exporting", 0, 0), report.ForExport, report.NotDue},
		"being sent":          {state("Exported", 1, 2), report.ForExport, report.NotDue},
		"all so far":          {state("Exported", 2, 2), report.ForSent, report.NotDue},
		"files missing":       {state("Sent", 1, 2), report.ForFiles, report.NotDue},
		"no files":            {state("Sent", 0, 0), report.ForSender, report.NotDue},
		"complete, not moved": {state("SENT", 2, 2), report.ForReconciliation, report.NotDue},
		"behind": {state("Sent", 1, 3, func(s *store.State) { s.Collection.Counted = 2 }),
			report.ForReconciliation, report.NotDue},
		"not asked": {state("Received", 2, 2), report.ForDelivery, report.Pending},
		"asking": {state("Received", 2, 2, asked(0, false, now.Add(time.Minute))), report.ForDelivery,
			report.Leased},
		"owner died": {state("Received", 2, 2, asked(0, false, now)), report.ForDelivery, report.Pending},
		"asked": {state("Received", 2, 2, asked(0, true, now)), report.ForSuccessFile,
			report.Delivered},
		"asked for another epoch": {state("Received", 2, 2, asked(7, true, now)), report.ForDelivery, report.Pending},
		"released": {state("Received", 2, 2, func(s *store.State) {
			asked(0, false, now.Add(time.Minute))(s)
			s.Collection.Request = s.Collection.Request.Released()
		}), report.ForDelivery, report.Pending},
		"enqueued, not moved": {state("Sent", 2, 2, asked(0, false, now.Add(time.Minute))), report.ForReconciliation,
			report.NotDue},
		"enqueued, and more sent": {state("Sent", 2, 3, asked(0, false, now.Add(time.Minute))), report.ForFiles,
			report.NotDue},
		"row replaced": {state("Sent", 0, 2, func(s *store.State) {
			s.Row.EpochStart, s.Row.SyncedFiles, s.Collection.Counted = snapshot.Counter{}, snapshot.Counter{}, 2
		}), report.ForFiles, report.NotDue},
		"exported again": {state("Sent", 2, 2, asked(0, true, now), func(s *store.State) {
			s.Row.EpochStart, s.Collection.Counted = snapshot.Count(2), 4
		}), report.ForReconciliation, report.NotDue},
		"the sender's own": {state("Received", 0, 0), report.ForSuccessFile, report.NotDue},
		"success file, not moved": {state("Received", 2, 2, asked(0, true, now),
			func(s *store.State) { s.Collection.SuccessEpochs = []int64{0} }), report.ForReconciliation, report.Delivered},
		"successful":           {state("SUCCESS", 2, 2, asked(0, true, now)), report.ForNothing, report.Delivered},
		"never ends":           {state("blocked_topic", 0, 0), report.ForManualAction, report.NotDue},
		"exempt":               {state("Table_Unavailable", 0, 0), report.ForNothing, report.NotDue},
		"failed, complete":     {state("Export_Failed", 1, 1), report.ForRetry, report.NotDue},
		"failed, in capitals":  {state("EXPORT_FAILED", 1, 2), report.ForRetry, report.NotDue},
		"failed, set back":     {state("export_failed", 0, 0), report.ForRetry, report.NotDue},
		"exporting, complete":  {state("Exporting", 1, 1), report.ForExport, report.NotDue},
		"with a blank":         {state("Sent ", 1, 1), report.ForStatus, report.NotDue},
		"empty":                {state("", 1, 1), report.ForStatus, report.NotDue},
		"unknown":              {state("Paused", 0, 0), report.ForStatus, report.NotDue},
		"received, with a tab": {state("Received\t", 1, 1), report.ForStatus, report.NotDue},
		"unknown, but exempt":  {state("skipped", 0, 0), report.ForNothing, report.NotDue},
		"final, complete":      {state("Table_Unavailable ", 2, 2), report.ForStatus, report.NotDue},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := report.NewCollection(c.state, settings, now)
			if got.WaitsFor != c.want || got.Request.State != c.delivery {
				t.Errorf("waits for %q, request %q; want %q, %q", got.WaitsFor, got.Request.State, c.want, c.delivery)
			}
		})
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	sent, received, successful := state("Sent", 1, 2), state("Received", 2, 2, asked(0, true, now)),
		state("Success", 2, 2, asked(0, true, now))
	counted := func(s store.State, at time.Time) store.State { s.Collection.CountedAt = at; return s }
	for name, c := range map[string]struct {
		run  snapshot.Run
		rows []store.State
		want report.State
	}{
		"in progress": {snapshot.Run{}, []store.State{counted(sent, ago(time.Minute)), successful},
			report.InProgress},
		"stalled":                {snapshot.Run{}, []store.State{counted(sent, ago(time.Hour))}, report.Stalled},
		"never began":            {snapshot.Run{}, []store.State{sent}, report.InProgress},
		"received, not notified": {snapshot.Run{}, []store.State{received}, report.InProgress},
		"received": {
			snapshot.Run{Outbox: map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(0)}},
			[]store.State{counted(received, ago(0))}, report.Received},
		"successful, one notified": {
			snapshot.Run{Outbox: map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(0)}},
			[]store.State{counted(successful, ago(0))}, report.Received},
		"successful": {snapshot.Run{Outbox: map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(0),
			snapshot.AllSuccessful: delivered(0)}}, []store.State{successful}, report.Successful},
		"notified, then reopened": {snapshot.Run{Generation: 1,
			Outbox: map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(0),
				snapshot.AllSuccessful: delivered(0)}},
			[]store.State{counted(successful, ago(0))}, report.InProgress},
		"notified again": {snapshot.Run{Generation: 1,
			Outbox: map[snapshot.Kind]snapshot.Entry{snapshot.AllReceived: delivered(1),
				snapshot.AllSuccessful: delivered(1)}},
			[]store.State{successful}, report.Successful},
		"abandoned": {snapshot.Run{Abandoned: true}, []store.State{counted(sent, ago(time.Hour))}, report.Abandoned},
		// The sums changed when the sweep recorded them, and have changed since.
		"progress since then": {snapshot.Run{Progress: snapshot.Progress{Sums: "others", Since: ago(time.Minute)}},
			[]store.State{counted(sent, ago(time.Hour))}, report.InProgress},
		"progress, and no sweep since": {snapshot.Run{Progress: snapshot.Progress{Sums: "others",
			Since: ago(time.Hour)}},
			[]store.State{counted(sent, ago(time.Hour))}, report.Stalled},
		"progress just now": {
			snapshot.Run{Progress: snapshot.Progress{Sums: "1 rows, 0 received, 0 successful, 1 of 2 files",
				Since: ago(time.Second)}}, []store.State{counted(sent, ago(time.Hour))}, report.InProgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := report.New("run", store.RunState{Run: &c.run, Collections: c.rows},
				report.Settings{StalledAfter: time.Hour}, now)
			if got.State != c.want {
				t.Errorf("%s, want %s", got.State, c.want)
			}
		})
	}
}

// A run whose sender counts files, while none arrives, is not stalled.
func TestARunInProgressIsNeverStalled(t *testing.T) {
	t.Parallel()
	const stalledAfter, sweepEvery = time.Hour, 2
	known := snapshot.Run{}
	for minute := range 180 {
		at := ago(0).Add(time.Duration(minute) * time.Minute)
		one := state("Exported", 1, int64(minute+2))
		one.Collection.CountedAt = ago(0)
		got := report.New("run", store.RunState{Run: &known, Collections: []store.State{one}},
			report.Settings{StalledAfter: stalledAfter}, at)
		if got.State != report.InProgress {
			t.Fatalf("%s after %d minutes", got.State, minute)
		}
		if minute%sweepEvery == 0 {
			tally := &snapshot.Tally{}
			tally.Add(*one.Row, nil)
			known.Progress, _ = known.Stall(tally, at, stalledAfter)
		}
	}
}

// What a predecessor counted is not reconciled while the run is not in the ledger.
func TestAnotherSystemsRun(t *testing.T) {
	t.Parallel()
	theirs := state("Sent", 2, 2, func(s *store.State) {
		s.Row.EpochStart, s.Row.SyncedFiles, s.Collection = snapshot.Counter{}, snapshot.Counter{},
			snapshot.Collection{}
	})
	for known, want := range map[*snapshot.Run]report.WaitsFor{nil: report.ForOthers, {}: report.ForReconciliation} {
		run := report.New("run", store.RunState{Run: known, Collections: []store.State{theirs}}, report.Settings{}, now)
		if got := run.Collections[0].WaitsFor; got != want {
			t.Errorf("waits for %q, want %q", got, want)
		}
	}
}

// Every difference has a sentence, and none is found where there is none.
func TestVerify(t *testing.T) {
	t.Parallel()
	change := func(change func(*store.State)) store.State { return state("Sent", 2, 3, change) }
	success := func(s *store.State) { s.Collection.SuccessEpochs = []int64{0} }
	for name, c := range map[string]struct {
		state    store.State
		receipts report.Count
		heals    []bool
		sentence string // part of the last one
	}{
		"agree": {state("Sent", 2, 2), report.Count{Files: 2}, nil, ""},
		"receipt missing": {state("Sent", 2, 2), report.Count{Files: 1}, []bool{false},
			"receipts of 1 files and counted 2"},
		"row behind": {change(func(s *store.State) { s.Collection.Counted = 3 }), report.Count{Files: 3},
			[]bool{true}, "FilesReceived yet (the next reconciliation corrects it)"},
		"ledger new": {change(func(s *store.State) { s.Collection.Counted = 1 }), report.Count{Files: 1},
			[]bool{true}, "the ledger is new (the next message corrects it)"},
		"row replaced": {change(func(s *store.State) {
			s.Row.EpochStart, s.Row.SyncedFiles = snapshot.Counter{}, snapshot.Counter{}
		}), report.Count{Files: 2}, []bool{true}, "was replaced (the next message corrects it)"},
		"adoption begun": {change(func(s *store.State) {
			s.Row.SyncedFiles = snapshot.Counter{Set: true, Other: "adopting x"}
		}), report.Count{Files: 2}, []bool{true}, "not finished; the next message finishes it"},
		"no row of ours": {change(func(s *store.State) {
			s.Row, s.Collection = &snapshot.Row{FilesReceived: snapshot.Count(2)}, snapshot.Collection{}
		}), report.Count{}, nil, ""},
		"set back just now": {change(func(s *store.State) { s.Row.FilesReceived = snapshot.Count(0) }),
			report.Count{Files: 2}, []bool{false}, "last wrote 2"},
		"set back before": {change(func(s *store.State) {
			s.Row.EpochStart, s.Collection.Counted = snapshot.Count(5), 7
		}), report.Count{Files: 7}, []bool{false}, "set it back"},
		"another system counted": {change(func(s *store.State) {
			s.Row.EpochStart, s.Collection.Counted = snapshot.Count(-1), 1
		}), report.Count{Files: 1}, []bool{false}, "another system or an earlier ledger counted"},
		"no success receipt": {state("Sent", 2, 2, success), report.Count{Files: 2}, []bool{false},
			"no receipt of one"},
		"success receipt": {state("Sent", 2, 2, success), report.Count{Files: 2, SuccessFiles: 1}, nil, ""},
		"unreadable": {change(func(s *store.State) { s.Malformed = errors.New("no number") }), report.Count{},
			[]bool{false}, "no number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []bool
			last := ""
			for _, difference := range report.Verify(c.state, c.receipts) {
				got, last = append(got, difference.Heals), difference.Sentence
			}
			if diff := cmp.Diff(c.heals, got, cmpopts.EquateEmpty()); diff != "" || !contains(last, c.sentence) {
				t.Errorf("%s %q, want %q", diff, last, c.sentence)
			}
		})
	}
}
