package command

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a text against its golden file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./operator/command -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// The reading commands say what their golden files hold, to people and to scripts.
func TestReadingCommands(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"runs":                "runs",
		"runs-open":           "runs --open",
		"runs-limited":        "runs --limit 1",
		"show-troubled":       "show troubled",
		"show-filtered":       "show troubled --status sent --match accounts",
		"show-waiting":        "show troubled --waits-for files --waits-for export",
		"show-limited":        "show troubled --limit 2",
		"show-none":           "show troubled --match nothing-like-that",
		"show-finished":       "show finished",
		"show-unknown":        "show unknown",
		"show-rows-only":      "show only-rows",
		"show-colours":        "show finished --color always",
		"why-troubled":        "why troubled",
		"why-finished":        "why finished",
		"why-elsewhere":       "--stack x-prod --region eu-west-1 why troubled",
		"why-only-others":     "why of-others",
		"why-abandoned":       "why abandoned",
		"pending-abandoned":   "pending abandoned --deliver",
		"why-collection":      "why troubled accounts.late",
		"why-done":            "why troubled db.accounts.done",
		"why-unknown":         "why troubled db.unknown",
		"why-by-hand":         "why abandoned",
		"runs-by-hand":        "runs --open",
		"show-by-hand":        "show abandoned",
		"pending-by-hand":     "pending abandoned",
		"reconcile-by-hand":   "reconcile abandoned",
		"abandon-by-hand":     "abandon abandoned --reason again",
		"abandon-dry":         "abandon troubled --reason the.export.failed",
		"abandon-finished":    "abandon finished --reason no",
		"abandon-rows-only":   "abandon only-rows --reason no",
		"abandon-unknown":     "abandon unknown --reason no",
		"abandon-no-reason":   "abandon troubled",
		"files-repeated":      "files troubled db.accounts.late",
		"files-expected":      "files troubled db.accounts.late --expected -",
		"files-nameless":      "files troubled db.agents.unsent",
		"files-none":          "files troubled db.agents.exporting",
		"files-success":       "files finished db.core.one",
		"pending":             "pending",
		"pending-one":         "pending troubled",
		"pending-nothing":     "pending finished",
		"pending-deliver-dry": "pending --deliver",
		"reconcile-dry":       "reconcile troubled",
		"reconcile-one-dry":   "reconcile troubled db.core.unreconciled",
		"reconcile-nothing":   "reconcile finished",
		"files-by-file":       "files by-file db.core.again",
		"verify-by-file":      "verify by-file",
		"verify-troubled":     "verify troubled",
		"verify-finished":     "verify finished",
		"watch-finished":      "watch finished",
		"watch-unknown":       "watch unknown",
		"usage-unknown-flag":  "show troubled --nonsense",
		"usage-no-run":        "show",
		"usage-unknown-state": "runs --limit 0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTables(t)
			n.finished("finished")
			n.later(time.Minute)
			n.troubled("troubled")
			n.row("only-rows", "db.core.begun", "Exporting", 0)
			if strings.HasSuffix(name, "abandoned") { // two weeks later
				n.abandoned("abandoned")
			}
			if strings.HasSuffix(name, "by-hand") {
				n.endedByHand("abandoned")
			}
			n.row("of-others", "db.core.theirs", "Success", 3)
			if strings.HasSuffix(name, "by-file") {
				n.byFile("by-file")
			}
			expected := strings.Join(files("late", 1, 5), "\n") + "\n"
			for _, output := range []string{"text", "json"} {
				said := n.says(expected, append(strings.Fields(line), "--output", output)...)
				text := fmt.Sprintf("$ snapshot-status %s\n%s", line, said.out)
				if said.err != "" {
					text += "[to standard error] " + said.err
				}
				text += fmt.Sprintf("[exit code %d]\n", said.code)
				if output == "json" {
					name += ".json"
					if said.out != "" {
						matchesSchema(t, commandOf(line), said.out)
					} else if said.code == exitOK {
						t.Error("no answer")
					}
				}
				golden(t, name, text)
			}
		})
	}
}

// commandOf is the command of a line that names it last but for its run.
func commandOf(line string) string {
	words := strings.Fields(line)
	if strings.HasPrefix(line, "--") {
		return words[len(words)-2]
	}
	return words[0]
}

// A run of many collections is read by pages and batches, not item by item.
func TestReadsOfAManyCollectionRun(t *testing.T) {
	t.Parallel()
	const collections, rowsOfAPage = 10_000, 4_000 // of 1 MB, at about 250 bytes
	n := newTables(t)
	n.db.PageSize = rowsOfAPage
	for i := range collections {
		n.row("large", fmt.Sprintf("db.core.collection-%05d", i), "Sent", 1)
	}
	n.arrive("large", "db.core.collection-00000", "file")
	for _, command := range []string{"show", "why"} {
		clear(n.calls)
		if said := n.says("", command, "large"); said.code != exitNotDone {
			t.Fatal(said)
		}
		// Pages of rows; the run and its collections, 100 at a time.
		want := map[string]int{"Get": 1, "Query": collections/rowsOfAPage + 1, "GetMany": collections / 100}
		if diff := cmp.Diff(want, n.calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", command, diff)
		}
	}
}
