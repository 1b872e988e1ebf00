// Package scaling_test is the arithmetic of docs/scaling.md: what one file takes of each AWS quota, and so the rate of
// files at which the quota binds.
package scaling_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

var update = flag.Bool("update", false, "write the tables into docs/scaling.md in place of comparing them")

const document = "../../docs/scaling.md"

var columns = []settings{{"STANDARD", 1}, {"STANDARD", 10}, {"STANDARD", 100}, {"EXPRESS", 1}, {"EXPRESS", 10},
	{"EXPRESS", 100}}

// shapes are the lines of the table "runs". Add yours. The other tables are of the first.
var shapes = []shape{
	{"25,000 files, 200 collections, 150 at a time", 25_000, 200, 150},
	{"the same, 10 at a time", 25_000, 200, 10},
	{"10,000,000 files, 10,000 collections, 150 at a time", 10_000_000, 10_000, 150},
	{"the same, 10 at a time", 10_000_000, 10_000, 10},
	{"the same, 1,500 at a time", 10_000_000, 10_000, 1_500},
	{"100,000 files, 10,000 collections, 150 at a time", 100_000, 10_000, 150},
	{"100,000 files, one collection", 100_000, 1, 1},
}

// shape is a run. Active collections are sent at the same time, their files mixed at random.
type shape struct {
	name                       string
	files, collections, active float64
}

type settings struct {
	workflow string
	batch    float64 // messages: batches are full while the queue holds enough
}

// Sizes in bytes. Those of the ledger follow from its items with ids and file names of usual length.
const (
	unit           = 1024.0 // of a write
	receiptItem    = 250.0  // an item of receipts without its messages
	receipt        = 150.0  // one message of it
	collectionItem = 350.0  // a collection without its digests
	digest         = 13.0   // as an element of a set
	page           = 48.0   // digests after which a page is turned: internal/store
)

// What one collection takes besides its files, when it becomes Received, when it becomes Success, and when the stream
// delivers the sender's change to Sent. States are those that the definition enters.
const (
	moveStates = 6 + 5 + 5 // Received: from Check Collection to Run Incomplete; Success: without Notify Sender
	moveCalls  = 3 + 2 + 2
	moveLedger = 2     // enqueued, delivered
	moveRow    = 1 + 2 // adopted; Received, Success
	moveReads  = 8     // of the run's partition
)

// groupsOf is how many collections a batch's messages are of.
func groupsOf(s shape, batch float64) float64 {
	return s.active * (1 - math.Pow(1-1/s.active, batch))
}

// groupWrites are the ledger's units for a group of n messages: receipts, count, and its part of a page.
func groupWrites(n float64) float64 {
	units := func(bytes float64) float64 { return math.Ceil(bytes / unit) }
	full := max(page, n)
	turn := units(digest*full) + units(collectionItem+digest*full) // the page is put; its digests are deleted
	return units(receiptItem+receipt*n) + units(collectionItem+digest*max(n, page/2)) + turn*n/full
}

// quota is AWS's default in eu-west-1.
type quota struct {
	name, limit, source string
	files               float64 // a second, at which it binds; 0 where it does not apply
}

const (
	partitions = "amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	states     = "step-functions/latest/dg/service-quotas.html"
	queues     = "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"
)

// quotas divides each quota by what one file takes of it, with its share of its collection's completion.
func quotas(s shape, with settings) []quota {
	// Assumptions, since AWS promises no durations: a function call takes 0.1 s, a pipe's batch that starts an
	// execution and ends there 0.1 s (STANDARD), and one that waits for its execution 0.25 s (EXPRESS).
	call, held := 0.1, 0.1
	starts, transitions := 300.0, 5000.0
	if with.workflow == "EXPRESS" {
		held, starts, transitions = 0.25, 6000, 0
	}
	each := s.collections / s.files // collections for each file
	messages := 1 + each            // the _success file is one more message
	batches := messages / with.batch
	// updates of a row, each with a batch read before it
	groups := batches * groupsOf(s, with.batch)
	ledger := groups*groupWrites(messages/groups) + moveLedger*each // of one collection all are of one partition
	return []quota{
		{"run writes", "1,000 units a second of a partition", partitions,
			1000 / (1 + groups + moveRow*each)}, // 1: the sender's own write of FilesSent
		{"run reads", "3,000 units a second of a partition", partitions, 3000 / (groups + moveReads*each)},
		{"collection writes", "1,000 units a second of a partition", partitions, 1000 * s.active / ledger},
		{"ledger writes", "4,000 units a second of a new table",
			"amazondynamodb/latest/developerguide/warm-throughput-scenarios.html", 4000 / ledger},
		{"starts", "300 STANDARD a second, 6,000 EXPRESS", states, starts / (batches + each)},
		{"transitions", "5,000 STANDARD a second", states, transitions / (2*batches + moveStates*each)},
		{"pipe batches", "1,000 at a time", "eventbridge/latest/userguide/eb-pipes-sqs.html", 1000 * with.batch / held},
		{"function calls", "1,000 at a time", "lambda/latest/dg/gettingstarted-limits.html",
			1000 / call / (batches + moveCalls*each)},
		{"messages in flight", "120,000 of a queue", queues, 120_000 / held},
		{"requests", "300 sends a second to a FIFO queue", queues, 300 / each},
		{"notifications", "9,000 publishes a second", "general/latest/gr/sns.html", 9000 / (2 / s.files)},
	}
}

