package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"snapshot-status-checker/internal/table"
)

// DefaultPageSize is the number of digests that a collection's item holds before they become a page. At 13 bytes each,
// and with names of up to about 200 bytes, the item stays below 1 KB, one write unit.
const DefaultPageSize = 48

// turnPage moves the recent digests to a page if there are enough. A page never changes, so it may be cached. It is
// written before its digests are removed from the collection, so a digest is always in one of the two. The call whose
// update filled the page turns it; if that call failed, a later one turns it at twice the size. Turning a page twice
// has no effect.
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
	turned := table.Blobs(d.blobs(attrDigests)) // another call's, if the update was refused
	if err := d.err(ref); err != nil {
		return err
	}
	collection := c.collectionRef(c.key)
	item, err = c.db.Update(ctx, table.Write{Ref: collection,
		Set:    map[string]any{attrPages: number + 1},
		Delete: map[string]table.Blobs{attrRecent: turned},
		If:     []table.Condition{numberIs(attrPages, number), exists(collection)}})
	if err != nil && !errors.Is(err, table.ErrConditionFailed) { // a failed condition: another call has turned it
		return fmt.Errorf("turning the page: %w", err)
	}
	if err == nil {
		c.pages.Add(cachedPage{ref.Partition, c.known.Instance, number}, newPage(turned))
	}
	c.known, err = c.decodeCollection(c.key, item)
	return err
}

// page is a page's sorted digests, concatenated to save memory.
type page string

func newPage(digests table.Blobs) page { return page(strings.Join(digests, "")) }

func (p page) has(digest string) bool {
	size := len(digest)
	i := sort.Search(len(p)/size, func(i int) bool { return string(p[i*size:(i+1)*size]) >= digest })
	return i < len(p)/size && string(p[i*size:(i+1)*size]) == digest
}

// cachedPage names a page in the cache. Pages of a lost ledger have the same keys as those of the present one, and
// another instance.
type cachedPage struct {
	partition, instance string // of the collection
	number              int64
}

// readPages returns the collection's pages, each read once per process. A page without an item has expired and is
// empty.
func (c *counting) readPages(ctx context.Context) ([]page, error) {
	pages := make([]page, c.known.Pages)
	name := cachedPage{partition: collectionPartition(c.key), instance: c.known.Instance}
	var missing []int64
	for i := range c.known.Pages {
		name.number = i
		cached, ok := c.pages.Get(name)
		if pages[i] = cached; !ok {
			missing = append(missing, i)
		}
	}
	for chunk := range slices.Chunk(missing, table.MaxBatch) {
		reads := make([]table.Read, len(chunk))
		for j, i := range chunk {
			reads[j] = table.Read{Ref: c.pageRef(c.key, i), Consistent: true}
		}
		items, err := c.db.GetMany(ctx, reads)
		if err != nil {
			return nil, fmt.Errorf("reading pages: %w", err)
		}
		for j, i := range chunk {
			d := decoder{item: items[reads[j].Ref]}
			pages[i] = newPage(d.blobs(attrDigests))
			if err := d.err(reads[j].Ref); err != nil {
				return nil, err
			}
			name.number = i
			c.pages.Add(name, pages[i])
		}
	}
	return pages, nil
}
