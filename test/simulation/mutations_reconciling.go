package simulation

import (
	"context"
	"maps"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

var reconcilingMutations = []Mutation{
	{"ledger again where the row holds more", calm, func() mutant {
		ledgers, more := map[*actor]table.Item{}, map[*actor]bool{}
		return mutant{read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			a := t.current
			switch {
			case t.task != "check-collection":
			case isRow(ref) && item != nil:
				counted, _ := ledgers[a].Int("Counted")
				row := t.decodeRow(ref.Sort, item)
				more[a] = row.Adopted() && row.Held() > counted
			case isCollection(ref) && more[a]:
				return ledgers[a]
			case isCollection(ref):
				ledgers[a] = item
			}
			return item
		}}
	}},
	{"status in the condition of a move", calm, without(isMove, "CollectionStatus")},
	{"counters and epoch in the condition of a move", calm,
		without(isMove, "FilesSent", "FilesReceived", "EpochStart", "SyncedFiles")},
	{"epoch of a request", calm, reading(isCollection, func(t taskTables, ref table.Ref, item table.Item) {
		if row := t.row(t.find(collectionOf(ref))); row != nil && item.Has("RequestVersion") {
			item["RequestVersion"] = t.ledger(collectionOf(ref)).Epoch(*row)
		}
	})},
	{"request only for collections with files", calm, fixed(mutant{
		read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			if isRow(ref) && t.task == "check-collection" && t.find(ref.Sort).empty {
				if row := t.row(t.find(ref.Sort)); row != nil && row.Status.Is(snapshot.Sent) {
					item["FilesSent"], item["FilesReceived"] = int64(1), int64(1)
				}
			}
			return item
		},
		write: func(t taskTables, write *table.Write) bool {
			if isRow(write.Ref) && t.find(write.Sort).empty {
				removeConditions(write, "FilesSent", "FilesReceived")
			}
			return false
		},
	})},
	{"request before the move", swept, requestAfterMove},
	{"releasing a request that waits for its move", calm, skipping(func(write *table.Write) bool {
		return write.Set["RequestOwner"] == ""
	})},
	{"reconciling a duplicate", redelivered, fixed(mutant{ignoreDuplicates: true})},
	{"reconciling on the stream", calm, fixed(mutant{noStream: true})},
	{"check of the run of a collection that is exempt", calm, fixed(mutant{ignoreExempt: true})},
	{"check of the run of a row that is gone", calm, fixed(mutant{ignoreGone: true})},
	{"reopening", calm, skipping(setting("Generation"))},
	{"notified by the entry", calm, fixed(mutant{
		read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			if t.task == "check-collection" && isRun(ref) {
				delete(item, "AllReceivedVersion")
				delete(item, "AllSuccessfulVersion")
			}
			return item
		},
		write: func(_ taskTables, write *table.Write) bool {
			if sets(write, "Generation") {
				removeConditions(write, "AllReceivedVersion", "AllSuccessfulVersion")
			}
			return false
		},
	})},
	{"run before the ledger in a reopening", calm, func() mutant {
		type read struct {
			run        bool
			collection table.Item
		}
		reads := map[*actor]read{}
		return mutant{read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			if t.task != "check-collection" {
				return item
			}
			last := reads[t.current]
			switch {
			case isRun(ref):
				last.run = true
			case isCollection(ref) && last.run:
				item, last.run = last.collection, false
			case isCollection(ref):
				last.collection = item
			default:
				last.run = false
			}
			reads[t.current] = last
			return item
		}}
	}},
	{"generation of a notification", calm, reading(isRun, func(_ taskTables, _ table.Ref, item table.Item) {
		delete(item, "Generation")
	})},
}

