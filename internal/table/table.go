// Package table is the small part of DynamoDB that the protocol of package store needs: read an item, several items,
// a page of items; update one item if conditions hold.
//
// Package dynamo implements it with DynamoDB, package memory in one process. Both pass the suite of package
// tabletest, so what is shown over one holds over the other.
package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// DB is the operations. An implementation is safe for concurrent use.
type DB interface {
	// Get reads one item, nil if there is none.
	Get(context.Context, Read) (Item, error)
	// GetMany reads up to MaxBatch items of one or more tables, in no order: it is no snapshot. Reads of one table ask
	// for the same attributes and the same consistency. Items that do not exist are not in the result.
	GetMany(context.Context, []Read) (map[Ref]Item, error)
	// Query reads one page.
	Query(context.Context, Query) (Page, error)
	// Update writes one item and returns it as it then is. If a condition does not hold it writes nothing, and returns
	// the item as it is, nil if there is none, with ErrConditionFailed. If the answer of an earlier try was lost, a
	// retry inside of the implementation may find its own write and report a failed condition.
	Update(context.Context, Write) (Item, error)
}

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

// Item holds an item's attributes without its key: string, int64, bool, Blobs or Ints. Attributes of other types are
// read as Foreign.
type Item map[string]any

// Blobs is a set of byte strings: sorted, each once.
type Blobs []string

// NewBlobs makes a set of byte strings.
func NewBlobs(blobs ...string) Blobs { return distinct(blobs) }

// Has reports whether the set holds the byte string.
func (b Blobs) Has(blob string) bool { _, found := slices.BinarySearch(b, blob); return found }

// Ints is a set of whole numbers: sorted, each once.
type Ints []int64

// NewInts makes a set of numbers.
func NewInts(numbers ...int64) Ints { return distinct(numbers) }

func distinct[E int64 | string](elements []E) []E {
	sorted := slices.Clone(elements)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// Foreign is an attribute whose type this system does not use. A condition may compare with it.
type Foreign struct {
	Type  string // in words, for errors
	Value any    // as the implementation knows it
}

// Null is the type of an attribute that is there and says nothing.
const Null = "null"

// String returns a string attribute, "" if the item lacks it. It returns an error if it has another type.
func (i Item) String(attribute string) (string, error) { return typed[string](i, attribute) }

// Int returns a whole number, 0 if the item lacks it. It returns an error if it has another type.
func (i Item) Int(attribute string) (int64, error) { return typed[int64](i, attribute) }

// Bool returns a boolean, false if the item lacks it. It returns an error if it has another type.
func (i Item) Bool(attribute string) (bool, error) { return typed[bool](i, attribute) }

// Blobs returns a set of byte strings, empty if the item lacks it. It returns an error if it has another type.
func (i Item) Blobs(attribute string) (Blobs, error) { return typed[Blobs](i, attribute) }

// Ints returns a set of numbers, empty if the item lacks it. It returns an error if it has another type.
func (i Item) Ints(attribute string) (Ints, error) { return typed[Ints](i, attribute) }

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
	case Blobs:
		return "a set of byte strings"
	case Ints:
		return "a set of numbers"
	case Foreign:
		return value.Type
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

// Condition must hold for a write to take effect. A missing attribute equals nothing and is neither AtLeast nor Below
// anything; its set contains nothing.
type Condition struct {
	Attribute string
	Operator  Operator
	Value     any // nil for Exists and Absent; for EqualsAttribute the other attribute's name; for ContainsNone a Blobs
}

// Operator compares an attribute in a condition.
type Operator int

// The operators.
const (
	Equals Operator = iota
	Exists
	Absent
	AtLeast
	Below
	EqualsAttribute
	ContainsNone
)

// Write changes one item, and makes it if it does not exist: a condition that the partition key Exists prevents that.
// Either all changes take effect or, if a condition does not hold, none.
type Write struct {
	Ref
	Set     map[string]any   // new values
	SetOnce map[string]any   // values for attributes that the item lacks
	Add     map[string]any   // numbers to add to numbers, elements to add to sets; a missing one begins at 0 or empty
	Delete  map[string]Blobs // elements to take out of sets
	If      []Condition      // all must hold
}

// ErrConditionFailed says that a condition of an update did not hold; nothing was written.
var ErrConditionFailed = errors.New("condition failed")

// Limits of DynamoDB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const (
	MaxBatch = 100 // items of a batch read
	// MaxContained is how many elements a ContainsNone may name: an expression has at most 300 operators and functions
	// and 4 KB. So many are 202 operators and 2.5 KB (100 contains, 99 OR, and those around them).
	MaxContained = 100
)
