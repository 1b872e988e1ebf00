package report_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/report"
)

// Why names pending notifications, messages in queues and failed executions.
func TestWhyNamesPendingMessagesAndFailures(t *testing.T) {
	t.Parallel()
	run := report.New("run", store.RunState{Run: &snapshot.Run{},
		Collections: []store.State{state("Success", 2, 2, asked(0, true, now))}},
		report.Settings{StalledAfter: time.Hour}, now)
	around := report.Evidence{Waiting: 2, Rejected: 1, DeadLetters: 1, Failed: []report.Failure{
		{Execution: "old", At: ago(5 * time.Minute), Error: "Old", Cause: "old"},
		{Execution: "new", At: ago(time.Minute), Error: "States.Timeout", Cause: "slow"}}}
	var got []report.Responsible
	findings := report.Why(run, around, "")
	for _, finding := range findings {
		got = append(got, finding.Responsible)
	}
	want := []report.Responsible{report.Operator, report.Operator, report.Operator, report.Checker, report.Checker,
		report.Checker}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	newest := "2 executions of this run failed, the latest at 2026-11-23 11:59:00: States.Timeout: slow."
	if findings[0].Sentence != newest || !findings[0].Since.Equal(ago(time.Minute)) {
		t.Errorf("%+v, want %s", findings[0], newest)
	}
	if next := findings[1].Next[0]; next != "snapshot-status rejected list --dead-letters --run=''" {
		t.Errorf("for dead letters it suggests %s", next)
	}
	done := report.New("run", store.RunState{Run: &snapshot.Run{Outbox: map[snapshot.Kind]snapshot.Entry{
		snapshot.AllReceived: delivered(0), snapshot.AllSuccessful: delivered(0)}},
		Collections: []store.State{state("Success", 2, 2, asked(0, true, now))}}, report.Settings{}, now)
	if found := report.Why(done, around, ""); len(found) != 1 || found[0].WaitsFor != report.ForNothing {
		t.Errorf("of a run that is done: %+v", found)
	}
}

// finding is what a test wants of one: parts of its sentence and of what to do next.
type finding struct {
	responsible    report.Responsible
	sentence, next string
}

