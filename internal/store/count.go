package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// ErrNoRow says that the export status table has no row for a collection: its messages cannot be counted.
var ErrNoRow = errors.New("the export status table has no row for the collection")

// State is what is stored of a collection, as it was read.
type State struct {
	Row        *snapshot.Row // nil if the export status table has none
	Collection snapshot.Collection
	Malformed  error // a *failure.Malformed, if what is stored cannot be read: then nothing else is sure
}

// Tally says what became of the messages of one collection.
type Tally struct {
	Counted    []snapshot.Receipt // by this call; success files are among them although they add nothing
	Duplicates []snapshot.Receipt // counted before
	Row        *snapshot.Row      // as it was last seen; nil if it is gone
	Synced     bool               // this call wrote the row
}

// Read reads the rows and the ledger's collections, strongly consistent but at no one moment, in batches of as many
// items as a call takes. A collection that cannot be read prevents none of the others from being read.
func (s *Store) Read(ctx context.Context, keys []snapshot.CollectionKey) (map[snapshot.CollectionKey]State, error) {
	states := make(map[snapshot.CollectionKey]State, len(keys))
	for chunk := range slices.Chunk(keys, table.MaxBatch/2) {
		reads := make([]table.Read, 0, 2*len(chunk))
		for _, key := range chunk {
			reads = append(reads, table.Read{Ref: s.rowRef(key), Attributes: rowAttributes, Consistent: true},
				table.Read{Ref: s.collectionRef(key), Consistent: true})
		}
		items, err := s.db.GetMany(ctx, reads)
		if err != nil {
			return nil, err
		}
		for _, key := range chunk {
			row, malformed := s.decodeRow(key, items[s.rowRef(key)])
			collection, err := s.decodeCollection(key, items[s.collectionRef(key)])
			states[key] = State{Row: row, Collection: collection, Malformed: errors.Join(malformed, err)}
		}
	}
	return states, nil
}

// Count counts messages of one collection, no two with the same digest, and then syncs its row. The state must come
// from Read and have a row. If that has to be adopted and is gone by now, Count returns ErrNoRow. execution names who
// counts, for the receipts: it counts the same messages of the collection when it is tried again, and no others.
//
// Calling it again with the same messages adds nothing, syncs the row if an earlier call did not come to that, and
// reports them as duplicates. A tally that comes with an error says what was counted before the error.
func (s *Store) Count(ctx context.Context, execution string, state State, receipts []snapshot.Receipt) (Tally, error) {
	c := &counting{Store: s, key: state.Row.CollectionKey, execution: execution, row: state.Row,
		known: state.Collection}
	if !c.row.Adopted() {
		if err := c.adopt(ctx); err != nil {
			return Tally{}, err
		}
	}
	for some := range slices.Chunk(receipts, table.MaxContained) {
		if err := c.count(ctx, some); err != nil {
			return c.tally, fmt.Errorf("counting: %w", err)
		}
		c.part++
	}
	var err error
	c.tally.Row, c.tally.Synced, err = s.sync(ctx, *c.row, c.known.Counted)
	return c.tally, err
}

// counting is one call of Count.
type counting struct {
	*Store
	key       snapshot.CollectionKey
	execution string
	row       *snapshot.Row       // adopted; as last seen
	known     snapshot.Collection // as last seen
	part      int                 // of the messages, that is being counted
	tally     Tally
}

