package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/operator/report"
)

// The names of the largest run that is compared, and the heap that comparing them may take. As strings in a map they
// take four times as much.
const (
	largestRun   = 1_000_000
	inParts      = 200
	maxLiveBytes = 48 << 20
)

// measured measures before each query.
type measured struct {
	table.DB
	measure func()
}

func (m measured) Query(ctx context.Context, query table.Query) (table.Page, error) {
	m.measure()
	return m.DB.Query(ctx, query)
}

// largeList writes the list, not sorted by collection.
func largeList(to *io.PipeWriter, measure func()) {
	list := bufio.NewWriterSize(to, 64<<10)
	for i := range largestRun {
		if i%1000 == 0 {
			measure()
		}
		collection := i % inParts
		fmt.Fprintf(list, "db.core.collection-%03d,2026-11-22/db.core.collection-%03d-%05d.txt.gz.enc\n", collection,
			collection, i/inParts)
	}
	_ = to.CloseWithError(list.Flush())
}

// A million names in no order are compared in bounded memory: what the garbage collector finds alive.
func TestVerifyManifestOfAMillionFiles(t *testing.T) {
	n := newTables(t)
	for i := range inParts {
		n.row("large", fmt.Sprintf("db.core.collection-%03d", i), "Sent", largestRun/inParts)
	}
	runtime.GC()
	live := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before, peak := live(), uint64(0)
	var lock sync.Mutex
	measure := func() {
		lock.Lock()
		defer lock.Unlock()
		peak = max(peak, live())
	}
	list, to := io.Pipe()
	go largeList(to, measure)
	source := func() (*store.Store, report.Settings) {
		return store.New(measured{&n.db, measure}, n.tables, store.Settings{Now: n.clock}), report.Settings{}
	}
	got := answer(app{Context: t.Context(), in: list, now: n.clock, source: source}, "", "verify", "large",
		"--manifest", "-")
	if got.code != exitNotDone || !strings.Contains(got.out, "200 of 200 collections differ: 1000000 missing.") {
		t.Errorf("exit code %d\n%.1000s%s", got.code, got.out, got.err)
	}
	t.Logf("%d MiB", (peak-before)>>20)
	if peak < before || peak-before > maxLiveBytes {
		t.Errorf("%d MiB are alive at a time, at most %d are allowed", (peak-before)>>20, maxLiveBytes>>20)
	}
}
