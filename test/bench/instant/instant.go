// Package instant is a DynamoDB that answers at once, to measure what a function itself costs: DynamoDB's JSON protocol
// over tables in memory. It stores items and applies update expressions. Every condition holds. It has no limits,
// indexes, projections or pages: a read returns whole items, a query the whole partition.
package instant

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Item is an item in DynamoDB's JSON: by the attribute's name a value such as {"N": "1"}.
type Item map[string]any

// DB holds the tables. It is safe for concurrent use.
type DB struct {
	mu     sync.Mutex
	tables map[string]*table
}

// table holds items by their keys' JSON.
type table struct {
	key   []string
	items map[string]Item
}

// New makes empty tables, each with the names of its key attributes, the partition key first.
func New(keys map[string][]string) *DB {
	db := &DB{tables: map[string]*table{}}
	for name, key := range keys {
		db.tables[name] = &table{key: key, items: map[string]Item{}}
	}
	return db
}

// Put writes the item over one with its key. The table must exist.
func (db *DB) Put(name string, item Item) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	_, err := db.do("PutItem", request{TableName: name, Item: item})
	return err
}

// Get returns the item with this key, nil if there is none. The table must exist.
func (db *DB) Get(name string, key Item) (Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	found, err := db.table(name)
	if err != nil {
		return nil, err
	}
	return maps.Clone(found.items[found.at(key)]), nil
}

// request holds the parameters of all operations that are used here.
type request struct {
	TableName, UpdateExpression, KeyConditionExpression, ReturnValues string
	Key, Item, ExpressionAttributeValues                              Item
	ExpressionAttributeNames                                          map[string]string
	RequestItems                                                      map[string]json.RawMessage
	TransactItems                                                     []map[string]request
}

// ServeHTTP answers a call of DynamoDB's, and anything else with "healthy" as DynamoDB does.
func (db *DB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, found := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !found {
		_, _ = w.Write([]byte("healthy: dynamodb"))
		return
	}
	var asked request
	err := json.NewDecoder(r.Body).Decode(&asked)
	var answer []byte
	if err == nil {
		answer, err = db.answer(operation, asked)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer, _ = json.Marshal(map[string]string{
			"__type": "com.amazonaws.dynamodb.v20120810#ValidationException", "message": "instant: " + err.Error()})
	}
	_, _ = w.Write(answer)
}

// answer encodes under the lock: answers hold the stored items themselves.
func (db *DB) answer(operation string, asked request) ([]byte, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	answer, err := db.do(operation, asked)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return json.Marshal(answer)
}

func (db *DB) do(operation string, asked request) (map[string]any, error) {
	switch operation {
	case "BatchGetItem":
		return db.batchGet(asked)
	case "BatchWriteItem":
		return db.batchWrite(asked)
	case "TransactWriteItems":
		for _, write := range asked.TransactItems {
			for kind, part := range write {
				if kind == "ConditionCheck" {
					continue // it holds
				}
				if _, err := db.do(kind+"Item", part); err != nil {
					return nil, err
				}
			}
		}
		return map[string]any{}, nil
	}
	t, err := db.table(asked.TableName)
	if err != nil {
		return nil, err
	}
	switch operation {
	case "GetItem":
		if item, ok := t.items[t.at(asked.Key)]; ok {
			return map[string]any{"Item": item}, nil
		}
	case "PutItem":
		t.items[t.at(asked.Item)] = asked.Item
	case "DeleteItem":
		delete(t.items, t.at(asked.Key))
	case "UpdateItem":
		return t.update(asked)
	case "Query":
		items, err := t.query(asked)
		return map[string]any{"Items": items, "Count": len(items), "ScannedCount": len(items)}, err
	default:
		return nil, fmt.Errorf("unknown operation: add it here")
	}
	return map[string]any{}, nil
}

func (db *DB) table(name string) (*table, error) {
	name = name[strings.LastIndexByte(name, '/')+1:] // of an ARN
	if t, ok := db.tables[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("no table %q", name)
}

// at is the place of the item with these key attributes.
func (t *table) at(attributes Item) string {
	var key []any
	for _, name := range t.key {
		key = append(key, attributes[name])
	}
	raw, _ := json.Marshal(key) // it was decoded from JSON
	return string(raw)
}

func (db *DB) batchGet(asked request) (map[string]any, error) {
	responses := map[string][]Item{}
	for name, raw := range asked.RequestItems {
		var wanted struct{ Keys []Item }
		if err := json.Unmarshal(raw, &wanted); err != nil {
			return nil, err
		}
		t, err := db.table(name)
		if err != nil {
			return nil, err
		}
		responses[name] = []Item{}
		for _, key := range wanted.Keys {
			if item, ok := t.items[t.at(key)]; ok {
				responses[name] = append(responses[name], item)
			}
		}
	}
	return map[string]any{"Responses": responses, "UnprocessedKeys": map[string]any{}}, nil
}

func (db *DB) batchWrite(asked request) (map[string]any, error) {
	for name, raw := range asked.RequestItems {
		var writes []struct {
			PutRequest    *struct{ Item Item }
			DeleteRequest *struct{ Key Item }
		}
		if err := json.Unmarshal(raw, &writes); err != nil {
			return nil, err
		}
		for _, write := range writes {
			operation, part := "DeleteItem", request{TableName: name}
			if write.PutRequest != nil {
				operation, part.Item = "PutItem", write.PutRequest.Item
			} else if write.DeleteRequest != nil {
				part.Key = write.DeleteRequest.Key
			}
			if _, err := db.do(operation, part); err != nil {
				return nil, err
			}
		}
	}
	return map[string]any{"UnprocessedItems": map[string]any{}}, nil
}

func (t *table) update(asked request) (map[string]any, error) {
	at := t.at(asked.Key)
	before := t.items[at]
	item := maps.Clone(before)
	if item == nil {
		item = maps.Clone(asked.Key)
	}
	if err := apply(asked, before, item); err != nil {
		return nil, fmt.Errorf("%q: %w", asked.UpdateExpression, err)
	}
	t.items[at] = item
	switch {
	case strings.HasSuffix(asked.ReturnValues, "_NEW"):
		return map[string]any{"Attributes": item}, nil
	case strings.HasSuffix(asked.ReturnValues, "_OLD") && before != nil:
		return map[string]any{"Attributes": before}, nil
	}
	return map[string]any{}, nil
}

// query returns the partition in the order of its sort keys' JSON.
func (t *table) query(asked request) ([]Item, error) {
	name, rest, found := strings.Cut(asked.KeyConditionExpression, "=")
	value := strings.Fields(rest)
	if !found || len(value) == 0 {
		return nil, fmt.Errorf("%q names no partition", asked.KeyConditionExpression)
	}
	name = strings.TrimSpace(name)
	partition, _ := json.Marshal([]any{asked.ExpressionAttributeValues[value[0]]})
	if real := cmp.Or(asked.ExpressionAttributeNames[name], name); real != t.key[0] {
		return nil, fmt.Errorf("%q does not begin with the partition", asked.KeyConditionExpression)
	}
	items := []Item{}
	for _, at := range slices.Sorted(maps.Keys(t.items)) {
		if strings.HasPrefix(at, strings.TrimSuffix(string(partition), "]")) {
			items = append(items, t.items[at])
		}
	}
	return items, nil
}