// count counts at most table.MaxContained messages in one update of the ledger's collection. If that is refused, the
// collection came along as it is now, and says why: some were counted before, the page was turned, or the ledger is
// new.
func (c *counting) count(ctx context.Context, receipts []snapshot.Receipt) error {
	pending, err := c.dropCounted(ctx, receipts)
	if err != nil || len(pending) == 0 {
		return err
	}
	if err := c.writeReceipts(ctx, receipts); err != nil {
		return err
	}
	for range maxTries {
		item, err := c.db.Update(ctx, c.update(pending))
		refused := errors.Is(err, table.ErrConditionFailed)
		if err != nil && !refused {
			return err
		}
		if c.known, err = c.decodeCollection(c.key, item); err != nil {
			return err
		}
		if !refused {
			c.tally.Counted = append(c.tally.Counted, pending...)
			return c.turnPage(ctx, len(pending))
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		if c.known.Counted < c.row.Held() {
			c.forgetPages(c.key, c.known.Pages)
			if err := c.adopt(ctx); err != nil {
				return err
			}
		}
		if pending, err = c.dropCounted(ctx, pending); err != nil || len(pending) == 0 {
			return err
		}
	}
	return fmt.Errorf("given up after %d tries", maxTries)
}

// update adds the messages to the collection, if none of them was counted. What the last one said is remembered, and
// the row's epoch if a success file is among them.
func (c *counting) update(pending []snapshot.Receipt) table.Write {
	digests, files := make([]string, len(pending)), int64(0)
	for i, receipt := range pending {
		digests[i] = receipt.Digest
		if !receipt.Message.IsSuccessFile {
			files++
		}
	}
	set := said(pending[len(pending)-1].Message.Export)
	set[attrCountedAt], set[attrExpiresAt] = c.Now().Unix(), c.expires(ledgerTTL)
	fresh := table.NewBlobs(digests...)
	write := table.Write{
		Ref: c.collectionRef(c.key),
		Set: set,
		Add: map[string]any{attrCounted: files, attrRecent: fresh},
		If: []table.Condition{numberIs(attrPages, c.known.Pages),
			{Attribute: attrRecent, Operator: table.ContainsNone, Value: fresh}},
	}
	if floor := c.row.Held(); floor > 0 {
		write.If = append(write.If, table.Condition{Attribute: attrCounted, Operator: table.AtLeast, Value: floor})
	}
	if files < int64(len(pending)) {
		write.Add[attrSuccessEpochs] = table.NewInts(c.row.Epoch())
	}
	return write
}

// dropCounted returns the messages that are not known to be counted, and adds the others to the duplicates.
func (c *counting) dropCounted(ctx context.Context, receipts []snapshot.Receipt) ([]snapshot.Receipt, error) {
	pages, err := c.readPages(ctx, c.key, c.known.Pages)
	if err != nil {
		return nil, err
	}
	recent := table.Blobs(c.known.Recent)
	pending := make([]snapshot.Receipt, 0, len(receipts))
	for _, receipt := range receipts {
		if recent.Has(receipt.Digest) ||
			slices.ContainsFunc(pages, func(p page) bool { return p.has(receipt.Digest) }) {
			c.tally.Duplicates = append(c.tally.Duplicates, receipt)
		} else {
			pending = append(pending, receipt)
		}
	}
	return pending, nil
}

// --- pages -----------------------------------------------------------------------------------------------------------

// DefaultPageSize is how many digests a collection's item holds before they become a page: with 13 bytes each, and
// names of up to about 200 bytes, the item stays below 1 KB, one write unit.
const DefaultPageSize = 48

// turnPage makes a page of the recent digests if there are enough. A page is written once and never changed, so it may
// be cached; it is written before its digests are taken out of the collection, so they always stand somewhere. The
// update that filled the page turns it. If that one died, any update turns it that finds twice as many.
func (c *counting) turnPage(ctx context.Context, added int) error {
	recent, number := table.Blobs(c.known.Recent), c.known.Pages
	filled := len(recent) >= c.PageSize && len(recent)-added < c.PageSize
	if !filled && len(recent) < 2*c.PageSize {
		return nil
	}
	ref := c.pageRef(c.key, number)
	item, err := c.db.Update(ctx, table.Write{Ref: ref,
		Set: map[string]any{attrDigests: recent, attrExpiresAt: c.expires(receiptTTL)},
		If:  []table.Condition{{Attribute: ref.PartitionKey, Operator: table.Absent}}})
	if err != nil && !errors.Is(err, table.ErrConditionFailed) {
		return fmt.Errorf("turning the page: %w", err)
	}
	d := decoder{item: item}
	turned := table.Blobs(d.blobs(attrDigests)) // somebody else's, if the update was refused
	if err := d.err(ref); err != nil {
		return err
	}
	collection := c.collectionRef(c.key)
	item, err = c.db.Update(ctx, table.Write{Ref: collection,
		Set:    map[string]any{attrPages: number + 1},
		Delete: map[string]table.Blobs{attrRecent: turned},
		If:     []table.Condition{numberIs(attrPages, number), exists(collection)}})
	if err != nil && !errors.Is(err, table.ErrConditionFailed) { // if that failed, another has turned it
		return fmt.Errorf("turning the page: %w", err)
	}
	if err == nil {
		c.pages.Add(cachedPage{ref.Partition, number}, newPage(turned))
	}
	c.known, err = c.decodeCollection(c.key, item)
	return err
}

// page is the digests of a page in their order, one after the other: as small as a process can keep them.
type page string

func newPage(digests table.Blobs) page { return page(strings.Join(digests, "")) }

func (p page) has(digest string) bool {
	size := len(digest)
	i := sort.Search(len(p)/size, func(i int) bool { return string(p[i*size:(i+1)*size]) >= digest })
	return i < len(p)/size && string(p[i*size:(i+1)*size]) == digest
}

// cachedPage names a page in the cache.
type cachedPage struct {
	partition string // of the collection
	number    int64
}

// readPages reads the collection's first pages, each once per process. One that does not exist has expired and is
// empty.
func (s *Store) readPages(ctx context.Context, key snapshot.CollectionKey, count int64) ([]page, error) {
	partition := collectionPartition(key)
	if s.pages.Contains(cachedPage{partition, count}) {
		s.forgetPages(key, count) // more were known than there are: they are another ledger's
	}
	pages := make([]page, count)
	var missing []int64
	for i := range count {
		cached, ok := s.pages.Get(cachedPage{partition, i})
		if pages[i] = cached; !ok {
			missing = append(missing, i)
		}
	}
	for chunk := range slices.Chunk(missing, table.MaxBatch) {
		reads := make([]table.Read, len(chunk))
		for j, i := range chunk {
			reads[j] = table.Read{Ref: s.pageRef(key, i), Consistent: true}
		}
		items, err := s.db.GetMany(ctx, reads)
		if err != nil {
			return nil, fmt.Errorf("reading pages: %w", err)
		}
		for j, i := range chunk {
			d := decoder{item: items[reads[j].Ref]}
			pages[i] = newPage(d.blobs(attrDigests))
			if err := d.err(reads[j].Ref); err != nil {
				return nil, err
			}
			s.pages.Add(cachedPage{partition, i}, pages[i])
		}
	}
	return pages, nil
}

// forgetPages forgets the cached pages of a collection, of which there are now so many, because a new ledger took the
// place of the one that they were read from.
func (s *Store) forgetPages(key snapshot.CollectionKey, count int64) {
	page := cachedPage{partition: collectionPartition(key)}
	for ; s.pages.Remove(page) || page.number < count; page.number++ {
		continue
	}
}

// --- receipts --------------------------------------------------------------------------------------------------------

// storedReceipt is one message in an item of receipts. One without its digest in a page or in Recent was not counted.
type storedReceipt struct {
	Identity string `json:"id"`
	File     string `json:"file,omitempty"`
	Success  bool   `json:"success,omitempty"`
	Digest   []byte `json:"digest"`
}

// maxReceipts bounds the text of an item of receipts, in bytes. A single receipt is far below it: package snapshot
// truncates file names at 1,024 bytes, and SQS ids and execution ids are short.
const maxReceipts = 100_000

// writeReceipts writes for people what came, before it is counted: under the same keys with the same text if this is
// tried again.
func (c *counting) writeReceipts(ctx context.Context, receipts []snapshot.Receipt) error {
	text, item := []byte{'['}, 0
	flush := func() error {
		ref := c.receiptsRef(c.key, c.execution, c.part, item)
		item++
		_, err := c.db.Update(ctx, table.Write{Ref: ref, Set: map[string]any{
			attrMessages:   string(append(text, ']')),
			attrReceivedAt: c.Now().Unix(),
			attrExecution:  c.execution,
			attrExpiresAt:  c.expires(receiptTTL),
		}})
		text = []byte{'['}
		return err
	}
	for _, receipt := range receipts {
		message := receipt.Message
		one, err := json.Marshal(storedReceipt{
			receipt.Identity, named(message.Filename), message.IsSuccessFile, []byte(receipt.Digest)})
		if err != nil {
			return fmt.Errorf("writing receipts: %w", err)
		}
		if len(text) > 1 && len(text)+len(one) > maxReceipts {
			if err := flush(); err != nil {
				return fmt.Errorf("writing receipts: %w", err)
			}
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	if err := flush(); err != nil {
		return fmt.Errorf("writing receipts: %w", err)
	}
	return nil
}

// named is a file name, "" if the message named none.
func named(file string) string {
	if file == snapshot.FilenameNotSet {
		return ""
	}
	return file
}
