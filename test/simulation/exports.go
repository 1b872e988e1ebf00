package simulation

import (
	"fmt"
	"maps"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// export is what exporter, sender and receiver do for one export of a collection.
func (s *schedule) export(c *collection) []chain {
	taken := c.lostCounts
	if c.lostCounts = 0; taken == 0 {
		c.arrived = map[string]bool{}
	}
	for _, file := range c.late {
		c.arrived[file] = true
	}
	if c.cameAgain { // a message of an earlier export may be late, and counts for this one
		c.arrived[s.fileName(c, 0)] = true
	}
	c.success, c.files, c.countedElsewhere = false, 0, 0
	becomes := func(who string, status snapshot.Status) func() {
		return func() { s.writeStatus(c, who, status) }
	}
	switch {
	case c.neverFinishes && s.chance(0.5):
		return []chain{{becomes("exporter", exemptStatus)}}
	case c.neverFinishes:
		return nil // secondExports exempts it later
	case c.empty:
		return []chain{{becomes("sender", snapshot.Sent), becomes("sender", snapshot.Received)}}
	}
	c.files = max(1, taken) + s.random.IntN(4)
	if c == s.collections[0] && c.files == taken {
		c.files++ // without a message the run would not be registered
	}
	sender := s.countByPredecessor(c, taken)
	var chains []chain
	for i := range c.files {
		sender = append(sender, func() { s.writeAs(c, "sender", table.Item{"FilesSent": s.row(c).FilesSent.N + 1}) })
		if i < c.countedElsewhere {
			continue
		}
		chains = append(chains, s.fileArrives(c, i))
	}
	sent := becomes("sender", snapshot.Sent)
	if sender = append(sender, sent); s.chance(0.3) {
		sender = append(sender, sent)
	}
	if s.chance(0.15) {
		export := c.export
		sender = append(sender, func() {
			if c.export == export {
				s.addFileAfterSent(c)
			}
		})
	}
	return append(chains, sender)
}

// fileArrives delivers the file once or twice, sometimes under the previous file's identity: it must count then, too.
func (s *schedule) fileArrives(c *collection, i int) chain {
	id, name := fmt.Sprintf("%s-%d-%d", c.name, c.export, i), s.fileName(c, i)
	file := fileMessage(c, id, name, "")
	if i > c.countedElsewhere && s.chance(0.05) {
		file.id = fmt.Sprintf("%s-%d-%d", c.name, c.export, i-1)
	}
	chain := s.onceOrTwice(func() { c.arrived[name] = true; s.deliver(file) }, file)
	if i == 0 && s.countBy == snapshot.ByFile && s.again.Float64() < 0.5 {
		c.cameAgain = true
		chain = append(chain, func() { s.deliver(fileMessage(c, id+"-again", name, "")) })
	}
	return chain
}

// fileName is the name of a file, the same in every export if files are counted by name. Every export has the first
// file, so a late message that brings it again does not change the number of files.
func (s *schedule) fileName(c *collection, i int) string {
	if s.countBy == snapshot.ByFile {
		return fmt.Sprintf("%s-%d", c.name, i)
	}
	return fmt.Sprintf("%s-%d-%d", c.name, c.export, i)
}

// addFileAfterSent breaks the sender's contract: FilesSent grows after Sent, while a task may be moving the collection.
// An export that is about to end gets no such file, since a late file counts for the next one.
func (s *schedule) addFileAfterSent(c *collection) {
	if row := s.row(c); row == nil || !row.Status.Is(snapshot.Sent) || c.exportAgain {
		return
	}
	c.files++
	s.writeAs(c, "sender", table.Item{"FilesSent": s.row(c).FilesSent.N + 1})
	s.followUps = append(s.followUps, s.fileArrives(c, c.files-1))
}

// countByPredecessor returns the counts of the system that this one replaces: it counts files of the first export
// before us or concurrently, until the sender sets Sent, and leaves only FilesReceived. We count at least one file of
// the first collection, since a message has to register the run.
func (s *schedule) countByPredecessor(c *collection, lost int) chain {
	if c.countedElsewhere = lost; !s.predecessorCounts || c.export > 0 || lost > 0 {
		return nil
	}
	c.countedElsewhere = s.random.IntN(c.files + 1)
	if c == s.collections[0] {
		c.countedElsewhere = min(c.countedElsewhere, c.files-1)
	}
	var counts chain
	for i := range c.countedElsewhere {
		c.arrived[fmt.Sprintf("%s-%d-%d", c.name, c.export, i)] = true
		counts = append(counts, func() {
			s.writeAs(c, "predecessor", table.Item{"FilesReceived": s.row(c).FilesReceived.N + 1})
		})
	}
	if s.chance(0.5) { // all of them before our first message
		for _, count := range counts {
			count()
		}
		return nil
	}
	return counts
}

// newExport exports a collection again under the same correlation id. Its counters are set back before, after or
// together with its status, or its row is replaced. Files of the new export arrive after that.
func (s *schedule) newExport(c *collection) chain { return s.reexport(c, s.random.IntN(byReplacing+1)) }

// byReplacing is the last of the ways in which a new export begins.
const byReplacing = 3

func (s *schedule) reexport(c *collection, way int) chain {
	status := table.Item{"CollectionStatus": c.spell("Exporting")}
	counters := table.Item{"FilesReceived": int64(0), "FilesSent": int64(0)}
	both := maps.Clone(status)
	maps.Copy(both, counters)
	writes := [][]table.Item{{counters, status}, {status, counters}, {both}, {nil}}[way]
	events := chain{func() {
		s.writeStatus(c, "sender", snapshot.Sent)
		s.lateMessages(c)
	}}
	for i, attributes := range writes {
		events = append(events, func() {
			if i == 0 {
				s.beginExport(c)
			}
			if way == byReplacing {
				s.externalWrite("exporter replaces", c.name, c.newRow())
			} else {
				s.writeAs(c, "exporter", attributes)
			}
			if i < len(writes)-1 {
				return
			}
			if s.followUps = append(s.followUps, s.export(c)...); s.chance(0.2) {
				s.followUps = append(s.followUps, s.successFile(c))
			}
		})
	}
	return events
}

// beginExport ends the export before, and the pauses that wait for that.
func (s *schedule) beginExport(c *collection) {
	s.exports++
	c.since, c.exportAgain = s.generation(), false
	for _, a := range s.actors {
		a.pausedFor = 0
	}
	c.earlierFiles, c.export = c.earlierFiles+c.files-c.countedElsewhere, c.export+1
}

// lateMessages delivers a file or the success file of an export that ends. It may count for this export or the next.
func (s *schedule) lateMessages(c *collection) {
	switch x := s.random.Float64(); {
	case x < 0.2:
		file := fmt.Sprintf("%s-%d-late", c.name, c.export)
		c.late, c.arrived[file] = append(c.late, file), true
		s.deliver(newMessage(c, file, ""))
	case x < 0.4 && !c.success:
		c.lateSuccess, c.success = true, true
		s.deliver(newMessage(c, fmt.Sprintf("%s-%d-success", c.name, c.export), `,"is_success_file":true`))
	}
}

// whenReceived adds events once the collection is received, when monitoring may just be notified. It gives up after so
// many tries.
func (s *schedule) whenReceived(c *collection, tries int, events chain) {
	row := s.row(c)
	switch {
	case row == nil, tries == 0:
	case row.Status.Is(snapshot.Received) && row.FilesReceived.N == int64(c.files):
		s.followUps = append(s.followUps, events)
	default:
		s.followUps = append(s.followUps, chain{func() { s.whenReceived(c, tries-1, events) }})
	}
}

// deleteRow deletes a row by hand.
func (s *schedule) deleteRow(c *collection) chain {
	c.mayBeGone = true
	return chain{func() {
		c.gone = true
		s.externalWrite("a person deletes", c.name, nil)
	}}
}
