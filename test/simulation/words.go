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
	case ref.Sort != "collection":
		return ref.Sort + " of " + collection
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
			changes = append(changes, fmt.Sprintf("%s = %s", attribute, valueInWords(write.Set[attribute])))
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(write.Add)) {
		changes = append(changes, fmt.Sprintf("%s + %s", attribute, valueInWords(write.Add[attribute])))
	}
	for _, attribute := range slices.Sorted(maps.Keys(write.Delete)) {
		changes = append(changes, fmt.Sprintf("%s - %s", attribute, valueInWords(write.Delete[attribute])))
	}
	words := w.itemInWords(write.Ref) + ": " + strings.Join(changes, ", ")
	var conditions []string
	for _, c := range write.If {
		switch c.Operator {
		case table.Exists:
			conditions = append(conditions, "it has "+c.Attribute)
		case table.Absent:
			conditions = append(conditions, "it lacks "+c.Attribute)
		case table.AtLeast:
			conditions = append(conditions, fmt.Sprintf("%s is at least %v", c.Attribute, c.Value))
		case table.Below:
			conditions = append(conditions, fmt.Sprintf("%s is below %v", c.Attribute, c.Value))
		case table.ContainsNone:
			conditions = append(conditions, fmt.Sprintf("%s has none of %s", c.Attribute, valueInWords(c.Value)))
		default:
			conditions = append(conditions, fmt.Sprintf("%s is %v", c.Attribute, c.Value))
		}
	}
	if len(conditions) > 0 {
		words += "; if " + strings.Join(conditions, ", ")
	}
	return words
}

func (w *world) rowInWords(item table.Item) string {
	if item == nil {
		return "nothing"
	}
	row := w.decodeRow("", item)
	return fmt.Sprintf("%s, %d of %d files received, epoch from %d, %d synced", row.Status, row.FilesReceived.N,
		row.FilesSent.N,
		row.EpochStart.N, row.SyncedFiles.N)
}

// valueInWords shows digests short.
func valueInWords(value any) string {
	blobs, ok := value.(table.Blobs)
	if !ok {
		return fmt.Sprint(value)
	}
	var short []string
	for _, blob := range blobs {
		short = append(short, fmt.Sprintf("%x", blob[:min(2, len(blob))]))
	}
	return strings.Join(short, " ")
}
