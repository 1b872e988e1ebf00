// Package memory does the operations of package table in one process, with DynamoDB's semantics: conditions,
// transactions that take effect whole or not at all, pages, and reads that may be stale unless consistent.
package memory

import (
	"context"
	"maps"
	"slices"
	"sync"

	"snapshot-status-checker/internal/table"
)

// DB holds any number of tables; each exists from its first write on. The zero DB is empty and ready. It is
// safe for concurrent use, and every operation takes effect at one moment.
type DB struct {
	// PageSize is how many items a page of a query holds at most, 0 for no limit. It stands for DynamoDB's 1 MB.
	PageSize int

	mu     sync.Mutex
	items  map[place]versions
	sorted map[partition][]string // sort keys of all items that ever were
}

type partition struct{ table, key string }

type place struct {
	partition
	sort string
}

func at(ref table.Ref) place { return place{partition{ref.Table, ref.Partition}, ref.Sort} }

// versions is an item now and as it was before its last write, which is what a read that is not consistent sees.
type versions struct{ now, before table.Item }

// Get reads one item, nil if it is not there.
func (db *DB) Get(_ context.Context, read table.Read) (table.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.read(read), nil
}

// GetMany reads several items.
func (db *DB) GetMany(_ context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	items := map[table.Ref]table.Item{}
	for _, read := range reads {
		if item := db.read(read); item != nil {
			items[read.Ref] = item
		}
	}
	return items, nil
}

func (db *DB) read(read table.Read) table.Item {
	v := db.items[at(read.Ref)]
	if !read.Consistent {
		return projected(v.before, read.Attributes)
	}
	return projected(v.now, read.Attributes)
}

func projected(item table.Item, attributes []string) table.Item {
	if item == nil || len(attributes) == 0 {
		return maps.Clone(item)
	}
	part := table.Item{}
	for _, attribute := range attributes {
		if value, ok := item[attribute]; ok {
			part[attribute] = value
		}
	}
	return part
}

// Query reads one page.
func (db *DB) Query(_ context.Context, query table.Query) (table.Page, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	limit := int(query.Limit)
	if db.PageSize > 0 && (limit == 0 || limit > db.PageSize) {
		limit = db.PageSize
	}
	var page table.Page
	keys := db.sorted[partition{query.Table, query.Partition}]
	first, _ := slices.BinarySearch(keys, query.From)
	if query.After != "" {
		after, found := slices.BinarySearch(keys, query.After)
		if found {
			after++
		}
		first = max(first, after)
	}
	for _, sort := range keys[first:] {
		ref := query.At(query.Partition, sort)
		item := db.read(table.Read{Ref: ref, Attributes: query.Attributes, Consistent: query.Consistent})
		if item == nil {
			continue
		}
		page.Items = append(page.Items, table.Keyed{Key: ref.Key, Item: item})
		if len(page.Items) == limit {
			page.Next = sort
			break
		}
	}
	return page, nil
}

// Update writes one item and returns it as it then is.
func (db *DB) Update(_ context.Context, write table.Write) (table.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.holds(write) {
		return nil, table.ErrConditionFailed
	}
	return maps.Clone(db.apply(write)), nil
}

// Transact writes several items, all or none.
func (db *DB) Transact(_ context.Context, writes []table.Write) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	reasons, failed := make([]table.Reason, len(writes)), false
	for i, write := range writes {
		if !db.holds(write) {
			reasons[i] = table.Reason{ConditionFailed: true, Old: maps.Clone(db.items[at(write.Ref)].now)}
			failed = true
		}
	}
	if failed {
		return &table.Canceled{Reasons: reasons}
	}
	for _, write := range writes {
		db.apply(write)
	}
	return nil
}

func (db *DB) holds(write table.Write) bool {
	item := db.items[at(write.Ref)].now
	for _, c := range write.If {
		value, has := item[c.Attribute]
		if c.Attribute == write.PartitionKey || c.Attribute == write.SortKey {
			has = item != nil
		}
		switch c.Operator {
		case table.Exists:
			if !has {
				return false
			}
		case table.Absent:
			if has {
				return false
			}
		default:
			if !has || value != c.Value {
				return false
			}
		}
	}
	return true
}

func (db *DB) apply(write table.Write) table.Item {
	old := db.items[at(write.Ref)].now
	item := maps.Clone(old)
	if item == nil {
		item = table.Item{}
	}
	maps.Copy(item, write.Set)
	for attribute, value := range write.SetOnce {
		if !old.Has(attribute) {
			item[attribute] = value
		}
	}
	for attribute, sum := range write.Add {
		n, has := old[attribute].(int64)
		if !has {
			n = sum.From
		}
		item[attribute] = n + sum.N
	}
	for _, attribute := range write.Remove {
		delete(item, attribute)
	}
	db.put(write.Ref, item)
	return item
}

// Put replaces an item whole, as the other writers of a shared table do, who do not look. A nil item deletes it.
func (db *DB) Put(ref table.Ref, item table.Item) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.put(ref, maps.Clone(item))
}

func (db *DB) put(ref table.Ref, item table.Item) {
	if db.items == nil {
		db.items, db.sorted = map[place]versions{}, map[partition][]string{}
	}
	here := at(ref)
	v, known := db.items[here]
	if !known {
		keys := db.sorted[here.partition]
		i, _ := slices.BinarySearch(keys, here.sort)
		db.sorted[here.partition] = slices.Insert(keys, i, here.sort)
	}
	db.items[here] = versions{now: item, before: v.now}
}
