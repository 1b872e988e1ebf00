package store_test

import (
	"fmt"

	"snapshot-status-checker/internal/table"
)

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

// number is a number's size: a byte for each two digits, and one or two.
func number(n int64) int { return (len(fmt.Sprint(max(n, -n)))+1)/2 + 2 }
