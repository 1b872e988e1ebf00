package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// metered is a memory table, whose reads are never stale, that counts read and write units as DynamoDB bills them: one
// read unit for each 4 KB of a strongly consistent read, half of it for another read; one write unit for each 1 KB of
// the item before or after the write, whichever is larger, also of a refused write. A query is billed for the items
// that it reads, not for those that it returns
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
type metered struct {
	*memory.DB
	reads, writes float64
	pages         int
}

func (m *metered) read(bytes int, consistent bool) {
	units := float64(max(1, (bytes+4095)/4096))
	if !consistent {
		units /= 2
	}
	m.reads += units
}

func (m *metered) Get(ctx context.Context, read table.Read) (table.Item, error) {
	items, err := m.GetMany(ctx, []table.Read{read})
	return items[read.Ref], err
}

func (m *metered) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	reads = slices.Clone(reads)
	for i, read := range reads {
		whole, _ := m.DB.Get(ctx, table.Read{Ref: read.Ref, Consistent: true})
		m.read(size(read.Ref, whole), read.Consistent)
		reads[i].Consistent = true
	}
	return m.DB.GetMany(ctx, reads)
}

func (m *metered) Query(ctx context.Context, query table.Query) (table.Page, error) {
	m.pages++
	whole := query
	whole.Attributes, whole.Consistent = nil, true
	bytes := 0
	page, _ := m.DB.Query(ctx, whole)
	for _, keyed := range page.Items {
		bytes += size(query.At(keyed.Partition, keyed.Sort), keyed.Item)
	}
	m.read(bytes, query.Consistent)
	query.Consistent = true
	return m.DB.Query(ctx, query)
}

func (m *metered) Update(ctx context.Context, write table.Write) (table.Item, error) {
	before, _ := m.DB.Get(ctx, table.Read{Ref: write.Ref, Consistent: true})
	after, err := m.DB.Update(ctx, write)
	bytes := size(write.Ref, before)
	if !errors.Is(err, table.ErrConditionFailed) {
		bytes = max(bytes, size(write.Ref, after))
	}
	m.writes += float64(max(1, (bytes+1023)/1024))
	return after, err
}

// size is an item's size after
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.
func size(ref table.Ref, item table.Item) int {
	bytes := len(ref.PartitionKey) + len(ref.Partition) + len(ref.SortKey) + len(ref.Sort)
	for attribute, value := range item {
		bytes += len(attribute)
		switch value := value.(type) {
		case string:
			bytes += len(value)
		case int64:
			bytes += number(value)
		case table.Blobs:
			bytes += 3
			for _, blob := range value {
				bytes += len(blob) + 1
			}
		case table.Ints:
			bytes += 3
			for _, n := range value {
				bytes += number(n) + 1
			}
		default:
			bytes++
		}
	}
	return bytes
}

// number is the size of a number: one byte for each two digits, and one or two more.
func number(n int64) int { return (len(fmt.Sprint(max(n, -n)))+1)/2 + 2 }