// Each sentence names the responsible system, and the next step.
func TestWhyNamesTheResponsible(t *testing.T) {
	t.Parallel()
	const abandoned, reconcile = "The sweep ignores the run: it was abandoned", "snapshot-status reconcile --yes run"
	success, behind := state("Success", 2, 2, asked(0, true, now)),
		state("Sent", 1, 3, func(s *store.State) { s.Collection.Counted = 2 })
	others := state("Success", 2, 2, func(s *store.State) {
		s.Row.EpochStart, s.Row.SyncedFiles, s.Collection = snapshot.Counter{}, snapshot.Counter{},
			snapshot.Collection{}
	})
	for name, c := range map[string]struct {
		run  *snapshot.Run
		rows []store.State
		want []finding
	}{
		"a reconciliation": {&snapshot.Run{}, []store.State{behind},
			[]finding{{report.Checker, "The sweep takes it", reconcile}}},
		"a reconciliation, abandoned": {&snapshot.Run{Abandoned: true}, []store.State{behind},
			[]finding{{report.Operator, abandoned, reconcile}}},
		"a request": {&snapshot.Run{}, []store.State{state("Received", 2, 2)},
			[]finding{{report.Checker, "The next reconciliation or sweep delivers it",
				"snapshot-status pending --deliver --yes"},
				{report.Checker, "are received", "pending --deliver"}}},
		"a request, abandoned": {&snapshot.Run{Abandoned: true}, []store.State{state("Received", 2, 2)},
			[]finding{{report.Operator, abandoned, reconcile}, {report.Operator, abandoned, reconcile}}},
		"a lease, abandoned": {&snapshot.Run{Abandoned: true},
			[]store.State{state("Received", 2, 2, asked(0, false, now.Add(time.Minute))), behind},
			[]finding{{report.Operator, abandoned, reconcile},
				{report.Operator, "if that execution died, the lease expires. " +
					abandoned, reconcile}}},
		"notifications": {&snapshot.Run{}, []store.State{success},
			[]finding{{report.Checker, "All collections are received", "pending --deliver"},
				{report.Checker, "All collections are successful, but monitoring is not notified yet (pending). The " +
					"sweep",
					"pending --deliver"}}},
		"notifications, abandoned": {&snapshot.Run{Abandoned: true}, []store.State{success},
			[]finding{{report.Operator, abandoned, reconcile}, {report.Operator, abandoned, reconcile}}},
		"another system's, finished": {nil, []store.State{others},
			[]finding{{report.NoOne, "Another system counts it", "docs/cutover.md"}}},
		"another system's, exporting": {nil, []store.State{others, state("Exporting", 0, 0)},
			[]finding{{report.Exporter, "exporter and sender", "the exporter"}}},
		"no files": {&snapshot.Run{}, []store.State{state("Sent", 0, 0)},
			[]finding{{report.Sender, "The sender itself completes a collection without files",
				"the snapshot sender"}}},
		"no files, and files missing": {&snapshot.Run{}, []store.State{state("Sent", 1, 0), state("Sent", 1, 2)},
			[]finding{{report.Receiver, "1 collection waits for files: 1 of 2 sent files have arrived", "--expected"},
				{report.Sender, "status Sent with FilesSent 0, but 1 file has arrived", "the snapshot sender"}}},
		"export failed": {&snapshot.Run{}, []store.State{state("Export_Failed", 1, 1)},
			[]finding{{report.Exporter, "1 collection waits for the next export: status Export_Failed.",
				"the exporter"}}},
		"odd statuses": {&snapshot.Run{}, []store.State{state("Sent ", 1, 1), state("", 0, 0),
			state("Paus\u202eed", 0, 0)}, []finding{{report.Operator,
			`3 collections wait for a known status: "", "Paus\u202eed", "Sent " is none of Exporting, Exported, ` +
				`Export_Failed,`, "which system wrote it"}}},
		"never ends": {&snapshot.Run{}, []store.State{state("Blocked_Topic", 0, 0), state("Table_Unavailable", 0, 0)},
			[]finding{{report.Operator,
				"2 collections need manual action: status Blocked_Topic, Table_Unavailable is final",
				"add Blocked_Topic, Table_Unavailable to exemptStatuses in this stack's settings, and deploy with " +
					"all of them"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.run != nil {
				c.run.CorrelationID = "run"
			}
			run := report.New("run", store.RunState{Run: c.run, Collections: c.rows},
				report.Settings{StalledAfter: time.Hour}, now)
			got := report.Why(run, report.Evidence{}, "")
			if len(got) != len(c.want) {
				t.Fatalf("%d findings, want %d: %+v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				if got[i].Responsible != want.responsible || !contains(got[i].Sentence, want.sentence) ||
					!contains(strings.Join(got[i].Next, "\n"), want.next) {
					t.Errorf("%+v, want %+v", got[i], want)
				}
			}
		})
	}
}

var contains = strings.Contains

// Notifications of a run that another system counts are not due.
func TestNotificationsOfAnotherSystemsRunAreNotDue(t *testing.T) {
	t.Parallel()
	run := report.New("run", store.RunState{Collections: []store.State{state("Success", 2, 2)}}, report.Settings{}, now)
	for _, n := range run.Notifications {
		if n.Delivery.State != report.NotDue {
			t.Errorf("%s is %s", n.Kind, n.Delivery.State)
		}
	}
}

// A failure before the last progress comes last.
func TestPastFailuresComeLast(t *testing.T) {
	t.Parallel()
	failed := func(before time.Duration) report.Failure {
		return report.Failure{At: ago(before), Error: "Unavailable"}
	}
	counted := state("Sent", 1, 2, func(s *store.State) { s.Collection.CountedAt = ago(time.Hour) })
	for name, c := range map[string]struct {
		failures []report.Failure
		sweep    time.Time // that noted the progress
		now      string    // the failures that may hold the run
		past     string
	}{
		"since then": {[]report.Failure{failed(time.Minute)}, time.Time{}, "1 execution of", ""},
		"before":     {[]report.Failure{failed(61 * time.Minute)}, time.Time{}, "", "1 execution of"},
		"both": {[]report.Failure{failed(2 * time.Hour), failed(time.Hour), failed(3 * time.Hour)},
			time.Time{}, "1 execution of", "2 executions of"},
		"before a late sweep": {[]report.Failure{failed(59 * time.Minute)}, ago(58 * time.Minute), "1 execution of",
			""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := report.New("run", store.RunState{Run: &snapshot.Run{Progress: snapshot.Progress{Since: c.sweep}},
				Collections: []store.State{counted}}, report.Settings{}, now)
			var sentences []string
			for _, f := range report.Why(run, report.Evidence{Failed: c.failures}, "") {
				sentences = append(sentences, f.Sentence)
			}
			first, last := sentences[0], sentences[len(sentences)-1]
			if c.now != "" != strings.HasPrefix(first, c.now+" this run failed") ||
				c.past != "" != strings.HasPrefix(last, c.past+" this run failed") ||
				c.past != "" && !contains(last, "The run has made progress since") ||
				contains(first, "has made progress") {
				t.Errorf("%q", sentences)
			}
		})
	}
}

// Suggested commands act on the deployment of the question.
func TestSuggestionsNameTheDeployment(t *testing.T) {
	t.Parallel()
	const command = report.Command("snapshot-status --stack x-prod")
	var rows []store.State
	for _, status := range []snapshot.Status{"Exporting", "Exported", "Sent", "Received", "Success", "Blocked_Topic"} {
		for files := range int64(3) {
			rows = append(rows, state(status, files, 2), state(status, files, 0))
		}
	}
	malformed := state("Sent", 0, 1)
	malformed.Malformed = errors.New("no number")
	around := report.Evidence{Waiting: 1, Rejected: 1, DeadLetters: 1, Failed: []report.Failure{{At: now},
		{At: ago(time.Hour)}}}
	suggested := 0
	say := func(findings ...report.Finding) {
		for _, next := range nextOf(findings) {
			commands := strings.Count(next, "snapshot-status ")
			if suggested += commands; commands != strings.Count(next, string(command)+" ") {
				t.Errorf("of another deployment: %s", next)
			}
		}
	}
	for _, abandoned := range []bool{false, true} {
		for _, some := range [][]store.State{append(rows, malformed), {state("Success", 2, 2)}, nil} {
			run := report.New("run", store.RunState{Run: &snapshot.Run{Abandoned: abandoned,
				Progress: snapshot.Progress{Since: ago(time.Minute)}}, Collections: some}, report.Settings{}, now)
			say(report.Why(run, around, command)...)
			for _, c := range run.Collections {
				say(report.WhyCollection(run, c, command))
			}
		}
	}
	if suggested < 20 {
		t.Errorf("only %d commands were suggested", suggested)
	}
}

func nextOf(findings []report.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, f.Next...)
	}
	return all
}
