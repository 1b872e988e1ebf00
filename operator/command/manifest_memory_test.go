package command

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
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

func nameOf(collection, i int) string {
	return fmt.Sprintf("2026-11-22/db.core.collection-%03d-%05d.txt.gz.enc", collection, i)
}

// madeUp answers with receipts that are made for each query, so that they take no memory of the measurement. The files
// of each collection are those of the list but for the last, and one more.
type madeUp struct {
	table.DB
	measure func()
}

func (m madeUp) Query(ctx context.Context, query table.Query) (table.Page, error) {
	m.measure()
	var collection int
	if _, err := fmt.Sscanf(query.Partition, "collection#large#db.core.collection-%03d", &collection); err != nil {
		return m.DB.Query(ctx, query) // the run's rows
	}
	type receipt struct {
		Identity string `json:"id"`
		File     string `json:"file"`
		Digest   []byte `json:"digest"`
	}
	var receipts []receipt
	var digests []string
	for i := range largestRun / inParts {
		digest := binary.BigEndian.AppendUint64([]byte("1234"), uint64(i))
		digests = append(digests, string(digest))
		receipts = append(receipts, receipt{fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i), nameOf(collection, i+1),
			digest})
	}
	text, err := json.Marshal(receipts)
	if err != nil {
		return table.Page{}, err
	}
	at := func(sort string) table.Key { return table.Key{Partition: query.Partition, Sort: sort} }
	return table.Page{Items: []table.Keyed{
		{Key: at("page#000000"), Item: table.Item{"Digests": table.NewBlobs(digests...)}},
		{Key: at("receipts#0"), Item: table.Item{"Messages": string(text)}},
	}}, nil
}

// largeList is a list of the names, not sorted by collection.
type largeList struct {
	next    int
	text    bytes.Buffer
	measure func()
}

func (l *largeList) Read(into []byte) (int, error) {
	if l.text.Len() == 0 {
		l.measure()
		for range 1000 {
			if l.next == largestRun {
				break
			}
			collection := l.next % inParts
			fmt.Fprintf(&l.text, "db.core.collection-%03d,%s\n", collection, nameOf(collection, l.next/inParts))
			l.next++
		}
	}
	n, err := l.text.Read(into)
	if n == 0 && l.next == largestRun {
		return 0, io.EOF
	}
	return n, err
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
	got := answer(app{Context: t.Context(), in: &largeList{measure: measure}, now: n.clock,
		source: func() (*store.Store, report.Settings) {
			return store.New(madeUp{&n.db, measure}, n.tables, store.Settings{Now: n.clock}), report.Settings{}
		}}, "", "verify", "large", "--manifest", "-")
	if got.code != exitNotDone || !strings.Contains(got.out,
		"200 of 200 collections differ: 200 missing, 200 unexpected.") {
		t.Errorf("exit code %d\n%.1000s%s", got.code, got.out, got.err)
	}
	t.Logf("%d MiB", (peak-before)>>20)
	if peak < before || peak-before > maxLiveBytes {
		t.Errorf("%d MiB are alive at a time, at most %d are allowed", (peak-before)>>20, maxLiveBytes>>20)
	}
}
