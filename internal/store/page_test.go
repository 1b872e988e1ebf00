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

func (w *world) pageRef(page int) table.Ref {
	return w.tables.Ledger.At("collection#"+run+"#a", fmt.Sprintf("page#%06d", page))
}

func (w *world) collectionRef(collection string) table.Ref {
	return w.tables.Ledger.At("collection#"+run+"#"+collection, "collection")
}

// digests are the collection's, of its pages one after the other and of its item.
func (w *world) digests() (pages [][]string, recent []string) {
	w.Helper()
	c := w.ledger("a")
	for i := range c.Pages {
		page, err := w.item(w.pageRef(int(i))).Blobs("Digests")
		if err != nil {
			w.Fatal(err)
		}
		pages = append(pages, page)
	}
	return pages, c.Recent
}

// wantDigests wants the digests of exactly these messages, each once, wherever they stand.
func (w *world) wantDigests(of []snapshot.Receipt) {
	w.Helper()
	pages, recent := w.digests()
	got := slices.Concat(append(pages, recent)...)
	want := make([]string, len(of))
	for i, r := range of {
		want[i] = r.Digest
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("%d digests for %d messages", len(got), len(want))
	}
}

// one counts messages one by one.
func (w *world) oneByOne(receipts []snapshot.Receipt) {
	w.Helper()
	for _, r := range receipts {
		w.count(r)
	}
}

// The 48th message turns the page: what it counted stands in the page, which never changes again.
func TestAPageIsTurnedWhenItIsFull(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		all := receipts("a", "m", 2*store.PageSize+3)
		w.oneByOne(all[:store.PageSize-1])
		if pages, recent := w.digests(); len(pages) != 0 || len(recent) != store.PageSize-1 {
			w.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		w.oneByOne(all[store.PageSize-1 : store.PageSize])
		if pages, recent := w.digests(); len(pages) != 1 || len(recent) != 0 {
			w.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		first := w.item(w.pageRef(0))
		w.oneByOne(all[store.PageSize:])
		if pages, recent := w.digests(); len(pages) != 2 || len(recent) != 3 {
			w.Errorf("%d pages, %d recent", len(pages), len(recent))
		}
		if now := w.item(w.pageRef(0)); fmt.Sprint(now) != fmt.Sprint(first) {
			w.Error("a page changed")
		}
		w.wantDigests(all)
		w.wantRow("a", received(int64(len(all))))
	})
}

// Many fill one page at once: one turns it, and the others count in the next.
func TestAPageIsTurnedByOne(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 500)
	before := receipts("a", "m", store.PageSize-3)
	w.oneByOne(before)
	clear(w.calls)
	more := receipts("a", "more", 12)
	var each []func()
	for i, r := range more {
		each = append(each, func() {
			if _, err := receive(w, w.another(), fmt.Sprint("execution-", i), []snapshot.Receipt{r}); err != nil {
				t.Error(err)
			}
		})
	}
	w.atOnce(each...)
	w.wantDigests(append(before, more...))
	w.wantRow("a", received(int64(len(before)+len(more))))
	if pages, _ := w.digests(); len(pages) != 1 || w.calls["Update page"] != 1 {
		t.Errorf("%d pages, written %d times", len(pages), w.calls["Update page"])
	}
}

// Whoever counts while the page is turned is refused, and tries again with the new page.
func TestCountingWhileThePageIsTurned(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		before := receipts("a", "m", store.PageSize-1)
		w.oneByOne(before)
		stale := w.read("a")
		last := receipt("a", "fills the page")
		w.count(last)
		tally, err := w.store.Count(w.Context(), "e", stale, []snapshot.Receipt{receipt("a", "late"), before[7], last})
		if err != nil || len(tally.Counted) != 1 || len(tally.Duplicates) != 2 {
			w.Errorf("got %+v, %v", tally, err)
		}
		w.wantDigests(append(before, last, receipt("a", "late")))
		w.wantRow("a", received(store.PageSize+1))
	})
}

// The page was written, and whoever wrote it died before it took the digests out of the collection.
func TestAPageThatIsThereAlreadyIsTaken(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 500)
	all := receipts("a", "m", 4*store.PageSize)
	w.oneByOne(all[:store.PageSize-1])
	w.diesBefore(1, w.isUpdate("collection"))
	if _, err := receive(w, w.store, "e", all[store.PageSize-1:store.PageSize]); err == nil {
		t.Fatal("nothing died")
	}
	w.revives()
	if c := w.ledger("a"); c.Pages != 0 || len(c.Recent) != store.PageSize || w.item(w.pageRef(0)) == nil {
		t.Fatalf("%d pages, %d recent", c.Pages, len(c.Recent))
	}
	w.oneByOne(all[store.PageSize:])
	w.wantDigests(all)
	if c := w.ledger("a"); c.Pages < 2 || len(c.Recent) >= 2*store.PageSize {
		t.Errorf("%d pages, %d recent", c.Pages, len(c.Recent))
	}
	if again := w.count(all...); len(again.Duplicates) != len(all) {
		t.Errorf("%d of %d are duplicates", len(again.Duplicates), len(all))
	}
}