// TestDocumentHoldsTheArithmetic compares the document's tables, or writes them: go test ./test/scaling -update.
func TestDocumentHoldsTheArithmetic(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := string(raw)
	// internal/store measures over a table that bills as DynamoDB does.
	_, measured, _ := strings.Cut(want, "\n| 10,000 | 1 | message | ")
	var units float64
	if _, err := fmt.Sscanf(measured, "%g |", &units); err != nil || math.Abs(groupWrites(1)+1-units) > 0.01 {
		t.Errorf("a file takes %.3f write units, measured are %.2f (%v)", groupWrites(1)+1, units, err)
	}
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
	if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(string(raw), "\n")); diff != "" {
		t.Errorf("run go test ./test/scaling -update (-computed +%s)\n%s", document, diff)
	}
}

// The document's tables follow whatever groupsOf says. These values are not computed from it.
func TestGroupsOfABatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ active, batch, want float64 }{
		{150, 1, 1}, {1, 100, 1}, {2, 2, 1.5}, {150, 100, 73.16}} {
		if got := groupsOf(shape{active: test.active}, test.batch); math.Abs(got-test.want) > 0.01 {
			t.Errorf("%g messages of %g collections: %.2f groups, want %g", test.batch, test.active, got, test.want)
		}
	}
}

func quotaTable() string {
	text := head("quota", "default")
	for i, q := range quotas(shapes[0], columns[0]) {
		cells := []string{fmt.Sprintf("[%s](https://docs.aws.amazon.com/%s)", q.name, q.source), q.limit}
		for _, with := range columns {
			cells = append(cells, rate(quotas(shapes[0], with)[i].files))
		}
		text += line(cells...)
	}
	return text
}

// runTable has the least quota that applies.
func runTable() string {
	text := head("a run of")
	for _, s := range shapes {
		cells := []string{s.name}
		for _, with := range columns {
			apply := slices.DeleteFunc(quotas(s, with), func(q quota) bool { return q.files == 0 })
			least := slices.MinFunc(apply, func(a, b quota) int { return cmp.Compare(a.files, b.files) })
			cells = append(cells, rate(least.files)+", "+least.name)
		}
		text += line(cells...)
	}
	return text
}

// backlogTable is what a full queue does to the tables when nothing but the quota of starts holds the pipe back.
func backlogTable() string {
	text := line("settings", "files a second", "run writes a second (of 1,000)", "ledger writes a second (of 4,000)") +
		"|:---|---:|---:|---:|\n"
	for _, batch := range []float64{1, 3, 10, 100} {
		const starts = 300
		groups := starts * groupsOf(shapes[0], batch)
		text += line(fmt.Sprint("STANDARD ", batch), rate(starts*batch), rate(groups),
			rate(groups*groupWrites(starts*batch/groups)))
	}
	return text
}

// head is the head of a table whose last columns are the settings.
func head(cells ...string) string {
	for _, with := range columns {
		cells = append(cells, fmt.Sprint(with.workflow, " ", with.batch))
	}
	return line(cells...) + "|:---" + strings.Repeat("|---:", len(cells)-1) + "|\n"
}

func line(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// rate shows three digits, with commas.
func rate(x float64) string {
	if x == 0 {
		return "-"
	}
	step := math.Pow(10, max(0, math.Floor(math.Log10(x))-2))
	return message.NewPrinter(language.English).Sprint(int64(math.Floor(x/step) * step))
}
