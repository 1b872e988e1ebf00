// Package table is the part of DynamoDB that package store needs: read an item, several items, or a page of items;
// update one item if conditions hold.
//
// Package dynamo implements it with DynamoDB, package memory in one process. Both pass the suite of package tabletest,
// so a test over one holds for the other.
package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// DB has the operations. An implementation is safe for concurrent use.
type DB interface {
	// Get reads one item, nil if there is none.
	Get(context.Context, Read) (Item, error)
	// GetMany reads up to MaxBatch items of one or more tables, not at one moment. Reads of one table must have the
	// same attributes and consistency. Items that do not exist are not in the result.
	GetMany(context.Context, []Read) (map[Ref]Item, error)
	// Query reads one page.
	Query(context.Context, Query) (Page, error)
	// Update writes one item and returns it after the write. If a condition does not hold, it writes nothing and
	// returns the present item, nil if there is none, with ErrConditionFailed. After a lost answer, a retry inside the
	// implementation may find its own write and report a failed condition.
	Update(context.Context, Write) (Item, error)
}

// Name has the names of a table and of its key attributes.
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

// Item has an item's attributes without its key, as string, int64, bool, Blobs or Ints. Attributes of other types are
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

// Foreign is an attribute of a type that this system does not use. A condition may compare with it.
type Foreign struct {
	Type  string // in words, for errors
	Value any    // the implementation's own
}

// Null is the Foreign type of a null attribute.
const Null = "null"

// String returns a string attribute, "" if it is absent. It returns an error if the attribute has another type.
func (i Item) String(attribute string) (string, error) { return typed[string](i, attribute) }

// Int returns a whole number, 0 if it is absent. It returns an error if the attribute has another type.
func (i Item) Int(attribute string) (int64, error) { return typed[int64](i, attribute) }

// Bool returns a boolean, false if it is absent. It returns an error if the attribute has another type.
func (i Item) Bool(attribute string) (bool, error) { return typed[bool](i, attribute) }

// Blobs returns a set of byte strings, empty if it is absent. It returns an error if the attribute has another type.
func (i Item) Blobs(attribute string) (Blobs, error) { return typed[Blobs](i, attribute) }

// Ints returns a set of numbers, empty if it is absent. It returns an error if the attribute has another type.
func (i Item) Ints(attribute string) (Ints, error) { return typed[Ints](i, attribute) }

// Has reports whether the item has the attribute, of any type.
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
	return fmt.Sprintf("a %T", value) // unreachable: an Item has no other types
}

// Read asks for one item. A read that is not Consistent may miss the latest writes.
type Read struct {
	Ref
	Attributes []string // besides the key; none for all
	Consistent bool
}

// Query asks for one page of the items of a partition, in the order of their sort keys.
type Query struct {
	Name
	Partition  string
	From       string   // the first sort key, inclusive; "" for all
	After      string   // the last sort key of the previous page, exclusive, not before From; "" for the first page
	Limit      int32    // items at most, 0 for as many as fit into 1 MB
	Attributes []string // besides the key; none for all
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

// Condition must hold for a write to take effect. An absent attribute equals nothing, is neither AtLeast nor Below any
// value, and contains nothing.
type Condition struct {
	Attribute string
	Operator  Operator
	Value     any // nil for Exists and Absent, the other attribute's name for EqualsAttribute, Blobs for ContainsNone
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

// Write changes one item, and makes it if it does not exist and no condition requires its partition key to exist.
// Either all changes take effect or none.
type Write struct {
	Ref
	Set     map[string]any   // new values
	SetOnce map[string]any   // values for absent attributes
	Add     map[string]any   // numbers to add, or elements of sets; an absent attribute begins at 0 or empty
	Delete  map[string]Blobs // elements to remove from sets
	If      []Condition      // all must hold
}

// ErrConditionFailed reports that a condition of an update did not hold. Nothing was written.
var ErrConditionFailed = errors.New("condition failed")

// Limits of DynamoDB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const (
	MaxBatch = 100 // items of a batch read
	// MaxContained bounds the elements of a ContainsNone. An expression may have 300 operators and functions and 4 KB;
	// 100 elements need 202 (100 contains, 99 OR, and the others of a count) and 2.5 KB.
	MaxContained = 100
)
