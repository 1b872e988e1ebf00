package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// ErrNoRow reports that the export status table has no row for a collection, so its messages cannot be counted.
var ErrNoRow = errors.New("the export status table has no row for the collection")

// State is a collection's row and its item in the ledger.
type State struct {
	Row        *snapshot.Row // nil if the export status table has none
	Collection snapshot.Collection
	Malformed  error // a *failure.Malformed if one of them is malformed; then both are incomplete
}

// Counts is the outcome of the messages of one collection.
type Counts struct {
	Counted    []snapshot.Receipt // by this call, success files included although they do not count as files
	Repeated   []snapshot.Receipt // recorded by this call and not counted: another message brought their file
	Duplicates []snapshot.Receipt // recorded before
	Row        *snapshot.Row      // after the count; nil if it is gone
	Synced     bool               // this call wrote the row
}

// Read reads rows and the ledger's collections in batches, strongly consistent, but not at one moment. A malformed
// collection has its error in its State and does not affect the others.
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

// Count counts messages of one collection, whose digests all differ, and then syncs its row. The state is from Read and
// has a row; if the row must be adopted and is gone, Count returns ErrNoRow. The receipts are stored under execution,
// which must repeat the same messages of the collection when it is retried.
//
// With snapshot.ByFile it counts a file that several messages bring once in each epoch. The epoch is that of the row
// when the messages are recorded: a message that was late for the export before may take the place of one of the
// present.
//
// Repeating it with the same messages counts none of them again, syncs the row if an earlier call did not, and returns
// the messages as duplicates. The Counts beside an error are what was recorded before it.
func (s *Store) Count(ctx context.Context, execution string, state State, receipts []snapshot.Receipt) (Counts, error) {
	c := &counting{Store: s, key: state.Row.CollectionKey, execution: execution, row: state.Row,
		known: state.Collection}
	if !c.row.Adopted() {
		if err := c.adopt(ctx); err != nil {
			return Counts{}, err
		}
	}
	for some := range slices.Chunk(receipts, table.MaxContained/s.CountBy.MaxDigests()) {
		if err := c.count(ctx, some); err != nil {
			return c.counts, fmt.Errorf("counting: %w", err)
		}
		c.part += len(some)
	}
	var err error
	c.counts.Row, c.counts.Synced, err = s.sync(ctx, *c.row, c.known.Counted)
	return c.counts, err
}

// counting is one call of Count.
type counting struct {
	*Store
	key       snapshot.CollectionKey
	execution string
	row       *snapshot.Row       // adopted; as last read
	known     snapshot.Collection // as last read
	part      int                 // the position of the present part's first message
	counts    Counts
}

// count records messages, of at most table.MaxContained digests, in one update of the ledger's collection. A refused
// update returns the collection, which shows the reason: messages or files were recorded before, the page was turned,
// or the ledger is new.
func (c *counting) count(ctx context.Context, receipts []snapshot.Receipt) error {
	left, err := c.removeDuplicates(ctx, receipts)
	if err != nil || len(left.digests) == 0 {
		return err
	}
	if err := c.writeReceipts(ctx, receipts); err != nil {
		return fmt.Errorf("writing receipts: %w", err)
	}
	for range maxTries {
		item, err := c.db.Update(ctx, c.update(left))
		refused := errors.Is(err, table.ErrConditionFailed)
		if err != nil && !refused {
			return err
		}
		if !refused {
			c.counts.Counted = append(c.counts.Counted, left.counted...)
			c.counts.Repeated = append(c.counts.Repeated, left.repeated...)
		}
		if c.known, err = c.decodeCollection(c.key, item); err != nil {
			return err
		}
		if !refused {
			return c.turnPage(ctx, len(left.digests))
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		if c.known.Counted < c.row.Held() {
			if err := c.adopt(ctx); err != nil {
				return err
			}
		}
		if left, err = c.removeDuplicates(ctx, left.receipts); err != nil || len(left.digests) == 0 {
			return err
		}
	}
	return fmt.Errorf("other writers interfered %d times", maxTries)
}

// update records the messages if none of their digests is in the collection. It stores the last message's Export and,
// if a success file is among the messages, the row's epoch.
func (c *counting) update(left unrecorded) table.Write {
	files := int64(0)
	for _, receipt := range left.counted {
		if !receipt.Message.IsSuccessFile {
			files++
		}
	}
	set := exportAttributes(left.receipts[len(left.receipts)-1].Message.Export)
	set[attrCountedAt], set[attrExpiresAt] = c.Now().Unix(), c.expires(ledgerTTL)
	fresh := table.NewBlobs(left.digests...)
	write := table.Write{
		Ref:     c.collectionRef(c.key),
		Set:     set,
		SetOnce: map[string]any{attrInstance: c.Nonce()},
		Add:     map[string]any{attrCounted: files, attrRecent: fresh},
		If: []table.Condition{numberIs(attrPages, c.known.Pages),
			{Attribute: attrRecent, Operator: table.ContainsNone, Value: fresh}},
	}
	if floor := c.row.Held(); floor > 0 {
		write.If = append(write.If, table.Condition{Attribute: attrCounted, Operator: table.AtLeast, Value: floor})
	}
	if files < int64(len(left.counted)) {
		write.Add[attrSuccessEpochs] = table.NewInts(c.row.Epoch())
	}
	return write
}

// unrecorded is messages that the ledger does not have, and the digests that record them.
type unrecorded struct {
	receipts []snapshot.Receipt // in their order, each in one of the next two
	counted  []snapshot.Receipt
	repeated []snapshot.Receipt // with ByFile: another message brought their file in this epoch
	digests  []string
}

// removeDuplicates adds the messages that the ledger has to the duplicates, and returns the others.
func (c *counting) removeDuplicates(ctx context.Context, receipts []snapshot.Receipt) (left unrecorded, err error) {
	pages, err := c.readPages(ctx)
	if err != nil {
		return unrecorded{}, err
	}
	recent, brought := table.Blobs(c.known.Recent), map[string]bool{}
	recorded := func(digest string) bool {
		return brought[digest] || recent.Has(digest) ||
			slices.ContainsFunc(pages, func(p page) bool { return p.has(digest) })
	}
	for _, receipt := range receipts {
		if recorded(receipt.Digest) {
			c.counts.Duplicates = append(c.counts.Duplicates, receipt)
			continue
		}
		left.receipts, left.digests = append(left.receipts, receipt), append(left.digests, receipt.Digest)
		if c.CountBy == snapshot.ByFile && !receipt.Message.IsSuccessFile {
			file := receipt.FileDigest(c.row.Epoch())
			if recorded(file) {
				left.repeated = append(left.repeated, receipt)
				left.digests = append(left.digests, snapshot.RepeatDigest(receipt.Digest))
				continue
			}
			brought[file] = true
			left.digests = append(left.digests, file)
		}
		left.counted = append(left.counted, receipt)
	}
	return left, nil
}
