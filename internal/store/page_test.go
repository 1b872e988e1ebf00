package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

func (ts *testStore) pageRef(page int) table.Ref {
	return ts.tables.Ledger.At("collection#"+run+"#a", fmt.Sprintf("page#%06d", page))
}

func (ts *testStore) collectionRef(collection string) table.Ref {
	return ts.tables.Ledger.At("collection#"+run+"#"+collection, "collection")
}

// digests are the collection's digests, of its pages and then of its item.
func (ts *testStore) digests() (pages [][]string, recent []string) {
	ts.Helper()
	c := ts.ledger("a")
	for i := range c.Pages {
		page, err := ts.item(ts.pageRef(int(i))).Blobs("Digests")
		if err != nil {
			ts.Fatal(err)
		}
		pages = append(pages, page)
	}
	return pages, c.Recent
}

// wantDigests expects the digests of exactly these messages, each once, in pages or item.
func (ts *testStore) wantDigests(of []snapshot.Receipt) {
	ts.Helper()
	pages, recent := ts.digests()
	got := slices.Concat(append(pages, recent)...)
	want := make([]string, len(of))
	for i, r := range of {
		want[i] = r.Digest
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		ts.Errorf("%d digests for %d messages", len(got), len(want))
	}
}

// one counts messages one by one.
func (ts *testStore) oneByOne(receipts []snapshot.Receipt) {
	ts.Helper()
	for _, r := range receipts {
		ts.count(r)
	}
}

// The 48th message turns the page, which never changes again.
func TestAPageIsTurnedWhenItIsFull(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 500)
		all := receipts("a", "m", 2*store.PageSize+3)
		ts.oneByOne(all[:store.PageSize-1])
		if pages, recent := ts.digests(); len(pages) != 0 || len(recent) != store.PageSize-1 {
			ts.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		ts.oneByOne(all[store.PageSize-1 : store.PageSize])
		if pages, recent := ts.digests(); len(pages) != 1 || len(recent) != 0 {
			ts.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		first := ts.item(ts.pageRef(0))
		ts.oneByOne(all[store.PageSize:])
		if pages, recent := ts.digests(); len(pages) != 2 || len(recent) != 3 {
			ts.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		if now := ts.item(ts.pageRef(0)); fmt.Sprint(now) != fmt.Sprint(first) {
			ts.Error("a page changed")
		}
		ts.wantDigests(all)
		ts.wantRow("a", received(int64(len(all))))
	})
}

// Concurrent counts fill a page: one turns it, and the others count in the next page.
func TestAPageIsTurnedByOne(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 500)
	before := receipts("a", "m", store.PageSize-3)
	ts.oneByOne(before)
	clear(ts.calls)
	more := receipts("a", "more", 12)
	var each []func()
	for i, r := range more {
		each = append(each, func() {
			if _, err := receive(ts, ts.another(), fmt.Sprint("execution-", i), []snapshot.Receipt{r}); err != nil {
				t.Error(err)
			}
		})
	}
	ts.atOnce(each...)
	ts.wantDigests(append(before, more...))
	ts.wantRow("a", received(int64(len(before)+len(more))))
	if pages, _ := ts.digests(); len(pages) != 1 || ts.calls["Update page"] != 1 {
		t.Errorf("%d pages, written %d times", len(pages), ts.calls["Update page"])
	}
}

// A count while the page is turned is refused, and retried with the new page.
func TestCountingWhileThePageIsTurned(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 500)
		before := receipts("a", "m", store.PageSize-1)
		ts.oneByOne(before)
		stale := ts.read("a")
		last := receipt("a", "fills the page")
		ts.count(last)
		counts, err := ts.store.Count(ts.Context(), "e", stale, []snapshot.Receipt{receipt("a", "late"), before[7],
			last})
		if err != nil || len(counts.Counted) != 1 || len(counts.Duplicates) != 2 {
			ts.Errorf("got %+v, %v", counts, err)
		}
		ts.wantDigests(append(before, last, receipt("a", "late")))
		ts.wantRow("a", received(store.PageSize+1))
	})
}

// The page is written, and the process ends before it removes the digests from the collection.
func TestAnExistingPageIsUsed(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 500)
	all := receipts("a", "m", 4*store.PageSize)
	ts.oneByOne(all[:store.PageSize-1])
	ts.crashesBefore(1, ts.isUpdate("collection"))
	if _, err := receive(ts, ts.store, "e", all[store.PageSize-1:store.PageSize]); err == nil {
		t.Fatal("nothing crashed")
	}
	ts.recovers()
	if c := ts.ledger("a"); c.Pages != 0 || len(c.Recent) != store.PageSize || ts.item(ts.pageRef(0)) == nil {
		t.Fatalf("%d pages, %d recent", c.Pages, len(c.Recent))
	}
	ts.oneByOne(all[store.PageSize:])
	ts.wantDigests(all)
	if c := ts.ledger("a"); c.Pages < 2 || len(c.Recent) >= 2*store.PageSize {
		t.Errorf("%d pages, %d recent", c.Pages, len(c.Recent))
	}
	if again := ts.count(all...); len(again.Duplicates) != len(all) {
		t.Errorf("%d of %d are duplicates", len(again.Duplicates), len(all))
	}
}

