package command

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

const prompt = "$ snapshot-status "

// otherTests are the golden files without a command line.
var otherTests = regexp.MustCompile("^(doctor|in-time-|late-|verify-history-)")

// commandLines finds the golden files that begin with a command line: the name of each file, and its line. For a new
// answer write a file with that line alone, and run go test -update. Names that end in .json are answers for scripts.
func commandLines(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	lines := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		name := strings.TrimSuffix(filepath.Base(file), ".golden")
		if line, is := strings.CutPrefix(first, prompt); is {
			lines[name] = line
		} else if !otherTests.MatchString(name) {
			t.Errorf("%s does not begin with a command line", file)
		}
	}
	answered := map[string]bool{"doctor": true, "verify-history": true} // by tests of their own
	for name, line := range lines {
		answered[answersOf(line)] = answered[answersOf(line)] || strings.HasSuffix(name, ".json")
	}
	for command := range answers {
		if !answered[command] {
			t.Errorf("no golden file has the answer of %s for scripts", command)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(input)), slices.Collect(maps.Keys(gone))) {
		if lines[name] == "" {
			t.Errorf("testdata/%s.golden is missing, or has no command line", name)
		}
	}
	return lines
}

// transcript is what a person sees of a command line and its answer.
func (s said) transcript(line string) string {
	text := prompt + line + "\n" + s.out
	if s.err != "" {
		text += "[to standard error] " + s.err
	}
	return text + fmt.Sprintf("[exit code %d]\n", s.code)
}

// wordsOf are the words of a command line, with the flag of the answer for scripts if the name asks for that.
func wordsOf(name, line string) []string {
	words := strings.Fields(line)
	if strings.HasSuffix(name, ".json") && !strings.Contains(line, "--output") {
		words = append(words, "--output", "json")
	}
	return words
}

const aMessage = `{"correlation_id": "run-1", "collection_name": "db.core.one", "snapshot_type": "full", ` +
	`"export_date": "2026-11-22"}`

// input is the standard input, by golden file.
var input = map[string]string{
	"files-expected":             strings.Join(files("late", 1, 5), "\n") + "\n",
	"send-identity":              aMessage,
	"send-envelope":              `{"Records": [{"body": ` + aMessage + `}, {"body": {"correlation_id": 7}}]}`,
	"send-refused":               `{"correlation_id": "run-1"}`,
	"send-as-is":                 "oh",
	"verify-manifest-agrees":     listOf("db.core.one", "db.core.two"),
	"verify-manifest-empty":      "collection,file\n",
	"verify-manifest-bad-line":   listOf("db.core.one", "db.core.two") + "db.core.one;x\n",
	"verify-manifest-limited":    listOf("db.core.two", "db.core.none"),
	"verify-manifest-by-file":    "db.core.again,again-001.txt.gz.enc\ndb.core.again,again-002.txt.gz.enc",
	"verify-manifest-everything": troubledList,
	"rejected-delete-asks":       "3\n",
	"rejected-delete-agreed":     "4\n",
	"dead-letters-delete-asks":   "no\n",
	"dead-letters-delete-agreed": "1\n",
}

// listOf is the CSV of a run's files.
func listOf(collections ...string) string {
	list := "collection,file\n"
	for _, collection := range collections {
		for _, file := range files(collection, 1, 2) {
			list += collection + "," + file + "\n"
		}
	}
	return list
}

// troubledList lists some of what troubled has, and what it has not.
const troubledList = `{"collection": "db.accounts.done", "file": "2026-11-22/done-001.txt.gz.enc"}
{"collection_name": "db.accounts.done", "filename": "done-002.txt.gz.enc", "more": {}}
{"collection": "db.accounts.done", "file_name": "./2026-11-22/done-002.txt.gz.enc"}
{"collection": "db.core.without-a-row", "file": "a"}
{"collection": "db.accounts.late", "file": "late-001.txt.gz.enc"}
{"collection": "db.accounts.late", "file": "late-002.txt.gz.enc"}
{"collection": "db.accounts.late", "file": "late-003.txt.gz.enc"}
{"collection": "db.accounts.late", "file": "late-003.txt.gz.enc"}
{"collection": "db.agents.unsent", "file": "b"}`

// The commands that read tables, or need nothing, answer as their golden files say.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, line := range commandLines(t) {
		if ofAQueue(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			about := strings.TrimSuffix(name, ".json")
			n := newTables(t)
			n.finished("finished")
			n.later(time.Minute)
			n.troubled("troubled")
			n.row("only-rows", "db.core.begun", "Exporting", 0)
			n.row("of-others", "db.core.theirs", "Success", 3)
			switch {
			case strings.HasSuffix(about, "abandoned"):
				n.abandoned("abandoned")
			case strings.HasSuffix(about, "by-hand"):
				n.endedByHand("abandoned")
			case strings.HasSuffix(about, "by-file"):
				n.byFile("by-file")
			}
			if strings.HasPrefix(about, "verify-manifest") {
				n.row("finished", "db.core.without-files", "Received", 0)
			}
			got := n.says(input[about], wordsOf(name, line)...)
			golden(t, name, got.transcript(line))
			if about != name {
				matchesSchema(t, line, got.out, got.code)
			}
		})
	}
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
