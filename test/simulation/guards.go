package simulation

import (
	"context"
	"maps"
	"slices"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Guards lists the guards. A test takes each away and wants a guarantee to break.
var Guards = []Guard{
	// counting
	{"digests in the condition of a count", calm, changing(func(write *table.Write) {
		if isCount(write) {
			without(write, table.ContainsNone)
		}
	})},
	{"pages in the condition of a count", calm, changing(func(write *table.Write) {
		if isCount(write) {
			lacking(write, "Pages")
		}
	})},
	{"floor of a count", swept, changing(func(write *table.Write) {
		if isCount(write) {
			lacking(write, "Counted")
		}
	})},
	{"page before its digests are taken out", calm, func() Sabotage {
		digests := map[*actor]any{}
		return Sabotage{Write: func(s seam, write *table.Write) bool {
			if onPage(write.Ref) {
				digests[s.current], write.Set["Digests"] = write.Set["Digests"], table.NewBlobs("none")
			}
			return false
		}, Answered: func(s seam, write table.Write, item table.Item) table.Item {
			if onPage(write.Ref) {
				item["Digests"] = digests[s.current]
			}
			return item
		}}
	}},
	{"page's number in the condition of taking its digests out", calm, changing(func(write *table.Write) {
		if onCollection(write.Ref) && write.Delete != nil {
			lacking(write, "Pages")
		}
	})},
	{"receipts before a count", calm, dropping(func(write *table.Write) bool { return onReceipts(write.Ref) })},
	{"success epochs as a set", calm, changing(func(write *table.Write) {
		if epochs := write.Add["SuccessEpochs"]; epochs != nil {
			delete(write.Add, "SuccessEpochs")
			write.Set["SuccessEpochs"] = epochs
		}
	})},
	{"success epochs", calm, changing(func(write *table.Write) { delete(write.Add, "SuccessEpochs") })},
	{"epoch of a success file", calm, showing(func(s seam, ref table.Ref, item table.Item) {
		if onCollection(ref) && item.Has("SuccessEpochs") {
			if row := s.row(s.find(collectionOf(ref))); row != nil {
				item["SuccessEpochs"] = table.NewInts(s.ledger(collectionOf(ref)).Epoch(*row))
			}
		}
	})},
	{"registration of a run", calm, changing(func(write *table.Write) {
		if onRun(write.Ref) && write.SetOnce != nil {
			write.Sort = "elsewhere"
		}
	})},

	// rows
	{"condition that the row exists", calm, changing(func(write *table.Write) {
		if onRow(write.Ref) {
			lacking(write, "CorrelationId", "FilesReceived", "SyncedFiles", "EpochStart")
		}
	})},
	{"mirror in the condition of a sync", calm, changing(func(write *table.Write) {
		if isSync(write) {
			without(write, table.EqualsAttribute)
		}
	})},
	{"syncing upwards only", calm, changing(func(write *table.Write) {
		if isSync(write) {
			without(write, table.Below)
		}
	})},
	{"epoch in the condition of a sync", calm, changing(func(write *table.Write) {
		if isSync(write) {
			lacking(write, "EpochStart")
		}
	})},
	{"maximum where others set the counter", swept, func() Sabotage {
		counted := map[*actor]int64{}
		return Sabotage{Answered: func(s seam, write table.Write, item table.Item) table.Item {
			if onCollection(write.Ref) {
				counted[s.current], _ = item.Int("Counted")
			}
			return item
		}, Write: func(s seam, write *table.Write) bool {
			if n, ok := counted[s.current]; ok && onRow(write.Ref) && sets(write, "EpochStart") &&
				sets(write, "FilesReceived") {
				received := n - write.Set["EpochStart"].(int64)
				write.Set["FilesReceived"], write.Set["SyncedFiles"] = received, received
			}
			return false
		}}
	}},
	{"adoption at the ledger's count", calm, func() Sabotage {
		return Sabotage{Write: func(s seam, write *table.Write) bool {
			if onRow(write.Ref) && sets(write, "EpochStart") && !s.item(write.Ref).Has("EpochStart") {
				write.Set["EpochStart"] = -write.Set["SyncedFiles"].(int64)
			}
			return false
		}}
	}},
	{"mark in the condition of an adoption", calm, changing(func(write *table.Write) {
		if onRow(write.Ref) && sets(write, "EpochStart") {
			write.If = slices.DeleteFunc(slices.Clone(write.If), func(c table.Condition) bool {
				_, mark := c.Value.(string)
				return c.Attribute == "SyncedFiles" && mark
			})
		}
	})},
	{"conditions of an adoption", calm, changing(func(write *table.Write) {
		if onRow(write.Ref) && sets(write, "EpochStart") {
			lacking(write, "EpochStart", "SyncedFiles", "FilesReceived")
		}
	})},
	{"ledger after the row in an adoption", calm, func() Sabotage {
		before := map[table.Ref]table.Item{} // the ledger as it was when the row was read
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if s.task != "increment" {
				return item
			}
			if onRow(ref) {
				collection := s.collectionRef(ref.Sort)
				if _, known := before[collection]; !known {
					before[collection] = s.item(collection)
				}
			}
			if old, known := before[ref]; known {
				return old
			}
			return item
		}}
	}},

	// reconciling
	{"ledger again where the row holds more", calm, func() Sabotage {
		ledgers, more := map[*actor]table.Item{}, map[*actor]bool{}
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			a := s.current
			switch {
			case s.task != "check-collection":
			case onRow(ref) && item != nil:
				counted, _ := ledgers[a].Int("Counted")
				row := s.decodeRow(ref.Sort, item)
				more[a] = row.Adopted() && row.Held() > counted
			case onCollection(ref) && more[a]:
				return ledgers[a]
			case onCollection(ref):
				ledgers[a] = item
			}
			return item
		}}
	}},
	{"status in the condition of a move", calm, changing(func(write *table.Write) {
		if isMove(write) {
			lacking(write, "CollectionStatus")
		}
	})},
	{"counters and epoch in the condition of a move", calm, changing(func(write *table.Write) {
		if isMove(write) {
			lacking(write, "FilesSent", "FilesReceived", "EpochStart", "SyncedFiles")
		}
	})},
	{"epoch of a request", calm, showing(func(s seam, ref table.Ref, item table.Item) {
		if onCollection(ref) && item.Has("RequestVersion") {
			if row := s.row(s.find(collectionOf(ref))); row != nil {
				item["RequestVersion"] = s.ledger(collectionOf(ref)).Epoch(*row)
			}
		}
	})},
	{"request only for collections with files", calm, func() Sabotage {
		empty := func(s seam, name string) bool {
			c := s.find(name)
			row := s.row(c)
			return s.task == "check-collection" && c.empty && row != nil && row.Status.Is(snapshot.Sent)
		}
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if onRow(ref) && empty(s, ref.Sort) {
				item["FilesSent"], item["FilesReceived"] = int64(1), int64(1)
			}
			return item
		}, Write: func(s seam, write *table.Write) bool {
			if onRow(write.Ref) && s.find(write.Sort).empty {
				lacking(write, "FilesSent", "FilesReceived")
			}
			return false
		}}
	}},
	{"request before the move", swept, requestAfterMove},
	{"giving up the lease of a request that waits for its move", calm, dropping(func(write *table.Write) bool {
		return write.Set["RequestOwner"] == ""
	})},
	{"reconciling a duplicate", reminded, flag(Sabotage{IgnoreDuplicates: true})},
	{"reconciling on the stream", calm, flag(Sabotage{NoStream: true})},
	{"check of the run of a collection that is exempt", calm, flag(Sabotage{IgnoreExempt: true})},
	{"check of the run of a row that is gone", calm, flag(Sabotage{IgnoreGone: true})},

	// reopening
	{"reopening", calm, dropping(func(write *table.Write) bool {
		return onRun(write.Ref) &&
			sets(write, "Generation")
	})},
	{"notified by the entry", calm, func() Sabotage {
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if s.task == "check-collection" && onRun(ref) {
				delete(item, "AllReceivedVersion")
				delete(item, "AllSuccessfulVersion")
			}
			return item
		}, Write: func(s seam, write *table.Write) bool {
			if onRun(write.Ref) && sets(write, "Generation") {
				lacking(write, "AllReceivedVersion", "AllSuccessfulVersion")
			}
			return false
		}}
	}},
	{"run before the ledger in a reopening", calm, func() Sabotage {
		type read struct {
			run        bool
			collection table.Item
		}
		reads := map[*actor]read{}
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if s.task != "check-collection" {
				return item
			}
			last := reads[s.current]
			switch {
			case onRun(ref):
				last.run = true
			case onCollection(ref) && last.run:
				item, last.run = last.collection, false
			case onCollection(ref):
				last.collection = item
			default:
				last.run = false
			}
			reads[s.current] = last
			return item
		}}
	}},
	{"generation of a notification", calm, showing(func(_ seam, ref table.Ref, item table.Item) {
		if onRun(ref) {
			delete(item, "Generation")
		}
	})},

	// outbox
	{"condition of a request", calm, changing(func(write *table.Write) {
		if sets(write, "RequestOwner") {
			write.If = nil
		}
	})},
	{"condition of a notification", calm, changing(func(write *table.Write) {
		if sets(write, "AllReceivedOwner") {
			write.If = nil
		}
	})},
	{"lease that ends", swept, showing(func(_ seam, _ table.Ref, item table.Item) {
		for _, prefix := range outboxPrefixes {
			if item.Has(prefix + "LeaseUntil") {
				item[prefix+"LeaseUntil"] = int64(1) << 40
			}
		}
	})},
	{"lease that lasts", calm, func() Sabotage {
		return Sabotage{Seen: func(_ seam, _ table.Ref, item table.Item) table.Item {
			for _, prefix := range outboxPrefixes {
				delete(item, prefix+"LeaseUntil")
			}
			return item
		}, Write: func(_ seam, write *table.Write) bool {
			lacking(write, "RequestLeaseUntil", "AllReceivedLeaseUntil", "AllSuccessfulLeaseUntil")
			return false
		}}
	}},
	{"own entry after a lost answer", swept, showing(func(s seam, _ table.Ref, item table.Item) {
		for _, prefix := range outboxPrefixes {
			if s.task != "notify" && item.Has(prefix+"Owner") && item[prefix+"Owner"] != "" {
				item[prefix+"Owner"] = "another"
			}
		}
	})},
	{"mark of what was delivered", swept, changing(func(write *table.Write) {
		for _, prefix := range outboxPrefixes {
			if write.Set[prefix+"Delivered"] == true {
				write.Set[prefix+"Delivered"] = false
			}
			delete(write.Set, prefix+"Notified")
		}
	})},

	// runs
	{"author of the hint", calm, showing(func(s seam, ref table.Ref, item table.Item) {
		if onRun(ref) && s.task == "check-all" {
			for _, prefix := range outboxPrefixes[1:] {
				if item[prefix+"BlockerSetBy"] != "" {
					item[prefix+"BlockerSetBy"] = "another"
				}
			}
		}
	})},
	{"second read of the hint's row", calm, func() Sabotage {
		hint := map[*actor]bool{}
		return Sabotage{Answered: func(s seam, write table.Write, item table.Item) table.Item {
			hint[s.current] = write.Set["AllReceivedBlocker"] != nil || write.Set["AllSuccessfulBlocker"] != nil
			return item
		}, Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if onRow(ref) && hint[s.current] && item != nil {
				item["CollectionStatus"] = "Exporting"
			}
			return item
		}}
	}},
	{"hint's row if nothing was moved", swept, func() Sabotage {
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if onRow(ref) && s.task == "check-all" && item != nil {
				item["CollectionStatus"] = "Exporting"
			}
			return item
		}}
	}},
	{"whole reading before a notification", calm, flag(Sabotage{FromTheHintOnly: true})},
	{"a run without rows", calm, flag(Sabotage{NoRowsAreDone: true})},
	{"consistent reads", calm, flag(Sabotage{StaleReads: true})},
	{"all pages", calm, flag(Sabotage{FirstPageOnly: true})},
	{"sweep", swept, flag(Sabotage{NoSweep: true})},
	{"messages that come again after EXPRESS failed", swept, flag(Sabotage{NotAgain: true})},
}

// requestAfterMove holds a request back until its owner has moved the row, and shows it to the owner meanwhile. If that
// dies after the move, there is no request.
func requestAfterMove() Sabotage {
	held, moved := map[*actor]table.Write{}, map[*actor]bool{}
	apply := func(s seam) {
		if write, ok := held[s.current]; ok && moved[s.current] {
			_, _ = s.db.Update(context.Background(), write) // refused if another was faster
			delete(held, s.current)
		}
	}
	return Sabotage{Write: func(s seam, write *table.Write) bool {
		apply(s)
		if isMove(write) {
			moved[s.current] = true
		}
		if owner := write.Set["RequestOwner"]; owner == nil || owner == "" {
			return false
		}
		row := s.row(s.find(collectionOf(write.Ref)))
		if row == nil || !row.Status.Is(snapshot.Sent) {
			return false
		}
		held[s.current], moved[s.current] = *write, false
		return true
	}, Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
		apply(s)
		write, ok := held[s.current]
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
