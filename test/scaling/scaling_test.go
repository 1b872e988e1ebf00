package scaling_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the tables into docs/scaling.md in place of comparing them")

const document = "../../docs/scaling.md"

var (
	usual = shape{"25,000 files, 200 collections, 150 at a time", 25_000, 200, 150}
	// Each line of the table "runs". Add yours.
	shapes = []shape{
		usual,
		{"the same, 10 at a time", 25_000, 200, 10},
		{"10,000,000 files, 10,000 collections, 150 at a time", 10_000_000, 10_000, 150},
		{"the same, 10 at a time", 10_000_000, 10_000, 10},
		{"the same, 1,500 at a time", 10_000_000, 10_000, 1_500},
		{"100,000 files, 10,000 collections, 150 at a time", 100_000, 10_000, 150},
		{"100,000 files, one collection", 100_000, 1, 1},
	}
	columns = []settings{{standard, 1}, {standard, 10}, {standard, 100}, {express, 1}, {express, 10}, {express, 100}}
)

// TestDocumentHoldsTheArithmetic writes the tables: go test ./test/scaling -update.
func TestDocumentHoldsTheArithmetic(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := string(raw)
	for name, table := range map[string]string{"quotas": quotaTable(), "runs": runTable(), "backlog": backlogTable()} {
		begin, end := "<!-- computed: "+name+" -->\n", "<!-- end -->"
		before, rest, begins := strings.Cut(want, begin)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends {
			t.Fatalf("%s has no %q followed by %q", document, begin, end)
		}
		want = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(raw), "\n")); diff != "" {
		t.Errorf("run go test ./test/scaling -update (-computed +%s)\n%s", document, diff)
	}
}

// The arithmetic agrees with the units that internal/store measures over a table that bills as DynamoDB does.
func TestLoadAgreesWithTheMeasuredUnits(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, measured, found := strings.Cut(string(raw), "\n| 10,000 | 1 | message | ")
	var units float64
	if _, err := fmt.Sscanf(measured, "%g |", &units); err != nil || !found {
		t.Fatalf("%s has no measured units of 10,000 files: %v", document, err)
	}
	if computed := groupWrites(1) + 1; math.Abs(computed-units) > 0.01 {
		t.Errorf("a file takes %.3f write units, measured are %.2f", computed, units)
	}
}

func TestGroupsOfABatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ active, batch, want float64 }{
		{150, 1, 1}, {1, 100, 1}, {2, 2, 1.5}, {150, 10, 9.71}, {150, 100, 73.16},
	} {
		if got := groupsOf(shape{active: tt.active}, tt.batch); math.Abs(got-tt.want) > 0.05 {
			t.Errorf("%g messages of %g collections: %.2f groups, want %g", tt.batch, tt.active, got, tt.want)
		}
	}
}

func quotaTable() string {
	head, lines := []string{"quota", "default"}, [][]string{}
	for _, with := range columns {
		head = append(head, with.String())
	}
	for _, q := range quotas {
		line := []string{fmt.Sprintf("[%s](%s)", q.name, q.source), q.limit}
		for _, with := range columns {
			line = append(line, rate(q.binds(usual, with, loadOf(usual, with))))
		}
		lines = append(lines, line)
	}
	return table(head, lines)
}

func runTable() string {
	head, lines := []string{"a run of"}, [][]string{}
	for _, with := range columns {
		head = append(head, with.String())
	}
	for _, s := range shapes {
		line := []string{s.name}
		for _, with := range columns {
			files, name := least(s, with)
			line = append(line, rate(files)+", "+name)
		}
		lines = append(lines, line)
	}
	return table(head, lines)
}

// backlogTable is what a full queue does to the tables when nothing but the quota of starts holds the pipe back.
func backlogTable() string {
	const starts = 300
	lines := [][]string{}
	for _, batch := range []float64{1, 3, 10, 100} {
		groups := starts * groupsOf(usual, batch)
		lines = append(lines, []string{fmt.Sprint("STANDARD ", batch), rate(starts * batch), rate(groups),
			rate(groups * groupWrites(starts*batch/groups))})
	}
	return table([]string{"settings", "files a second", "run writes a second (of 1,000)",
		"ledger writes a second (of 4,000)"}, lines)
}

func table(head []string, lines [][]string) string {
	text := "| " + strings.Join(head, " | ") + " |\n|:---" + strings.Repeat("|---:", len(head)-1) + "|\n"
	for _, line := range lines {
		text += "| " + strings.Join(line, " | ") + " |\n"
	}
	return text
}

// rate shows three digits, with commas.
func rate(x float64) string {
	if x == 0 {
		return "-"
	}
	step := math.Pow(10, max(0, math.Floor(math.Log10(x))-2))
	digits := fmt.Sprintf("%.0f", math.Floor(x/step)*step)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
