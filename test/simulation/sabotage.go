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

// Sabotage takes guards of the protocol away, one or several at a time, without touching the protocol: at the seam, by
// changing what is written and what is seen. The zero Sabotage takes nothing away.
type Sabotage struct {
	StaleReads       bool // reads are not consistent
	FirstPageOnly    bool // queries end after their first page
	FromTheHintOnly  bool // what is before the hint's collection is taken for done
	NoRowsAreDone    bool // a run without rows is taken for one that is done
	NoSweep          bool
	NotAgain         bool // the messages of an EXPRESS execution that failed do not come again
	NoStream         bool
	IgnoreDuplicates bool // a duplicate is not reconciled
	IgnoreExempt     bool // a collection that is exempt is not gone on with
	IgnoreGone       bool // … nor one whose row is gone

	// Write changes a write before it is carried out, or has it dropped as if it had been.
	Write func(s seam, write *table.Write) (drop bool)
	// Seen changes an item that a task has read, before it sees it. It returns the item to be seen.
	Seen func(s seam, ref table.Ref, item table.Item) table.Item
	// Answered changes what an update returns.
	Answered func(s seam, write table.Write, item table.Item) table.Item

	hinted string // the collection that was last read from
}

// lacking is write without the conditions on these attributes.
func lacking(write *table.Write, attributes ...string) {
	write.If = slices.DeleteFunc(slices.Clone(write.If),
		func(c table.Condition) bool { return slices.Contains(attributes, c.Attribute) })
}

// without is write without its conditions by this operator.
func without(write *table.Write, operator table.Operator) {
	write.If = slices.DeleteFunc(slices.Clone(write.If), func(c table.Condition) bool { return c.Operator == operator })
}

func (s *Sabotage) written(at seam, write table.Write) (table.Write, bool) {
	if s.Write == nil {
		return write, false
	}
	write.Set, write.Add = maps.Clone(write.Set), maps.Clone(write.Add)
	drop := s.Write(at, &write)
	return write, drop
}

func (s *Sabotage) queried(at seam, query table.Query) table.Query {
	whole := query.Consistent && at.task == "check-all"
	query.Consistent = query.Consistent && !s.StaleReads
	if query.From != "" {
		s.hinted = query.From
	}
	if s.FromTheHintOnly && whole {
		query.From = s.hinted
	}
	return query
}

func (s *Sabotage) seen(at seam, ref table.Ref, item table.Item) table.Item {
	if s.Seen == nil {
		return item
	}
	return s.Seen(at, ref, maps.Clone(item))
}

func (s *Sabotage) answered(at seam, write table.Write, item table.Item) table.Item {
	if s.Answered == nil {
		return item
	}
	return s.Answered(at, write, maps.Clone(item))
}

func (s *Sabotage) afterCounting(out increment.Output) []snapshot.CollectionKey {
	if s.IgnoreDuplicates && out.Counted == 0 && out.Duplicates > 0 {
		return nil
	}
	return out.Collections
}

func (s *Sabotage) skipsCheck(out checkcollection.Output) bool {
	return s.IgnoreGone && out.Status == "" || s.IgnoreExempt && out.Status.Is(exemptStatus)
}

// Guard is one guard of the protocol, with what takes it away.
type Guard struct {
	Name  string
	Plan  Plan // the kind of schedule in which it is missed
	Taken func() Sabotage
}

// Without is the plan of schedules in which the guard is missing.
func (g Guard) Without() Plan {
	plan, taken := g.Plan, g.Taken()
	plan.Sabotage = &taken
	return plan
}

var (
	calm     = Plans[0]
	swept    = Plans[1]
	reminded = Plans[2]
)

func onRow(ref table.Ref) bool        { return ref.Table == "status" }
func onPage(ref table.Ref) bool       { return strings.HasPrefix(ref.Sort, "page#") }
func onReceipts(ref table.Ref) bool   { return strings.HasPrefix(ref.Sort, "receipts#") }
func onRun(ref table.Ref) bool        { return ref.Partition == "run" }
func onCollection(ref table.Ref) bool { return ref.Sort == "collection" }

// collectionOf is the name of the collection that an item of the ledger is about.
func collectionOf(ref table.Ref) string {
	return ref.Partition[strings.LastIndex(ref.Partition, "#")+1:]
}

func sets(write *table.Write, attribute string) bool { _, ok := write.Set[attribute]; return ok }

func isMove(write *table.Write) bool { return onRow(write.Ref) && sets(write, "CollectionStatus") }
func isSync(write *table.Write) bool {
	return onRow(write.Ref) && sets(write, "FilesReceived") && !sets(write, "EpochStart")
}
func isCount(write *table.Write) bool { return write.Add["Recent"] != nil }

// outboxPrefixes begin the attributes of what is sent, but for alerts.
var outboxPrefixes = []string{"Request", "AllReceived", "AllSuccessful"}

// changing is a Sabotage that changes writes.
func changing(change func(write *table.Write)) func() Sabotage {
	return func() Sabotage {
		return Sabotage{Write: func(_ seam, write *table.Write) bool { change(write); return false }}
	}
}

// dropping is a Sabotage that drops writes.
func dropping(drop func(write *table.Write) bool) func() Sabotage {
	return func() Sabotage {
		return Sabotage{Write: func(_ seam, write *table.Write) bool { return drop(write) }}
	}
}

// showing is a Sabotage that changes the items that tasks read.
func showing(show func(s seam, ref table.Ref, item table.Item)) func() Sabotage {
	return func() Sabotage {
		return Sabotage{Seen: func(s seam, ref table.Ref, item table.Item) table.Item {
			if item != nil {
				show(s, ref, item)
			}
			return item
		}}
	}
}

func flag(s Sabotage) func() Sabotage { return func() Sabotage { return s } }
