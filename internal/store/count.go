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
	Duplicates []snapshot.Receipt // counted before
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
// Repeating it with the same messages counts none of them again, syncs the row if an earlier call did not, and returns
// the messages as duplicates. The Counts beside an error are what was counted before it.
func (s *Store) Count(ctx context.Context, execution string, state State, receipts []snapshot.Receipt) (Counts, error) {
	c := &counting{Store: s, key: state.Row.CollectionKey, execution: execution, row: state.Row,
		known: state.Collection}
	if !c.row.Adopted() {
		if err := c.adopt(ctx); err != nil {
			return Counts{}, err
		}
	}
	for some := range slices.Chunk(receipts, table.MaxContained) {
		if err := c.count(ctx, some); err != nil {
			return c.counts, fmt.Errorf("counting: %w", err)
		}
		c.part++
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
	part      int                 // the number of the present part of the messages
	counts    Counts
}

// count counts up to table.MaxContained messages in one update of the ledger's collection. A refused update returns the
// collection, which shows the reason: messages were counted before, the page was turned, or the ledger is new.
func (c *counting) count(ctx context.Context, receipts []snapshot.Receipt) error {
	uncounted, err := c.removeDuplicates(ctx, receipts)
	if err != nil || len(uncounted) == 0 {
		return err
	}
	if err := c.writeReceipts(ctx, receipts); err != nil {
		return err
	}
	for range maxTries {
		item, err := c.db.Update(ctx, c.update(uncounted))
		refused := errors.Is(err, table.ErrConditionFailed)
		if err != nil && !refused {
			return err
		}
		if !refused {
			c.counts.Counted = append(c.counts.Counted, uncounted...)
		}
		if c.known, err = c.decodeCollection(c.key, item); err != nil {
			return err
		}
		if !refused {
			return c.turnPage(ctx, len(uncounted))
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		if c.known.Counted < c.row.Held() {
			c.forgetPages(c.key, c.known.Pages)
			if err := c.adopt(ctx); err != nil {
				return err
			}
		}
		if uncounted, err = c.removeDuplicates(ctx, uncounted); err != nil || len(uncounted) == 0 {
			return err
		}
	}
	return fmt.Errorf("other writers interfered %d times", maxTries)
}

// update adds the messages to the collection if none of them was counted before. It stores the last message's Export
// and, if a success file is among the messages, the row's epoch.
func (c *counting) update(uncounted []snapshot.Receipt) table.Write {
	digests, files := make([]string, len(uncounted)), int64(0)
	for i, receipt := range uncounted {
		digests[i] = receipt.Digest
		if !receipt.Message.IsSuccessFile {
			files++
		}
	}
	set := exportAttributes(uncounted[len(uncounted)-1].Message.Export)
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
	if files < int64(len(uncounted)) {
		write.Add[attrSuccessEpochs] = table.NewInts(c.row.Epoch())
	}
	return write
}

// removeDuplicates moves the messages that were counted before to the duplicates, and returns the others.
func (c *counting) removeDuplicates(ctx context.Context, receipts []snapshot.Receipt) ([]snapshot.Receipt, error) {
	pages, err := c.readPages(ctx, c.key, c.known.Pages)
	if err != nil {
		return nil, err
	}
	recent := table.Blobs(c.known.Recent)
	uncounted := make([]snapshot.Receipt, 0, len(receipts))
	for _, receipt := range receipts {
		if recent.Has(receipt.Digest) ||
			slices.ContainsFunc(pages, func(p page) bool { return p.has(receipt.Digest) }) {
			c.counts.Duplicates = append(c.counts.Duplicates, receipt)
		} else {
			uncounted = append(uncounted, receipt)
		}
	}
	return uncounted, nil
}
