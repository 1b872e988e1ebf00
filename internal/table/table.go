// Package table is the small part of DynamoDB that the protocol of package store stands on: read an item,
// several items, a page; update an item on conditions; write several items together.
//
// Package dynamo does it with DynamoDB and package memory in one process. Both pass the suite of package
// tabletest, so that what is proven over one holds over the other.
package table

import (
	"errors"
	"fmt"
)

// Name describes a table: what it is called and what its key attributes are called.
type Name struct {
	Table        string
	PartitionKey string // attribute of the partition key, a string
	SortKey      string // attribute of the sort key, a string
}

// Key is the primary key of an item.
type Key struct{ Partition, Sort string }

// Ref points to an item of a table.
type Ref struct {
	Name
	Key
}

// At points to the item of a table that has this key.
func (n Name) At(partition, sort string) Ref { return Ref{Name: n, Key: Key{partition, sort}} }

// Item holds an item's attributes without its key: string, int64 or bool. Other types are read as Foreign
// and are never written.
type Item map[string]any

// Foreign stands for an attribute whose type this system does not use.
type Foreign string

// String returns a string attribute, "" if the item lacks it. It returns an error if it has another type.
func (i Item) String(attribute string) (string, error) { return typed[string](i, attribute) }

// Int returns a whole number, 0 if the item lacks it. It returns an error if it has another type.
func (i Item) Int(attribute string) (int64, error) { return typed[int64](i, attribute) }

// Bool returns a boolean, false if the item lacks it. It returns an error if it has another type.
func (i Item) Bool(attribute string) (bool, error) { return typed[bool](i, attribute) }

// Has reports whether the item has the attribute, of whatever type.
func (i Item) Has(attribute string) bool { _, ok := i[attribute]; return ok }

func typed[T any](i Item, attribute string) (T, error) {
	value, ok := i[attribute].(T)
	if !ok && i.Has(attribute) {
		return value, fmt.Errorf("attribute %s is %s, not %s", attribute, describe(i[attribute]), describe(value))
	}
	return value, nil
}

// describe names the type of an attribute.
func describe(value any) string {
	switch value := value.(type) {
	case string:
		return "a string"
	case int64:
		return "a whole number"
	case bool:
		return "a boolean"
	case Foreign:
		return string(value)
	}
	return fmt.Sprintf("a %T", value) // never: an Item holds nothing else
}

// Read asks for one item. A read that is not Consistent may miss the latest writes.
type Read struct {
	Ref
	Attributes []string // to read besides the key; all if none is named
	Consistent bool
}

// Query asks for one page of the items of a partition, in the order of their sort keys.
type Query struct {
	Name
	Partition  string
	From       string   // sort key to begin at, inclusive; "" for the first
	After      string   // sort key to go on from, exclusive, not before From; "" for the first page
	Limit      int32    // items at most, 0 for as many as fit into 1 MB
	Attributes []string // to read besides the key; all if none is named
	Consistent bool
}

// Page is one page of a query.
type Page struct {
	Items []Keyed
	Next  string // After of the next page, "" if this was the last
}

// Keyed is an item with its key.
type Keyed struct {
	Key
	Item
}

// Condition must hold for a write to take effect.
type Condition struct {
	Attribute string
	Operator  Operator
	Value     any // for Equals only
}

// Operator compares an attribute in a condition.
type Operator int

// The operators. A missing attribute equals nothing.
const (
	Equals Operator = iota
	Exists
	Absent
)

// Write changes one item, and makes it if it is not there: a condition that the partition key Exists keeps it
// from being made. Either all changes take effect or, if a condition does not hold, none.
type Write struct {
	Ref
	Set     map[string]any // new values
	SetOnce map[string]any // values for attributes that the item lacks
	Add     map[string]Sum // numbers to add
	Remove  []string       // attributes that the item shall lack
	If      []Condition    // all must hold
}

// Sum adds N to a number. If the item lacks it, it starts at From.
type Sum struct{ From, N int64 }

// ErrConditionFailed says that a condition of an update did not hold; nothing was written.
var ErrConditionFailed = errors.New("condition failed")

// ErrContention says that others were working on the same items, or that the table was asked for too much at
// once; nothing was written and trying again helps.
var ErrContention = errors.New("contention")

// Canceled says that a transaction wrote nothing, with the reason of each of its writes in their order.
type Canceled struct{ Reasons []Reason }

// Reason is why a write kept its transaction from taking effect. The zero Reason: it did not.
type Reason struct {
	ConditionFailed bool
	Contention      bool
	Old             Item // the item as it stood, if the condition failed on an item that exists
}

func (c *Canceled) Error() string { return fmt.Sprintf("transaction canceled: %+v", c.Reasons) }

// MaxTransaction is how many writes a transaction holds at most, MaxBatch how many items a batch read asks for
// at most (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const (
	MaxTransaction = 100
	MaxBatch       = 100
)