// A page that TTL deleted is empty: its messages are too old to come again, and the others are still known.
func TestAMissingPageIsEmpty(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 500)
		all := receipts("a", "m", 2*store.PageSize)
		w.count(all[:store.PageSize]...)
		w.count(all[store.PageSize:]...)
		w.put(w.pageRef(0), nil)
		process := w.another()
		for range 2 { // read, and from its cache
			tally, err := receive(w, process, "e", all[store.PageSize:])
			if err != nil || len(tally.Duplicates) != store.PageSize {
				w.Errorf("got %d duplicates, %v", len(tally.Duplicates), err)
			}
		}
		w.wantRow("a", received(2*store.PageSize))
	})
}

// A process reads each page once; a cache that knows fewer pages than there are hides nothing.
func TestACacheThatIsOld(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 900)
		all := receipts("a", "m", 5*store.PageSize)
		old := w.another()
		if _, err := receive(w, old, "e", all[:store.PageSize]); err != nil {
			w.Fatal(err)
		}
		for i := 1; i < 5; i++ {
			w.count(all[i*store.PageSize : (i+1)*store.PageSize]...)
		}
		for _, pages := range []int{1, 0} { // to read, the first and the second time
			clear(w.calls)
			tally, err := receive(w, old, "e", []snapshot.Receipt{all[0], all[store.PageSize], all[5*store.PageSize-1],
				all[100]})
			if err != nil || len(tally.Duplicates) != 4 {
				w.Errorf("got %+v, %v", tally, err)
			}
			if got := w.calls["GetMany"] - 1; got != pages {
				w.Errorf("%d readings of pages, want %d", got, pages)
			}
		}
		w.wantRow("a", received(5*store.PageSize))
	})
}

// Pages are read in batches of as many items as a call takes.
func TestManyPages(t *testing.T) {
	t.Parallel()
	w := newMemoryWorld(t)
	w.row("a", "Sent", 9000)
	all := receipts("a", "m", 230*store.PageSize)
	for page := range slices.Chunk(all, store.PageSize) {
		w.count(page...)
	}
	clear(w.calls)
	tally, err := receive(w, w.another(), "e", []snapshot.Receipt{all[0], all[len(all)/2], all[len(all)-1]})
	if err != nil || len(tally.Duplicates) != 3 || w.calls["GetMany"] != 1+3 {
		t.Errorf("got %+v, %v by %d calls", tally, err, w.calls["GetMany"])
	}
}

// A ledger that was made anew has pages under the keys of the old one's. A process that knows more of them than there
// are forgets them, whether it is the one that notices the new ledger or another was.
func TestACacheOfALostLedger(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"this process", "another"} {
		w := newMemoryWorld(t)
		other := w.another()
		receive := func(s *store.Store, execution string, receipts ...snapshot.Receipt) store.Tally {
			tally, err := receive(w, s, execution, receipts)
			if err != nil {
				t.Fatal(err)
			}
			return tally
		}
		w.row("a", "Sent", 900)
		w.count(receipts("a", "old", store.PageSize)...) // cached, as the old ledger's first page
		w.loseLedger("a")
		fresh := receipts("a", "new", store.PageSize)
		if first == "another" {
			receive(other, "execution-2", fresh[1])
		}
		receive(w.store, "execution-3", fresh[0])
		receive(other, "execution-4", fresh...) // turns the new ledger's first page
		receive(other, "execution-5", receipts("a", "more", store.PageSize)...)
		if again := receive(w.store, "execution-6", fresh...); len(again.Duplicates) != len(fresh) {
			t.Errorf("first came %s: %d of %d are duplicates", first, len(again.Duplicates), len(fresh))
		}
		w.wantRow("a", received(3*store.PageSize))
	}
}

// An item of receipts stays far below DynamoDB's 400 KB, whatever the names are.
func TestReceiptsAreSplitBySize(t *testing.T) {
	everywhere(t, func(w *world) {
		w.row("a", "Sent", 900)
		batch := receipts("a", "m", 100)
		for i := range batch {
			batch[i].Message.Filename = strings.Repeat("\x01", 1000) + batch[i].Identity // six bytes each in JSON
		}
		largest := 0
		w.before = func(call tabletest.Call) error {
			if w.isUpdate("receipts")(call) {
				largest = max(largest, len(call.Write.Set["Messages"].(string)))
			}
			return nil
		}
		w.count(batch...)
		if largest < store.MaxReceipts/2 || largest > store.MaxReceipts {
			w.Errorf("the largest item has %d bytes", largest)
		}
		if items := w.calls["Update receipts"]; items < 6 || items > 8 {
			w.Errorf("%d items", items)
		}
		w.wantReceipts("a", batch)
	})
}