var deliveryMutations = []Mutation{
	{"condition of a request", calm, unconditional(setting("RequestOwner"))},
	{"condition of a notification", calm, unconditional(setting("AllReceivedOwner"))},
	{"lease that ends", swept, reading(isOutbox, func(_ taskTables, _ table.Ref, item table.Item) {
		for _, prefix := range outboxPrefixes {
			if item.Has(prefix + "LeaseUntil") {
				item[prefix+"LeaseUntil"] = int64(1) << 40
			}
		}
	})},
	{"lease that lasts", calm, fixed(mutant{
		read: func(_ taskTables, _ table.Ref, item table.Item) table.Item {
			for _, prefix := range outboxPrefixes {
				delete(item, prefix+"LeaseUntil")
			}
			return item
		},
		write: func(_ taskTables, write *table.Write) bool {
			removeConditions(write, "RequestLeaseUntil", "AllReceivedLeaseUntil", "AllSuccessfulLeaseUntil")
			return false
		},
	})},
	{"own entry after a lost answer", swept, reading(isOutbox, func(t taskTables, _ table.Ref, item table.Item) {
		for _, prefix := range outboxPrefixes {
			if t.task != "notify" && item.Has(prefix+"Owner") && item[prefix+"Owner"] != "" {
				item[prefix+"Owner"] = "another"
			}
		}
	})},
	{"mark of what was delivered", swept, changing(func(*table.Write) bool { return true }, func(write *table.Write) {
		for _, prefix := range outboxPrefixes {
			if write.Set[prefix+"Delivered"] == true {
				write.Set[prefix+"Delivered"] = false
			}
			delete(write.Set, prefix+"Notified")
		}
	})},
	{"no success in the condition of a late alert", swept, without(setting("LateOwner"),
		"AllSuccessfulVersion", "AllSuccessfulOwner", "AllSuccessfulLeaseUntil", "AllSuccessfulDelivered")},
}

var runMutations = []Mutation{
	{"author of the hint", calm, reading(isRun, func(t taskTables, _ table.Ref, item table.Item) {
		for _, prefix := range outboxPrefixes[1:] {
			if t.task == "check-all" && item[prefix+"BlockerSetBy"] != "" {
				item[prefix+"BlockerSetBy"] = "another"
			}
		}
	})},
	{"second read of the hint's row", calm, func() mutant {
		hint := map[*actor]bool{}
		return mutant{answer: func(t taskTables, write table.Write, item table.Item) table.Item {
			hint[t.current] = write.Set["AllReceivedBlocker"] != nil || write.Set["AllSuccessfulBlocker"] != nil
			return item
		}, read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
			if isRow(ref) && hint[t.current] && item != nil {
				item["CollectionStatus"] = "Exporting"
			}
			return item
		}}
	}},
	{"hint's row if nothing was moved", swept, reading(isRow, func(t taskTables, _ table.Ref, item table.Item) {
		if t.task == "check-all" {
			item["CollectionStatus"] = "Exporting"
		}
	})},
	{"full read before a notification", calm, fixed(mutant{fromTheHintOnly: true})},
	{"a run without rows", calm, fixed(mutant{noRowsAreDone: true})},
	{"consistent reads", calm, fixed(mutant{staleReads: true})},
	{"all pages", calm, fixed(mutant{firstPageOnly: true})},
	{"taking up a run that was ended by hand", swept, reading(isRun, func(t taskTables, _ table.Ref, item table.Item) {
		if at, _ := item.Int("ByHandAt"); t.task == "sweep" && at != 0 {
			item["Abandoned"] = true
		}
	})},
	{"sweep", swept, fixed(mutant{noSweep: true})},
	{"redelivery of messages after EXPRESS failed", swept, fixed(mutant{noRedelivery: true})},
}

// requestAfterMove delays the write of a request until its owner has moved the row. Until then only the owner sees the
// request. If the owner dies after the move, there is no request.
func requestAfterMove() mutant {
	delayed, moved := map[*actor]table.Write{}, map[*actor]bool{}
	apply := func(t taskTables) {
		if write, ok := delayed[t.current]; ok && moved[t.current] {
			_, _ = t.db.Update(context.Background(), write) // refused if another was faster
			delete(delayed, t.current)
		}
	}
	return mutant{write: func(t taskTables, write *table.Write) bool {
		apply(t)
		if isMove(write) {
			moved[t.current] = true
		}
		if owner := write.Set["RequestOwner"]; owner == nil || owner == "" {
			return false
		}
		row := t.row(t.find(collectionOf(write.Ref)))
		if row == nil || !row.Status.Is(snapshot.Sent) {
			return false
		}
		delayed[t.current], moved[t.current] = *write, false
		return true
	}, read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
		apply(t)
		write, ok := delayed[t.current]
		if !ok || ref != write.Ref {
			return item
		}
		if item == nil {
			item = table.Item{}
		}
		maps.Copy(item, write.Set)
		return item
	}}
}
