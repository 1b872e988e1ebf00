// Package instant is a DynamoDB that answers at once, to measure what a function itself costs: DynamoDB's JSON protocol
// over tables in memory, with the operations of the function that counts. It applies update expressions. Every
// condition holds. It has no limits, indexes or projections: a read returns whole items.
package instant

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
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
	t, err := db.table(name)
	if err == nil {
		t.items[t.at(item)] = item
	}
	return err
}

// Get returns the item with this key, nil if there is none. The table must exist.
func (db *DB) Get(name string, key Item) (Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.table(name)
	if err != nil {
		return nil, err
	}
	return maps.Clone(t.items[t.at(key)]), nil
}

// request holds the parameters of all operations.
type request struct {
	TableName, UpdateExpression, ReturnValues string
	Key, ExpressionAttributeValues            Item
	ExpressionAttributeNames                  map[string]string
	RequestItems                              map[string]struct{ Keys []Item }
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
	if operation == "BatchGetItem" {
		return db.batchGet(asked)
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
		return map[string]any{}, nil
	case "UpdateItem":
		return t.update(asked)
	}
	return nil, errors.New("unknown operation: add it here")
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
	for name, wanted := range asked.RequestItems {
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
