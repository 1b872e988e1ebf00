package simulation

import (
	"maps"
	"slices"
	"strconv"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/local/pattern"
)

// externalWrite writes a row as other systems do, without a condition. A nil item deletes it.
func (s *schedule) externalWrite(writer, collection string, item table.Item) {
	ref := s.rowRef(collection)
	old := s.item(ref)
	s.log("%s %s: %s → %s", writer, collection, s.describeRow(old), s.describeRow(item))
	s.db.Put(ref, item)
	s.overwritten(collection, s.decodeRow(collection, old), s.decodeRow(collection, item))
	s.rowChanged(ref, old)
}

func (s *schedule) writeStatus(c *collection, writer string, status snapshot.Status) {
	s.writeAs(c, writer, table.Item{"CollectionStatus": c.spell(string(status))})
}

// writeAs changes attributes of an existing row.
func (s *schedule) writeAs(c *collection, who string, attributes table.Item) {
	if item := maps.Clone(s.item(s.rowRef(c.name))); item != nil {
		maps.Copy(item, attributes)
		s.externalWrite(who+" writes", c.name, item)
	}
}

// rowChanged records a write on the export status table and puts it into the stream if a filter passes it.
func (s *schedule) rowChanged(ref table.Ref, old table.Item) {
	now := s.item(ref)
	if row := s.decodeRow(ref.Sort, now); row != nil {
		epoch := s.ledger(ref.Sort).Epoch(*row)
		for _, kind := range snapshot.Notifications {
			if row.Status.AtLeast(kind.Wanted(), s.exempt) {
				s.reached[reached{ref.Sort, epoch, kind.Wanted()}] = true
			}
		}
	}
	change := map[string]any{"Keys": map[string]any{"CorrelationId": map[string]any{"S": ref.Partition},
		"CollectionName": map[string]any{"S": ref.Sort}}}
	event := "MODIFY"
	if now == nil {
		event = "REMOVE"
	} else {
		change["NewImage"] = image(now)
	}
	if old == nil {
		event = "INSERT"
	} else {
		change["OldImage"] = image(old)
	}
	record := map[string]any{"eventSource": "aws:dynamodb", "eventName": event, "dynamodb": change}
	passes := slices.ContainsFunc(s.filters, func(filter pattern.Pattern) bool { return filter.Matches(record) })
	if passes && !s.mutant.noStream {
		s.streamRecords = append(s.streamRecords, encode([]any{record}))
	}
}

// image is a stream image of an item, with the attributes that the filters read.
func image(item table.Item) map[string]any {
	attributes := map[string]any{}
	if status, ok := item["CollectionStatus"].(string); ok {
		attributes["CollectionStatus"] = map[string]any{"S": status}
	}
	if sent, ok := item["FilesSent"].(int64); ok {
		attributes["FilesSent"] = map[string]any{"N": strconv.FormatInt(sent, 10)}
	}
	return attributes
}