// A page that TTL deleted is empty: its messages are too old to be redelivered, and the others are still duplicates.
func TestAMissingPageIsEmpty(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 500)
		all := receipts("a", "m", 2*store.PageSize)
		ts.count(all[:store.PageSize]...)
		ts.count(all[store.PageSize:]...)
		ts.put(ts.pageRef(0), nil)
		process := ts.another()
		for range 2 { // read, and from its cache
			counts, err := receive(ts, process, "e", all[store.PageSize:])
			if err != nil || len(counts.Duplicates) != store.PageSize {
				ts.Errorf("got %d duplicates, %v", len(counts.Duplicates), err)
			}
		}
		ts.wantRow("a", received(2*store.PageSize))
	})
}

// A process reads each page once, and reads the pages that its cache lacks.
func TestAStaleCache(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 900)
		all := receipts("a", "m", 5*store.PageSize)
		old := ts.another()
		if _, err := receive(ts, old, "e", all[:store.PageSize]); err != nil {
			ts.Fatal(err)
		}
		for i := 1; i < 5; i++ {
			ts.count(all[i*store.PageSize : (i+1)*store.PageSize]...)
		}
		for _, pages := range []int{1, 0} { // to read, the first and the second time
			clear(ts.calls)
			counts, err := receive(ts, old, "e", []snapshot.Receipt{all[0], all[store.PageSize],
				all[5*store.PageSize-1], all[100]})
			if err != nil || len(counts.Duplicates) != 4 {
				ts.Errorf("got %+v, %v", counts, err)
			}
			if got := ts.calls["GetMany"] - 1; got != pages {
				ts.Errorf("%d readings of pages, want %d", got, pages)
			}
		}
		ts.wantRow("a", received(5*store.PageSize))
	})
}

// Pages are read in batches of 100.
func TestManyPages(t *testing.T) {
	t.Parallel()
	ts := newMemoryStore(t)
	ts.row("a", "Sent", 9000)
	all := receipts("a", "m", 230*store.PageSize)
	for page := range slices.Chunk(all, store.PageSize) {
		ts.count(page...)
	}
	clear(ts.calls)
	counts, err := receive(ts, ts.another(), "e", []snapshot.Receipt{all[0], all[len(all)/2], all[len(all)-1]})
	if err != nil || len(counts.Duplicates) != 3 || ts.calls["GetMany"] != 1+3 {
		t.Errorf("got %+v, %v by %d calls", counts, err, ts.calls["GetMany"])
	}
}

// A new ledger's pages have the keys of the lost one's. A process does not take the cached ones for the new ones,
// whichever process notices the new ledger, and however late this one meets it.
func TestACacheOfALostLedger(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"this process", "another", "another alone"} {
		ts := newMemoryStore(t)
		other := ts.another()
		receive := func(s *store.Store, execution string, receipts ...snapshot.Receipt) store.Counts {
			counts, err := receive(ts, s, execution, receipts)
			if err != nil {
				t.Fatal(err)
			}
			return counts
		}
		ts.row("a", "Sent", 900)
		ts.count(receipts("a", "old", store.PageSize)...) // cached, as the old ledger's first page
		ts.loseLedger("a")
		fresh := receipts("a", "new", store.PageSize)
		if first != "this process" {
			receive(other, "execution-2", fresh[1])
		}
		if first != "another alone" {
			receive(ts.store, "execution-3", fresh[0])
		}
		receive(other, "execution-4", fresh...) // turns the new ledger's first page
		receive(other, "execution-5", receipts("a", "more", store.PageSize)...)
		if again := receive(ts.store, "execution-6", fresh...); len(again.Duplicates) != len(fresh) {
			t.Errorf("first %s: %d of %d are duplicates", first, len(again.Duplicates), len(fresh))
		}
		ts.wantRow("a", received(3*store.PageSize))
	}
}

// An item of receipts stays far below DynamoDB's 400 KB, for any names.
func TestReceiptsAreSplitBySize(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.row("a", "Sent", 900)
		batch := receipts("a", "m", 100)
		for i := range batch {
			batch[i].Message.Filename = strings.Repeat("\x01", 1000) + batch[i].Identity // six bytes each in JSON
		}
		largest := 0
		ts.before = func(call tabletest.Call) error {
			if ts.isUpdate("receipts")(call) {
				largest = max(largest, len(call.Write.Set["Messages"].(string)))
			}
			return nil
		}
		ts.count(batch...)
		if largest < store.MaxReceipts/2 || largest > store.MaxReceipts {
			ts.Errorf("the largest item has %d bytes", largest)
		}
		if items := ts.calls["Update receipts"]; items < 6 || items > 8 {
			ts.Errorf("%d items", items)
		}
		ts.wantReceipts("a", batch)
	})
}
