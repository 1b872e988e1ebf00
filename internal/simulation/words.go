package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"snapshot-status-checker/internal/table"
)

// The history tells in words what the tasks called, so that a person can follow it.

func (w *world) itemInWords(ref table.Ref) string {
	collection := ref.Partition[strings.LastIndex(ref.Partition, "#")+1:]
	switch {
	case ref.Table == w.tables.Status.Table:
		return "the row of " + ref.Sort
	case ref.Partition == "run":
		return "the ledger's run"
	case strings.HasPrefix(ref.Sort, "marker#"):
		return "the marker of " + strings.TrimPrefix(ref.Sort, "marker#")
	default:
		return "the ledger's " + collection
	}
}

func (w *world) readsInWords(reads []table.Read) string {
	var words []string
	for _, read := range reads {
		words = append(words, w.itemInWords(read.Ref))
	}
	return strings.Join(words, ", ")
}

func (w *world) writeInWords(write table.Write) string {
	var changes []string
	for _, attribute := range slices.Sorted(maps.Keys(write.Set)) {
		if attribute != "ExpiresAt" {
			changes = append(changes, fmt.Sprintf("%s = %v", attribute, write.Set[attribute]))
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(write.Add)) {
		changes = append(changes, fmt.Sprintf("%s + %d", attribute, write.Add[attribute].N))
	}
	words := w.itemInWords(write.Ref) + ": " + strings.Join(changes, ", ")
	var conditions []string
	for _, c := range write.If {
		switch c.Operator {
		case table.Exists:
			conditions = append(conditions, "it has "+c.Attribute)
		case table.Absent:
			conditions = append(conditions, "it lacks "+c.Attribute)
		default:
			conditions = append(conditions, fmt.Sprintf("%s is %v", c.Attribute, c.Value))
		}
	}
	if len(conditions) > 0 {
		words += "; if " + strings.Join(conditions, ", ")
	}
	return words
}

func (w *world) transactionInWords(writes []table.Write) string {
	var words []string
	for _, write := range writes {
		words = append(words, w.itemInWords(write.Ref))
	}
	count := writes[len(writes)-1]
	return strings.Join(words[:len(words)-1], ", ") + " and " + w.writeInWords(count)
}

func rowInWords(item table.Item) string {
	if item == nil {
		return "nothing"
	}
	row := decode("", item)
	return fmt.Sprintf("%s, %d of %d files received, %d counted", row.Status, row.FilesReceived.N, row.FilesSent.N, row.FilesCounted.N)
}
