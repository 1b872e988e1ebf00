package simulation

import (
	"context"
	"maps"
	"slices"
	"strings"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Sabotage takes guards of the protocol away, one or several at a time, without touching the protocol: at the
// seam, by changing what is written and what is seen. The zero Sabotage takes nothing away.
type Sabotage struct {
	StaleReads       bool // reads are not consistent
	FirstPageOnly    bool // queries end after their first page
	FromTheWatchOnly bool // what is before the watched collection is taken for done
	NoSweep          bool
	NotAgain         bool // the messages of an EXPRESS execution that failed do not come again
	NoStream         bool
	IgnoreDuplicates bool // a duplicate is not looked at
	LateMemory       bool // a success file is remembered after its look instead of before
	IgnoreDigest     bool // an identity that comes again with another body is taken for a duplicate

	// Write changes a write before it is carried out.
	Write func(w *world, write *table.Write)
	// Seen changes an item that a task has read, before it sees it.
	Seen func(w *world, ref table.Ref, item table.Item)

	withheld []table.Write // memories of success files that come late
	watched  string        // the collection that was last read from
}

// lacking is write without the conditions on these attributes.
func lacking(write *table.Write, attributes ...string) {
	write.If = slices.DeleteFunc(slices.Clone(write.If), func(c table.Condition) bool { return slices.Contains(attributes, c.Attribute) })
}

func (s *Sabotage) written(w *world, write table.Write) table.Write {
	if memory, ok := write.Set["SuccessAttempt"]; ok && s.LateMemory {
		s.withheld = append(s.withheld, table.Write{Ref: write.Ref, Set: map[string]any{"SuccessAttempt": memory}})
		write.Set = maps.Clone(write.Set)
		delete(write.Set, "SuccessAttempt")
	}
	if s.Write != nil {
		write.Set = maps.Clone(write.Set)
		s.Write(w, &write)
	}
	return write
}

func (s *Sabotage) queried(query table.Query) table.Query {
	query.Consistent = query.Consistent && !s.StaleReads
	if query.From != "" {
		s.watched = query.From
	}
	if s.FromTheWatchOnly && query.Limit > 0 {
		query.From = s.watched
	}
	return query
}

func (s *Sabotage) seen(w *world, ref table.Ref, item table.Item) table.Item {
	if s.Seen != nil && item != nil {
		item = maps.Clone(item)
		s.Seen(w, ref, item)
	}
	return item
}

func (s *Sabotage) afterCounting(out increment.Output) []snapshot.CollectionKey {
	if s.IgnoreDuplicates && out.Counted == 0 {
		return nil
	}
	return out.Collections
}

func (s *Sabotage) afterLook(w *world) {
	for _, write := range s.withheld {
		if _, err := w.db.Update(context.Background(), write); err != nil {
			panic(err)
		}
	}
	s.withheld = nil
}

// Guard is one guard of the protocol, with what takes it away.
type Guard struct {
	Name  string
	Plan  Plan // the kind of schedule in which it is missed
	Taken Sabotage
}

// Without is the plan of schedules in which the guard is missing.
func (g Guard) Without() Plan {
	plan, taken := g.Plan, g.Taken
	plan.Sabotage = &taken
	return plan
}

var (
	calm     = Plans[0]
	swept    = Plans[1]
	reminded = Plans[2]
)

func onRow(ref table.Ref) bool    { return ref.Table == "status" }
func onMarker(ref table.Ref) bool { return strings.HasPrefix(ref.Sort, "marker#") }
func isMove(write *table.Write) bool {
	_, moves := write.Set["CollectionStatus"]
	return onRow(write.Ref) && moves
}
func isProjection(write *table.Write) bool { return onRow(write.Ref) && write.Add != nil }

// readerIsIgnored lets everybody who asks read on.
func readerIsIgnored(write *table.Write) {
	if reader := write.SetOnce["Reader"]; reader != nil {
		write.Set, write.SetOnce = write.SetOnce, nil
	}
	lacking(write, "Reader")
}

func isClaim(write *table.Write, prefix string) bool {
	_, claims := write.Set[prefix+"ClaimedBy"]
	return claims
}

// Guards lists the guards. A test takes each away and wants a guarantee to break.
var Guards = []Guard{
	{"marker condition", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if onMarker(write.Ref) {
			write.If = nil
		}
	}}},
	{"condition on FilesCounted", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if isProjection(write) {
			lacking(write, "FilesCounted")
		}
	}}},
	{"condition that the row exists", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if onRow(write.Ref) {
			lacking(write, "CorrelationId")
		}
	}}},
	{"status condition", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if isMove(write) {
			lacking(write, "CollectionStatus")
		}
	}}},
	// Taken away alone, each of the three is missed too rarely: TestMoveHoldsNothingThatChanged and the test after it, in
	// package store, miss each.
	{"counters and attempt in the conditions of a move", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if isMove(write) {
			lacking(write, "FilesSent", "FilesReceived", "FilesCounted")
		}
	}}},
	{"attempt in the key of a request", calm, Sabotage{Seen: func(w *world, ref table.Ref, item table.Item) {
		if ref.Sort == "collection" && item.Has("RequestAttempt") {
			item["RequestAttempt"] = w.row(w.find(ref.Partition[strings.LastIndex(ref.Partition, "#")+1:])).Attempt()
		}
	}}},
	{"sum of attempts in the news claim", calm, Sabotage{Seen: func(w *world, ref table.Ref, item table.Item) {
		if ref.Partition == "run" && item.Has("AllReceivedAttempt") {
			sum := int64(0)
			for _, c := range w.collections {
				sum += w.row(c).Attempt()
			}
			item["AllReceivedAttempt"] = sum
		}
	}}},
	{"request claim", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if isClaim(write, "Request") {
			write.If = nil
		}
	}}},
	{"news claim, and the one reader before it", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if isClaim(write, "AllReceived") {
			write.If = nil
		}
		readerIsIgnored(write)
	}}},
	{"question on a new attempt", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if write.Add["Asked"].N > 0 {
			write.Add = nil
		}
	}}},
	{"look at the watched collection if others came", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if write.Add["Turns"].N > 0 {
			write.Add = nil
		}
	}}},
	{"reader's lease that ends", swept, Sabotage{Write: func(_ *world, write *table.Write) {
		if write.SetOnce["Reader"] != nil {
			write.SetOnce = map[string]any{"Reader": write.SetOnce["Reader"], "ReaderUntil": int64(1) << 40}
		}
	}}},
	{"whole reading before news", calm, Sabotage{FromTheWatchOnly: true}},
	{"lease that ends", swept, Sabotage{Seen: func(_ *world, _ table.Ref, item table.Item) {
		for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful"} {
			if item.Has(prefix + "ClaimedUntil") {
				item[prefix+"ClaimedUntil"] = int64(1) << 40
			}
		}
	}}},
	{"lease that lasts", calm, Sabotage{Seen: func(_ *world, _ table.Ref, item table.Item) {
		for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful"} {
			delete(item, prefix+"ClaimedUntil")
		}
	}, Write: func(_ *world, write *table.Write) {
		lacking(write, "RequestClaimedUntil", "AllReceivedClaimedUntil", "AllSuccessfulClaimedUntil")
	}}},
	{"look at a duplicate", reminded, Sabotage{IgnoreDuplicates: true}},
	{"look on the stream", calm, Sabotage{NoStream: true}},
	{"memory of an early success", calm, Sabotage{Write: func(_ *world, write *table.Write) { delete(write.Set, "SuccessAttempt") }}},
	{"memory of a success before the look", calm, Sabotage{LateMemory: true}},
	{"attempt in the memory of a success", calm, Sabotage{Seen: func(w *world, ref table.Ref, item table.Item) {
		if ref.Sort == "collection" && item.Has("SuccessAttempt") {
			item["SuccessAttempt"] = w.row(w.find(ref.Partition[strings.LastIndex(ref.Partition, "#")+1:])).Attempt()
		}
	}}},
	{"memory that a row was brought up to date once", calm, Sabotage{Write: func(_ *world, write *table.Write) { delete(write.Set, "Projected") }}},
	{"digest in a marker", calm, Sabotage{IgnoreDigest: true}},
	{"registration of a run", calm, Sabotage{Write: func(_ *world, write *table.Write) {
		if write.Partition == "run" && write.SetOnce != nil {
			write.Sort = "elsewhere"
		}
	}}},
	{"mark of a delivered debt", swept, Sabotage{Write: func(_ *world, write *table.Write) {
		for _, prefix := range []string{"Request", "AllReceived", "AllSuccessful"} {
			if write.Set[prefix+"Delivered"] == true {
				write.Set[prefix+"Delivered"] = false
			}
		}
	}}},
	{"messages that come again after EXPRESS failed", swept, Sabotage{NotAgain: true}},
	{"consistent read", calm, Sabotage{StaleReads: true}},
	{"paging", calm, Sabotage{FirstPageOnly: true}},
	{"sweep", swept, Sabotage{NoSweep: true}},
}
