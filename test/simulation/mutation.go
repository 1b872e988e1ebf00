package simulation

import (
	"maps"
	"slices"
	"strings"

	checkcollection "snapshot-status-checker/functions/check-collection"
	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Mutation removes one guard of the protocol. A mutation that breaks no guarantee shows a guard that is unnecessary or
// untested.
type Mutation struct {
	Name   string        // of the guard
	plan   Plan          // the kind of schedule that shows the mutation
	mutant func() mutant // makes one for each schedule
}

// Mutations are all mutations.
var Mutations = slices.Concat(countingMutations, rowMutations, reconcilingMutations, deliveryMutations, runMutations)

// Plan is the plan of the schedules in which the guard is missing.
func (m Mutation) Plan() Plan {
	plan, mutant := m.plan, m.mutant()
	plan.mutant = &mutant
	return plan
}

var calm, swept, redelivered = Plans[0], Plans[1], Plans[2]

// mutant is the protocol without a guard. The code stays: a mutant changes what tasks write and read at the tables. The
// zero mutant changes nothing.
type mutant struct {
	staleReads       bool // reads are not consistent
	firstPageOnly    bool // queries end after their first page
	fromTheHintOnly  bool // collections before the hint's count as done
	noRowsAreDone    bool // a run without rows counts as done
	noSweep          bool
	noRedelivery     bool // the queue does not deliver the messages of a failed EXPRESS execution again
	noStream         bool
	ignoreDuplicates bool // a duplicate reconciles nothing
	ignoreExempt     bool // a collection in an exempt status does not lead to a check of its run
	ignoreGone       bool // a missing row does not lead to a check of its run

	// write changes a write before it takes effect, or skips it and reports success.
	write func(t taskTables, write *table.Write) (skip bool)
	// read changes an item that a task has read, and answer what an update returns.
	read   func(t taskTables, ref table.Ref, item table.Item) table.Item
	answer func(t taskTables, write table.Write, item table.Item) table.Item

	hinted string // the collection from which the last query started
}

func (m *mutant) onWrite(t taskTables, write table.Write) (changed table.Write, skip bool) {
	if m.write == nil {
		return write, false
	}
	write.Set, write.Add, write.If = maps.Clone(write.Set), maps.Clone(write.Add), slices.Clone(write.If)
	skip = m.write(t, &write)
	return write, skip
}

func (m *mutant) onQuery(t taskTables, query table.Query) table.Query {
	whole := query.Consistent && t.task == "check-all"
	query.Consistent = query.Consistent && !m.staleReads
	if query.From != "" {
		m.hinted = query.From
	}
	if m.fromTheHintOnly && whole {
		query.From = m.hinted
	}
	return query
}

func (m *mutant) onPage(t taskTables, query table.Query, page table.Page) table.Page {
	if m.noRowsAreDone && query.After == "" && t.noRows[t.current] && t.task == "check-all" {
		page.Items = []table.Keyed{{Key: table.Key{Partition: query.Partition, Sort: "none"},
			Item: table.Item{"CollectionStatus": "Success"}}}
	}
	if m.firstPageOnly {
		page.Next = ""
	}
	return page
}

func (m *mutant) onRead(t taskTables, ref table.Ref, item table.Item) table.Item {
	if m.read == nil {
		return item
	}
	return m.read(t, ref, maps.Clone(item))
}

func (m *mutant) onAnswer(t taskTables, write table.Write, item table.Item) table.Item {
	if m.answer == nil {
		return item
	}
	return m.answer(t, write, maps.Clone(item))
}

func (m *mutant) toReconcile(out increment.Output) []snapshot.CollectionKey {
	if m.ignoreDuplicates && out.Counted == 0 && out.Duplicates > 0 {
		return nil
	}
	return out.Collections
}

func (m *mutant) skipsCheckAll(out checkcollection.Output) bool {
	return m.ignoreGone && out.Status == "" || m.ignoreExempt && out.Status.Is(exemptStatus)
}

func fixed(m mutant) func() mutant { return func() mutant { return m } }

// changing is a mutant that changes some writes.
func changing(some func(*table.Write) bool, change func(write *table.Write)) func() mutant {
	return fixed(mutant{write: func(_ taskTables, write *table.Write) bool {
		if some(write) {
			change(write)
		}
		return false
	}})
}

// skipping is a mutant that skips some writes.
func skipping(some func(*table.Write) bool) func() mutant {
	return fixed(mutant{write: func(_ taskTables, write *table.Write) bool { return some(write) }})
}

// reading is a mutant that changes some of the items that tasks read.
func reading(some func(table.Ref) bool, change func(t taskTables, ref table.Ref, item table.Item)) func() mutant {
	return fixed(mutant{read: func(t taskTables, ref table.Ref, item table.Item) table.Item {
		if item != nil && some(ref) {
			change(t, ref, item)
		}
		return item
	}})
}

// without is a mutant without the conditions of some writes on these attributes.
func without(some func(*table.Write) bool, attributes ...string) func() mutant {
	return changing(some, func(write *table.Write) { removeConditions(write, attributes...) })
}

// withoutOperator is a mutant without the conditions of some writes by this operator.
func withoutOperator(some func(*table.Write) bool, operator table.Operator) func() mutant {
	return changing(some, func(write *table.Write) {
		write.If = slices.DeleteFunc(write.If, func(c table.Condition) bool { return c.Operator == operator })
	})
}

// unconditional is a mutant without the conditions of some writes.
func unconditional(some func(*table.Write) bool) func() mutant {
	return changing(some, func(write *table.Write) { write.If = nil })
}

func removeConditions(write *table.Write, attributes ...string) {
	write.If = slices.DeleteFunc(write.If,
		func(c table.Condition) bool { return slices.Contains(attributes, c.Attribute) })
}

func isRow(ref table.Ref) bool        { return ref.Table == "status" }
func isPage(ref table.Ref) bool       { return strings.HasPrefix(ref.Sort, "page#") }
func isRun(ref table.Ref) bool        { return ref.Partition == "run" }
func isCollection(ref table.Ref) bool { return ref.Sort == "collection" }
func isOutbox(ref table.Ref) bool     { return isRun(ref) || isCollection(ref) }

// collectionOf is the name of the collection that an item of the ledger is about.
func collectionOf(ref table.Ref) string {
	return ref.Partition[strings.LastIndex(ref.Partition, "#")+1:]
}

func sets(write *table.Write, attribute string) bool { _, ok := write.Set[attribute]; return ok }

func setting(attribute string) func(*table.Write) bool {
	return func(write *table.Write) bool { return sets(write, attribute) }
}

func isRowWrite(write *table.Write) bool { return isRow(write.Ref) }
func isAdoption(write *table.Write) bool { return isRow(write.Ref) && sets(write, "EpochStart") }
func isMove(write *table.Write) bool     { return isRow(write.Ref) && sets(write, "CollectionStatus") }
func isSync(write *table.Write) bool {
	return isRow(write.Ref) && sets(write, "FilesReceived") && !sets(write, "EpochStart")
}
func isCount(write *table.Write) bool    { return write.Add["Recent"] != nil }
func isPageTurn(write *table.Write) bool { return isCollection(write.Ref) && write.Delete != nil }

// outboxPrefixes begin the attributes of outbox entries, apart from alerts.
var outboxPrefixes = []string{"Request", "AllReceived", "AllSuccessful"}
