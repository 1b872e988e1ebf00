package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/operator/report"
)

// A shell passes on every argument unchanged. No command line has a NUL: then it names what does not exist, not what
// the shell would leave of it.
func TestCommandLinesArrive(t *testing.T) {
	t.Parallel()
	ids := map[string]string{"run\x00-1": "run\ufffd-1", "caf\xe9\x80": "caf\xe9\x80"}
	for _, id := range operatortest.Hostile {
		ids[id] = id
	}
	for id, arrives := range ids {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			line := report.Command("").Do("why "+report.Flag("run", id), id, "x", id)
			want := []string{"why", "--run=" + arrives}
			if strings.HasPrefix(id, "-") {
				want = append(want, "--")
			}
			if diff := cmp.Diff([][]string{append(want, arrives, "x", arrives)},
				operatortest.Pasted(t, line)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", line, diff)
			}
		})
	}
}

// Each suggestion of why names the deployment, and the run and the collection that it is about.
func TestSuggestionsArrive(t *testing.T) {
	t.Parallel()
	const stack = "--stack=x-prod"
	for name, id := range operatortest.Hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			suggest := func(findings ...report.Finding) {
				for _, finding := range findings {
					for _, next := range finding.Next {
						if at := strings.Index(next, "snapshot-status "); at >= 0 {
							lines = append(lines, next[at:])
						}
					}
				}
			}
			for _, c := range runCases() {
				for i := range c.rows {
					row := *c.rows[i].Row
					row.CorrelationID, row.CollectionName = id, id
					c.rows[i].Row = &row
				}
				if c.run != nil {
					c.run.CorrelationID = id
				}
				run := report.New(id, store.RunState{Run: c.run, Collections: c.rows}, settings, now)
				suggest(report.Why(run, c.around, "snapshot-status "+stack)...)
				for _, collection := range run.Collections {
					suggest(report.WhyCollection(run, collection, "snapshot-status "+stack))
				}
			}
			calls := operatortest.Pasted(t, lines...)
			if len(calls) != len(lines) || len(calls) < 20 {
				t.Errorf("%d calls of %d suggestions", len(calls), len(lines))
			}
			for _, arguments := range calls {
				named := operatortest.Names(arguments, id) || arguments[1] == "pending" || arguments[1] == "runs"
				if arguments[0] != stack || !named {
					t.Errorf("not about run %q: %q", id, arguments)
				}
			}
		})
	}
}
