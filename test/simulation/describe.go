package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"snapshot-status-checker/internal/table"
)

// The history of a schedule is in plain English.

func (s *schedule) describeItem(ref table.Ref) string {
	switch {
	case isRow(ref):
		return "the row of " + ref.Sort
	case isRun(ref):
		return "the ledger's run"
	case !isCollection(ref):
		return ref.Sort + " of " + collectionOf(ref)
	default:
		return "the ledger's " + collectionOf(ref)
	}
}

func (s *schedule) describeReads(reads []table.Read) string {
	var words []string
	for _, read := range reads {
		words = append(words, s.describeItem(read.Ref))
	}
	return strings.Join(words, ", ")
}

// conditions say what a condition's attribute must be or have.
var conditions = map[table.Operator]string{
	table.Equals:          "%[1]s is %[2]v",
	table.EqualsAttribute: "%[1]s is %[2]v",
	table.Exists:          "it has %[1]s",
	table.Absent:          "it lacks %[1]s",
	table.AtLeast:         "%[1]s is at least %[2]v",
	table.Below:           "%[1]s is below %[2]v",
	table.ContainsNone:    "%[1]s has none of %[2]v",
}

func (s *schedule) describeWrite(write table.Write) string {
	changes := append(describeChanges("=", write.Set), describeChanges("+", write.Add)...)
	changes = append(changes, describeChanges("-", write.Delete)...)
	words := s.describeItem(write.Ref) + ": " + strings.Join(changes, ", ")
	for i, c := range write.If {
		words += []string{"; if ", ", "}[min(i, 1)] + fmt.Sprintf(conditions[c.Operator], c.Attribute, shortened(c.Value))
	}
	return words
}

func describeChanges[Value any](sign string, values map[string]Value) (changes []string) {
	for _, attribute := range slices.Sorted(maps.Keys(values)) {
		if attribute != "ExpiresAt" {
			changes = append(changes, fmt.Sprintf("%s %s %v", attribute, sign, shortened(values[attribute])))
		}
	}
	return changes
}

func (s *schedule) describeRow(item table.Item) string {
	if item == nil {
		return "nothing"
	}
	row := s.decodeRow("", item)
	return fmt.Sprintf("%s, %d of %d files received, epoch from %d, %d synced", row.Status, row.FilesReceived.N,
		row.FilesSent.N, row.EpochStart.N, row.SyncedFiles.N)
}

// shortened shortens digests.
func shortened(value any) any {
	blobs, ok := value.(table.Blobs)
	if !ok {
		return value
	}
	var short []string
	for _, blob := range blobs {
		short = append(short, fmt.Sprintf("%x", blob[:min(2, len(blob))]))
	}
	return strings.Join(short, " ")
}
