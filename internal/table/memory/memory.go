// Package memory implements package table in one process, with DynamoDB's semantics: conditions, sets, pages, and reads
// that may be stale unless consistent.
package memory

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"snapshot-status-checker/internal/table"
)

// DB has any number of tables; the first write to a table makes it. The zero DB is empty and ready. It is safe for
// concurrent use, and every operation is atomic.
type DB struct {
	// PageSize bounds the items of a query's page, 0 for no limit. It stands for DynamoDB's 1 MB.
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

// versions is an item and its previous value, which a read that is not consistent returns.
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

// Update writes one item.
func (db *DB) Update(_ context.Context, write table.Write) (table.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	old := db.items[at(write.Ref)].now
	for _, c := range write.If {
		if !holds(write.Ref, old, c) {
			return maps.Clone(old), table.ErrConditionFailed
		}
	}
	item := changed(old, write)
	db.put(write.Ref, item)
	return maps.Clone(item), nil
}

func holds(ref table.Ref, item table.Item, c table.Condition) bool {
	value, has := item[c.Attribute]
	if c.Attribute == ref.PartitionKey {
		has = item != nil
	}
	number, isNumber := value.(int64)
	limit, _ := c.Value.(int64)
	switch c.Operator {
	case table.Exists:
		return has
	case table.Absent:
		return !has
	case table.AtLeast:
		return isNumber && number >= limit
	case table.Below:
		return isNumber && number < limit
	case table.EqualsAttribute:
		return has && reflect.DeepEqual(value, item[c.Value.(string)])
	case table.ContainsNone:
		set, _ := value.(table.Blobs)
		return !slices.ContainsFunc(c.Value.(table.Blobs), set.Has)
	default:
		return reflect.DeepEqual(value, c.Value)
	}
}

// changed is the item after the write. It shares no changing set with an item that was returned before.
func changed(old table.Item, write table.Write) table.Item {
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
	for attribute, more := range write.Add {
		switch more := more.(type) {
		case int64:
			n, _ := old[attribute].(int64)
			item[attribute] = n + more
		case table.Blobs:
			set, _ := old[attribute].(table.Blobs)
			item[attribute] = table.NewBlobs(slices.Concat(set, more)...)
		case table.Ints:
			set, _ := old[attribute].(table.Ints)
			item[attribute] = table.NewInts(slices.Concat(set, more)...)
		}
	}
	for attribute, gone := range write.Delete {
		set, _ := old[attribute].(table.Blobs)
		if set = slices.DeleteFunc(slices.Clone(set), gone.Has); len(set) > 0 {
			item[attribute] = set
		} else {
			delete(item, attribute)
		}
	}
	return item
}

// Put replaces an item unconditionally, like the other writers of a shared table. A nil item deletes it.
func (db *DB) Put(ref table.Ref, item table.Item) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.put(ref, maps.Clone(item))
}

// Keys lists the sort keys of a partition's items, in their order.
func (db *DB) Keys(name table.Name, key string) []string {
	db.mu.Lock()
	defer db.mu.Unlock()
	here := partition{name.Table, key}
	return slices.DeleteFunc(slices.Clone(db.sorted[here]),
		func(sort string) bool { return db.items[place{here, sort}].now == nil })
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
