// Package memory does the operations of package table in one process, with DynamoDB's semantics: conditions,
// transactions that take effect whole or not at all, pages, and reads that may be stale unless consistent.
package memory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"snapshot-status-checker/internal/table"
)

// DB holds any number of tables; each exists from its first write on. The zero DB is empty and ready. It is
// safe for concurrent use, and every operation takes effect at one moment.
type DB struct {
	// PageSize is how many items a page of a query holds at most, 0 for no limit. It stands for DynamoDB's 1 MB.
	PageSize int

	mu     sync.Mutex
	tables map[string]map[table.Key]versions
}

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
	v := db.tables[read.Table][read.Key]
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
	for _, key := range db.keys(query.Table) {
		if key.Partition != query.Partition || key.Sort <= query.After && query.After != "" {
			continue
		}
		item := db.read(table.Read{Ref: table.Ref{Name: query.Name, Key: key}, Attributes: query.Attributes, Consistent: query.Consistent})
		if item == nil {
			continue
		}
		page.Items = append(page.Items, table.Keyed{Key: key, Item: item})
		if len(page.Items) == limit {
			page.Next = key.Sort
			break
		}
	}
	return page, nil
}

func (db *DB) keys(name string) []table.Key {
	return slices.SortedFunc(maps.Keys(db.tables[name]), func(a, b table.Key) int {
		if c := strings.Compare(a.Partition, b.Partition); c != 0 {
			return c
		}
		return strings.Compare(a.Sort, b.Sort)
	})
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
			reasons[i] = table.Reason{ConditionFailed: true, Old: maps.Clone(db.tables[write.Table][write.Key].now)}
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
	item := db.tables[write.Table][write.Key].now
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
	if db.tables == nil {
		db.tables = map[string]map[table.Key]versions{}
	}
	if db.tables[write.Table] == nil {
		db.tables[write.Table] = map[table.Key]versions{}
	}
	old := db.tables[write.Table][write.Key].now
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
	db.tables[write.Table][write.Key] = versions{now: item, before: old}
	return item
}

// Put replaces an item whole, as the other writers of a shared table do, who do not look.
func (db *DB) Put(ref table.Ref, item table.Item) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.tables == nil {
		db.tables = map[string]map[table.Key]versions{}
	}
	if db.tables[ref.Table] == nil {
		db.tables[ref.Table] = map[table.Key]versions{}
	}
	db.tables[ref.Table][ref.Key] = versions{now: maps.Clone(item), before: db.tables[ref.Table][ref.Key].now}
}
