package simulation

import (
	"slices"

	"snapshot-status-checker/internal/table"
)

var countingMutations = []Mutation{
	{"digests in the condition of a count", calm, withoutOperator(isCount, table.ContainsNone)},
	{"files in the condition of a count", calm, fixed(mutant{write: func(t taskTables, write *table.Write) bool {
		for i, c := range write.If {
			if c.Operator == table.ContainsNone {
				write.If[i].Value = withReceipts(t, write)
			}
		}
		return false
	}})},
	{"files in a count", calm, fixed(mutant{write: func(t taskTables, write *table.Write) bool {
		if isCount(write) {
			write.Add["Recent"] = withReceipts(t, write)
		}
		return false
	}})},
	{"pages in the condition of a count", calm, without(isCount, "Pages")},
	{"floor of a count", swept, without(isCount, "Counted")},
	{"page before its digests are taken out", calm, func() mutant {
		digests := map[*actor]any{}
		return mutant{write: func(t taskTables, write *table.Write) bool {
			if isPage(write.Ref) {
				digests[t.current], write.Set["Digests"] = write.Set["Digests"], table.NewBlobs("none")
			}
			return false
		}, answer: func(t taskTables, write table.Write, item table.Item) table.Item {
			if isPage(write.Ref) {
				item["Digests"] = digests[t.current]
			}
			return item
		}}
	}},
	{"page's number in the condition of taking its digests out", calm, without(isPageTurn, "Pages")},
	{"receipts before a count", calm, skipping(setting("Messages"))},
	{"success epochs as a set", calm, changing(isCount, func(write *table.Write) {
		if epochs := write.Add["SuccessEpochs"]; epochs != nil {
			delete(write.Add, "SuccessEpochs")
			write.Set["SuccessEpochs"] = epochs
		}
	})},
	{"success epochs", calm, changing(isCount, func(write *table.Write) { delete(write.Add, "SuccessEpochs") })},
	{"epoch of a success file", calm, reading(isCollection, func(t taskTables, ref table.Ref, item table.Item) {
		if row := t.row(t.find(collectionOf(ref))); row != nil && item.Has("SuccessEpochs") {
			item["SuccessEpochs"] = table.NewInts(t.ledger(collectionOf(ref)).Epoch(*row))
		}
	})},
	{"registration of a run", calm, changing(
		func(write *table.Write) bool { return isRun(write.Ref) && write.SetOnce != nil },
		func(write *table.Write) { write.Sort = "elsewhere" })},
}

var rowMutations = []Mutation{
	{"condition that the row exists", calm,
		without(isRowWrite, "CorrelationId", "FilesReceived", "SyncedFiles", "EpochStart")},
	{"SyncedFiles in the condition of a sync", calm, withoutOperator(isSync, table.EqualsAttribute)},
	{"syncing upwards only", calm, withoutOperator(isSync, table.Below)},
	{"epoch in the condition of a sync", calm, without(isSync, "EpochStart")},
	{"maximum where others set the counter", swept, func() mutant {
		counted := map[*actor]int64{}
		return mutant{answer: func(t taskTables, write table.Write, item table.Item) table.Item {
			if isCollection(write.Ref) {
				counted[t.current], _ = item.Int("Counted")
			}
			return item
		}, write: func(t taskTables, write *table.Write) bool {
			if n, ok := counted[t.current]; ok && isAdoption(write) && sets(write, "FilesReceived") {
				received := n - write.Set["EpochStart"].(int64)
				write.Set["FilesReceived"], write.Set["SyncedFiles"] = received, received
			}
			return false
		}}
	}},
	{"adoption at the ledger's count", calm, fixed(mutant{write: func(t taskTables, write *table.Write) bool {
		if isAdoption(write) && !t.item(write.Ref).Has("EpochStart") {
			write.Set["EpochStart"] = -write.Set["SyncedFiles"].(int64)
		}
		return false
	}})},
	{"mark in the condition of an adoption", calm, changing(isAdoption, func(write *table.Write) {
		write.If = slices.DeleteFunc(write.If, func(c table.Condition) bool {
			_, mark := c.Value.(string)
			return c.Attribute == "SyncedFiles" && mark
		})
	})},
	{"conditions of an adoption", calm, without(isAdoption, "EpochStart", "SyncedFiles", "FilesReceived")},
	{"ledger after the row in an adoption", calm, func() mutant {
		before := map[table.Ref]table.Item{} // the ledger as it was when the row was read
		return mutant{read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			if t.task != "increment" {
				return item
			}
			if isRow(ref) {
				collection := t.collectionRef(ref.Sort)
				if _, known := before[collection]; !known {
					before[collection] = t.item(collection)
				}
			}
			if old, known := before[ref]; known {
				return old
			}
			return item
		}}
	}},
}

// withReceipts is the digests that a count adds for its messages, without those for their files.
func withReceipts(t taskTables, write *table.Write) table.Blobs {
	var messages []string
	for _, digest := range write.Add["Recent"].(table.Blobs) {
		if t.inLedger(write.Partition, "receipts#", digest) {
			messages = append(messages, digest)
		}
	}
	return table.NewBlobs(messages...)
}
