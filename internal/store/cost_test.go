package store_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

var update = flag.Bool("update", false, "write the table into docs/scaling.md instead of comparing it")

// counter counts a collection over a metered table.
type counter struct {
	*testStore
	db      *metered
	batch   int
	process *store.Store // that keeps its pages
	counted int
}

func newCounter(t *testing.T, batch int, by snapshot.CountBy) *counter {
	db := &metered{DB: &memory.DB{}}
	c := &counter{testStore: newTestStore(t, db, store.NewTables("status", "ledger")), db: db, batch: batch}
	c.configure(store.Settings{CountBy: by})
	c.process = c.store
	c.overwrite("a", map[string]any{"CollectionStatus": "Exported", "FilesExported": int64(100_000),
		"FilesSent": int64(0), "FilesReceived": int64(0)})
	return c
}

// next counts a batch, in the same process or in a new one.
func (c *counter) next(warm bool) {
	process := c.process
	if !warm {
		process = c.another()
	}
	batch := receipts("a", fmt.Sprint("file ", c.counted, " "), c.batch)
	execution := fmt.Sprintf(
		"arn:aws:states:eu-west-1:123456789012:execution:checker-prod:0f1e2d3c-4b5a-6978-8796-%012d", c.counted)
	if counts := c.countIn(process, execution, batch...); len(counts.Counted) != c.batch {
		c.Fatal(counts)
	}
	c.counted += c.batch
}

// goTo sets the collection to its state after so many files, whole pages of them, without counting them.
func (c *counter) goTo(files int) {
	period := max(store.DefaultPageSize, c.batch)
	for page := c.counted / period; page < files/period; page++ {
		digests := make([]string, period)
		for i := range digests {
			digests[i] = receipt("a", fmt.Sprint(page, " ", i)).Digest
		}
		c.write(table.Write{Ref: c.pageRef(page), Set: map[string]any{"Digests": table.NewBlobs(digests...),
			"ExpiresAt": c.now.Unix()}})
	}
	c.counted = files / period * period
	counted := int64(c.counted)
	c.write(table.Write{Ref: c.collectionRef("a"), Set: map[string]any{"Counted": counted,
		"Pages": int64(files / period)}})
	c.overwrite("a", map[string]any{"FilesReceived": counted, "SyncedFiles": counted})
}

// costOf returns the cost of a file of a collection with so many files. For a large collection it counts a whole page
// at evenly spaced positions: only the reading of pages depends on their number.
func costOf(t *testing.T, files, batch int, by snapshot.CountBy, warm bool) (writes, reads float64) {
	const whole, places = 1_000, 10
	c := newCounter(t, batch, by)
	c.next(true) // so that the row is adopted
	if files <= whole {
		first := c.counted
		c.db.reads, c.db.writes = 0, 0
		for c.counted < files+first {
			c.next(warm)
		}
		return c.db.writes / float64(files), c.db.reads / float64(files)
	}
	measured := 0
	for place := range places {
		c.goTo(files * (2*place + 1) / (2 * places))
		c.next(true) // the process may know the pages
		for len(c.ledger("a").Recent) > 0 && batch == 1 {
			c.next(true)
		}
		before := *c.db
		for range max(store.DefaultPageSize, batch) / batch {
			c.next(warm)
			measured += batch
		}
		writes, reads = writes+c.db.writes-before.writes, reads+c.db.reads-before.reads
	}
	return writes / float64(measured), reads / float64(measured)
}

// The cost of a file does not depend on the size of its collection, except for the pages that a process reads when it
// first counts the collection. To write the table: go test ./internal/store -run TestCostOfAFile -update
func TestCostOfAFile(t *testing.T) {
	t.Parallel()
	table := "| files of a collection | batch | countBy | write units | read units, warm | read units, cold " +
		"|\n|---:|---:|:---|---:|---:|---:|\n"
	line := func(files, batch int, by snapshot.CountBy, writeLimit, readLimit float64) {
		writes, warm := costOf(t, files, batch, by, true)
		_, cold := costOf(t, files, batch, by, false)
		table += fmt.Sprintf("| %s | %d | %s | %.2f | %.2f | %.2f |\n",
			message.NewPrinter(language.English).Sprint(files), batch, by, writes, warm, cold)
		if writes > writeLimit || warm > readLimit+0.001 {
			t.Errorf("%d files, batch %d, by %s: %.3f write and %.3f read units a file", files, batch, by, writes, warm)
		}
	}
	for _, files := range []int{100, 1_000, 10_000, 100_000} {
		line(files, 1, snapshot.ByMessage, 3.1, 2)
	}
	line(1_000, 1, snapshot.ByFile, 3.3, 2)
	for _, files := range []int{100, 1_000, 10_000, 100_000} {
		line(files, 100, snapshot.ByMessage, 0.16, 0.02)
	}
	line(1_000, 100, snapshot.ByFile, 0.3, 0.02)
	const document, begin, end = "../../docs/scaling.md", "<!-- measured: files -->\n", "<!-- end -->\n"
	old, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(old), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place for the table: %q", document, begin)
	}
	want := before + begin + table + end + after
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(old), "\n")); diff != "" {
		t.Errorf("%s is not what is measured: go test ./internal/store -run TestCostOfAFile -update (-measured "+
			"+document)\n%s", document, diff)
	}
}
