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
	collection := ref.Partition[strings.LastIndex(ref.Partition, "#")+1:]
	switch {
	case ref.Table == s.tables.Status.Table:
		return "the row of " + ref.Sort
	case ref.Partition == "run":
		return "the ledger's run"
	case ref.Sort != "collection":
		return ref.Sort + " of " + collection
	default:
		return "the ledger's " + collection
	}
}

func (s *schedule) describeReads(reads []table.Read) string {
	var words []string
	for _, read := range reads {
		words = append(words, s.describeItem(read.Ref))
	}
	return strings.Join(words, ", ")
}

func (s *schedule) describeWrite(write table.Write) string {
	var changes []string
	for _, attribute := range slices.Sorted(maps.Keys(write.Set)) {
		if attribute != "ExpiresAt" {
			changes = append(changes, fmt.Sprintf("%s = %s", attribute, describeValue(write.Set[attribute])))
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(write.Add)) {
		changes = append(changes, fmt.Sprintf("%s + %s", attribute, describeValue(write.Add[attribute])))
	}
	for _, attribute := range slices.Sorted(maps.Keys(write.Delete)) {
		changes = append(changes, fmt.Sprintf("%s - %s", attribute, describeValue(write.Delete[attribute])))
	}
	words := s.describeItem(write.Ref) + ": " + strings.Join(changes, ", ")
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
			conditions = append(conditions, fmt.Sprintf("%s has none of %s", c.Attribute, describeValue(c.Value)))
		default:
			conditions = append(conditions, fmt.Sprintf("%s is %v", c.Attribute, c.Value))
		}
	}
	if len(conditions) > 0 {
		words += "; if " + strings.Join(conditions, ", ")
	}
	return words
}

func (s *schedule) describeRow(item table.Item) string {
	if item == nil {
		return "nothing"
	}
	row := s.decodeRow("", item)
	return fmt.Sprintf("%s, %d of %d files received, epoch from %d, %d synced", row.Status, row.FilesReceived.N,
		row.FilesSent.N,
		row.EpochStart.N, row.SyncedFiles.N)
}

// describeValue shortens digests.
func describeValue(value any) string {
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
