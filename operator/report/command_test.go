package report_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// A shell passes on every argument unchanged.
func TestCommandLinesArrive(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := report.Command("").Do("why "+report.Flag("run", id), id, "x", id)
			want := []string{"why", "--run=" + id}
			if strings.HasPrefix(id, "-") {
				want = append(want, "--")
			}
			if diff := cmp.Diff([][]string{append(want, id, "x", id)}, operatortest.Pasted(t, line)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", line, diff)
			}
		})
	}
}

// No command line has a NUL: then it names what does not exist, not what the shell would leave of it. Other bytes
// arrive.
func TestQuoteOddBytes(t *testing.T) {
	t.Parallel()
	got := operatortest.Pasted(t, report.Command("").Do("why", "run\x00-1", "caf\xe9\x80"))
	if diff := cmp.Diff([][]string{{"why", "run\ufffd-1", "caf\xe9\x80"}}, got); diff != "" {
		t.Error(diff)
	}
}

// Each suggestion of why names the run and the collection that it is about.
func TestSuggestionsArrive(t *testing.T) {
	t.Parallel()
	for name, id := range operatortest.Hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, next := range suggestions(id) {
				if at := strings.Index(next, "snapshot-status "); at >= 0 {
					lines = append(lines, next[at:])
				}
			}
			calls := operatortest.Pasted(t, lines...)
			if len(calls) != len(lines) || len(calls) < 20 {
				t.Errorf("%d calls of %d suggestions", len(calls), len(lines))
			}
			for _, arguments := range calls {
				if arguments[0] != "pending" && !operatortest.Names(arguments, id) {
					t.Errorf("not about run %q: %q", id, arguments)
				}
			}
		})
	}
}

// suggestions are all that why suggests about a run, and about collections, of this name.
func suggestions(id string) []string {
	var next []string
	for _, abandoned := range []bool{false, true} {
		for _, status := range []snapshot.Status{"Exported", "Sent", "Received", "Blocked_Topic", "Odd"} {
			for files := range int64(3) {
				one := state(status, files, 2)
				one.Row.CollectionKey = snapshot.CollectionKey{CorrelationID: id, CollectionName: id}
				if status == "Sent" && files == 0 {
					one.Malformed = errors.New("no number")
				}
				run := report.New(id, store.RunState{Run: &snapshot.Run{CorrelationID: id, Abandoned: abandoned},
					Collections: []store.State{one}}, report.Settings{}, now)
				around := report.Evidence{Waiting: 1, Rejected: 1, DeadLetters: 1, Failed: []report.Failure{{At: now}}}
				next = append(next, nextOf(report.Why(run, around, ""))...)
				next = append(next, nextOf([]report.Finding{report.WhyCollection(run, run.Collections[0], "")})...)
			}
		}
	}
	return next
}
