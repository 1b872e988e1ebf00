package report_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

var settings = report.Settings{Exempt: []snapshot.Status{"Table_Unavailable", "Skipped"}, StalledAfter: time.Hour,
	LateAfter: snapshot.LateAfter{"": 5 * time.Hour}}

// state is a collection of which so many files were counted, and the row holds them all.
func state(status snapshot.Status, received, sent int64, changes ...func(*store.State)) store.State {
	s := store.State{
		Row: &snapshot.Row{CollectionKey: snapshot.CollectionKey{CorrelationID: "run", CollectionName: string(status)},
			Status:    status,
			FilesSent: snapshot.Count(sent), FilesReceived: snapshot.Count(received), EpochStart: snapshot.Count(0),
			SyncedFiles: snapshot.Count(received)},
		Collection: snapshot.Collection{Known: true, Counted: received},
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// The changes of a state.

func asked(epoch int64, delivered bool, until time.Time) func(*store.State) {
	return func(s *store.State) {
		s.Collection.Request = snapshot.Entry{Version: snapshot.Count(epoch), Owner: "execution/collection",
			Since: until.Add(-store.DefaultLease), Until: until, Delivered: delivered}
	}
}

func countedAgo(d time.Duration) func(*store.State) {
	return func(s *store.State) { s.Collection.CountedAt = ago(d) }
}

// counted is how many files the ledger counted, and at which of them the row's epoch began.
func counted(files, start int64) func(*store.State) {
	return func(s *store.State) { s.Collection.Counted, s.Row.EpochStart = files, snapshot.Count(start) }
}

// ofOthers is a row that another system counts.
func ofOthers(s *store.State) {
	s.Row.EpochStart, s.Row.SyncedFiles, s.Collection = snapshot.Counter{}, snapshot.Counter{}, snapshot.Collection{}
}

func malformed(s *store.State) { s.Malformed = errors.New("no number") }

func released(s *store.State) {
	asked(0, false, now.Add(time.Minute))(s)
	s.Collection.Request = s.Collection.Request.Released()
}

// replaced is a row that lost the attributes of this system.
func replaced(s *store.State) {
	s.Row.EpochStart, s.Row.SyncedFiles = snapshot.Counter{}, snapshot.Counter{}
}

func succeeded(s *store.State) { s.Collection.SuccessEpochs = []int64{0} }

// What a collection waits for follows from what is stored.
func TestCollections(t *testing.T) {
	t.Parallel()
	leased := asked(0, false, now.Add(time.Minute))
	var got strings.Builder
	for _, c := range []struct {
		name  string
		state store.State
	}{
		{"exporting", state("Exporting", 0, 0)},
		{"exporting, complete", state("Exporting", 1, 1)},
		{"being sent", state("Exported", 1, 2)},
		{"all so far", state("Exported", 2, 2)},
		{"files missing", state("Sent", 1, 2, countedAgo(time.Minute))},
		{"no files", state("Sent", 0, 0)},
		{"complete, not moved", state("SENT", 2, 2)},
		{"ledger ahead of the row", state("Sent", 1, 3, counted(2, 0))},
		{"row replaced", state("Sent", 0, 2, replaced, counted(2, 0), replaced)},
		{"exported again", state("Sent", 2, 2, asked(0, true, now), counted(4, 2))},
		{"enqueued, not moved", state("Sent", 2, 2, leased)},
		{"enqueued, and more sent", state("Sent", 2, 3, leased)},
		{"not asked", state("Received", 2, 2)},
		{"asking", state("Received", 2, 2, leased, countedAgo(time.Hour))},
		{"owner died", state("Received", 2, 2, asked(0, false, now))},
		{"released", state("Received", 2, 2, released)},
		{"asked", state("Received", 2, 2, asked(0, true, now), countedAgo(time.Minute))},
		{"asked for another epoch", state("Received", 2, 2, asked(7, true, now))},
		{"the sender's own", state("Received", 0, 0)},
		{"success file, not moved", state("Received", 2, 2, asked(0, true, now), succeeded)},
		{"received, with a tab", state("Received\t", 1, 1)},
		{"successful", state("SUCCESS", 2, 2, asked(0, true, now))},
		{"never ends", state("blocked_topic", 0, 0)},
		{"exempt", state("Table_Unavailable", 0, 0)},
		{"exempt with a blank, complete", state("Table_Unavailable ", 2, 2)},
		{"unknown, but exempt", state("skipped", 0, 0)},
		{"failed, complete", state("Export_Failed", 1, 1)},
		{"failed, set back", state("export_failed", 0, 0)},
		{"empty", state("", 1, 1)},
		{"malformed", state("Success", 1, 1, malformed)},
	} {
		run := report.New("run", store.RunState{Run: unnotified(), Collections: []store.State{c.state}}, settings, now)
		fmt.Fprintf(&got, "%s: request %s\n%s", c.name, run.Collections[0].Request.State,
			text(report.WhyCollection(run, run.Collections[0], "")))
	}
	operatortest.Golden(t, *update, "collections", got.String())
}

// text is all that a finding says.
func text(f report.Finding) string {
	said := fmt.Sprintf("  %s, %s", f.WaitsFor, f.Responsible)
	if f.Since != nil {
		said += f.Since.Format(", since 15:04:05")
	}
	said += ": " + f.Sentence + "\n"
	if f.Collections != nil {
		said += fmt.Sprintf("    %q and %d more\n", f.Collections, f.More)
	}
	for _, next := range f.Next {
		said += "    > " + next + "\n"
	}
	return said
}

// Every difference has a sentence, and none is found where there is none.
func TestVerify(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, c := range []struct {
		name     string
		state    store.State
		receipts report.Count
	}{
		{"agree", state("Sent", 2, 2), report.Count{Files: 2}},
		{"receipt missing", state("Sent", 2, 2), report.Count{Files: 1}},
		{"row behind", state("Sent", 2, 3, counted(3, 0)), report.Count{Files: 3}},
		{"ledger new", state("Sent", 2, 3, counted(1, 0)), report.Count{Files: 1}},
		{"row replaced", state("Sent", 2, 3, replaced), report.Count{Files: 2}},
		{"adoption begun", state("Sent", 2, 3, func(s *store.State) {
			s.Row.SyncedFiles = snapshot.Counter{Set: true, Other: "adopting x"}
		}), report.Count{Files: 2}},
		{"no row of ours", state("Sent", 2, 3, ofOthers), report.Count{}},
		{"set back just now", state("Sent", 2, 3, func(s *store.State) { s.Row.FilesReceived = snapshot.Count(0) }),
			report.Count{Files: 2}},
		{"set back before", state("Sent", 2, 3, counted(7, 5)), report.Count{Files: 7}},
		{"another system counted", state("Sent", 2, 3, counted(1, -1)), report.Count{Files: 1}},
		{"no success receipt", state("Sent", 2, 2, succeeded), report.Count{Files: 2}},
		{"success receipt", state("Sent", 2, 2, succeeded), report.Count{Files: 2, SuccessFiles: 1}},
		{"malformed", state("Sent", 2, 3, malformed), report.Count{}},
	} {
		fmt.Fprintf(&got, "%s:\n", c.name)
		for _, difference := range report.Verify(c.state, c.receipts) {
			fmt.Fprintf(&got, "  %s (heals: %t)\n", difference.Sentence, difference.Heals)
		}
	}
	operatortest.Golden(t, *update, "verify", got.String())
}

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
