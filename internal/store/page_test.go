package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/tabletest"
)

// digests are the collection's digests, of its pages and then of its item.
func (ts *testStore) digests() (pages [][]string, recent []string) {
	ts.Helper()
	c := ts.ledger("a")
	for i := range c.Pages {
		page, err := ts.item(ts.pageRef(int(i))).Blobs("Digests")
		ts.ok(err)
		pages = append(pages, page)
	}
	return pages, c.Recent
}

// wantDigests expects the digests of exactly these messages, each once, in so many pages and the item.
func (ts *testStore) wantDigests(pages int, of ...snapshot.Receipt) {
	ts.Helper()
	turned, recent := ts.digests()
	got := slices.Concat(append(turned, recent)...)
	want := make([]string, len(of))
	for i, r := range of {
		want[i] = r.Digest
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(turned) != pages {
		ts.Errorf("%d digests in %d pages, want %d in %d", len(got), len(turned), len(want), pages)
	}
}

// oneByOne counts messages one by one.
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
		all := receipts("a", "m", 2*store.DefaultPageSize+3)
		ts.oneByOne(all[:store.DefaultPageSize-1])
		ts.wantDigests(0, all[:store.DefaultPageSize-1]...)
		ts.count(all[store.DefaultPageSize-1])
		ts.wantDigests(1, all[:store.DefaultPageSize]...)
		if _, recent := ts.digests(); len(recent) != 0 {
			ts.Errorf("%d recent after the page was turned", len(recent))
		}
		first := ts.item(ts.pageRef(0))
		ts.oneByOne(all[store.DefaultPageSize:])
		ts.wantDigests(2, all...)
		if now := ts.item(ts.pageRef(0)); fmt.Sprint(now) != fmt.Sprint(first) {
			ts.Error("a page changed")
		}
		ts.wantRow("a", received(int64(len(all))))
	})
}

// Concurrent counts fill a page: one turns it, and the others count in the next page.
func TestAPageIsTurnedByOne(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 500)
	before, more := receipts("a", "m", store.DefaultPageSize-3), receipts("a", "more", 12)
	ts.oneByOne(before)
	clear(ts.calls)
	ts.lockstep(len(more), func(i int) { ts.countIn(ts.another(), fmt.Sprint("execution-", i), more[i]) })
	ts.wantDigests(1, append(before, more...)...)
	ts.wantRow("a", received(int64(len(before)+len(more))))
	if ts.calls["Update page"] != 1 {
		t.Errorf("the page was written %d times", ts.calls["Update page"])
	}
}

// The page is written, and the process ends before it removes the digests from the collection.
func TestAnExistingPageIsUsed(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 500)
	all := receipts("a", "m", 4*store.DefaultPageSize)
	ts.oneByOne(all[:store.DefaultPageSize-1])
	ts.crashesAt(nth(1, ts.updates("collection")), false)
	if _, err := receive(ts, ts.store, "e", all[store.DefaultPageSize-1]); err == nil {
		t.Fatal("nothing crashed")
	}
	ts.recovers()
	if c := ts.ledger("a"); c.Pages != 0 || len(c.Recent) != store.DefaultPageSize ||
		ts.item(ts.pageRef(0)) == nil {
		t.Fatalf("%d pages, %d recent", c.Pages, len(c.Recent))
	}
	ts.oneByOne(all[store.DefaultPageSize:])
	ts.wantDigests(3, all...)
	if again := ts.count(all...); len(again.Duplicates) != len(all) {
		t.Errorf("%d of %d are duplicates", len(again.Duplicates), len(all))
	}
}

// A page that TTL deleted is empty: its messages are too old to be redelivered, and the others are still duplicates.
func TestAMissingPageIsEmpty(t *testing.T) {
	ts := newStore(t)
	ts.row("a", "Sent", 500)
	all := receipts("a", "m", 2*store.DefaultPageSize)
	ts.count(all[:store.DefaultPageSize]...)
	ts.count(all[store.DefaultPageSize:]...)
	ts.put(ts.pageRef(0), nil)
	process := ts.another()
	for range 2 { // read, and from its cache
		if again := ts.countIn(process, "e",
			all[store.DefaultPageSize:]...); len(again.Duplicates) != store.DefaultPageSize {
			t.Errorf("got %d duplicates", len(again.Duplicates))
		}
	}
	ts.wantRow("a", received(2*store.DefaultPageSize))
}

// A process reads each page once, and reads the pages that its cache lacks, in batches of 100.
func TestAStaleCache(t *testing.T) {
	const size = 2
	ts := newStore(t)
	ts.configure(store.Settings{PageSize: size})
	ts.row("a", "Sent", 9000)
	all := receipts("a", "m", 232*size)
	old := ts.another()
	ts.countIn(old, "e", all[:size]...)
	for page := range slices.Chunk(all[size:], size) {
		ts.count(page...)
	}
	for _, readings := range []int{3, 0} { // of pages, the first and the second time
		clear(ts.calls)
		again := ts.countIn(old, "e", all[0], all[len(all)/2], all[len(all)-1], all[size])
		if len(again.Duplicates) != 4 {
			t.Errorf("got %+v", again)
		}
		if got := ts.calls["GetMany"] - 1; got != readings {
			t.Errorf("%d readings of pages, want %d", got, readings)
		}
	}
	ts.wantRow("a", received(int64(len(all))))
}

// A new ledger's pages have the keys of the lost one's. A process does not take the cached ones for the new ones,
// whichever process notices the new ledger, and however late this one meets it.
func TestACacheOfALostLedger(t *testing.T) {
	for _, first := range []string{"this process", "another", "another alone"} {
		ts := newStore(t)
		other := ts.another()
		ts.row("a", "Sent", 900)
		ts.count(receipts("a", "old", store.DefaultPageSize)...) // cached, as the old ledger's first page
		ts.loseLedger("a")
		fresh := receipts("a", "new", store.DefaultPageSize)
		if first != "this process" {
			ts.countIn(other, "execution-2", fresh[1])
		}
		if first != "another alone" {
			ts.countAs("execution-3", fresh[0])
		}
		ts.countIn(other, "execution-4", fresh...) // turns the new ledger's first page
		ts.countIn(other, "execution-5", receipts("a", "more", store.DefaultPageSize)...)
		if again := ts.countAs("execution-6", fresh...); len(again.Duplicates) != len(fresh) {
			t.Errorf("first %s: %d of %d are duplicates", first, len(again.Duplicates), len(fresh))
		}
		ts.wantRow("a", received(3*store.DefaultPageSize))
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
			if ts.updates("receipts")(call) {
				largest = max(largest, len(call.Write.Set["Messages"].(string)))
			}
			return nil
		}
		ts.count(batch...)
		if largest < 50_000 || largest > 100_000 {
			ts.Errorf("the largest item has %d bytes", largest)
		}
		if items := ts.calls["Update receipts"]; items < 6 || items > 8 {
			ts.Errorf("%d items", items)
		}
		ts.wantReceipts("a", batch)
	})
}
