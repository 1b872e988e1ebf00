package simulation

import (
	"fmt"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
)

// collection is what really happened to a collection. The checks compare the tables with it.
type collection struct {
	name             string
	capitals         bool // statuses in capitals
	neverFinishes    bool
	empty            bool            // without files: the sender itself moves it to Received
	files            int             // of the current export
	countedElsewhere int             // of these, counted by another system or in a lost ledger
	lostCounts       int             // files that were counted in a ledger that was then lost
	earlierFiles     int             // of earlier exports, counted in the ledger
	arrived          map[string]bool // files of the current export that were delivered
	cameAgain        bool            // its first file was delivered in more than one message
	late             []string        // files delivered while an export ended: for that export or a later one
	success          bool            // the current export's success file was delivered
	lateSuccess      bool            // a success file was delivered while an export ended
	export           int             // its number
	exportAgain      bool            // a new export begins as soon as it is received
	since            int64           // the run's generation when the current export began
	gone             bool            // its row was deleted
	mayBeGone        bool            // its row is deleted at some time, or was made later
}

// unchecked reports whether the collection cannot be checked: it never finishes, or its row is gone.
func (c *collection) unchecked() bool { return c.neverFinishes || c.gone }

func (c *collection) spell(status string) string {
	if c.capitals {
		return strings.ToUpper(status)
	}
	return status
}

// newRow is the row as the exporter makes it.
func (c *collection) newRow() table.Item {
	return table.Item{"CollectionStatus": c.spell("Exporting"), "FilesSent": int64(0)}
}

// play simulates a run in four phases: a first export of every collection; new exports of some collections and success
// files of others; the remaining success files; the rows expire, or another run has the same id. Each phase ends when
// nothing can happen any more, and with a check of the result.
func (s *schedule) play() {
	for i := range 1 + s.random.IntN(3) {
		s.collections = append(s.collections, &collection{name: fmt.Sprintf("c%d", i), capitals: s.chance(0.3)})
	}
	if s.chance(0.2) {
		s.collections = append(s.collections, &collection{name: "empty", empty: true})
	}
	if s.chance(0.2) {
		s.collections = append(s.collections, &collection{name: "never", neverFinishes: true})
	}
	s.phase(append(s.firstExports(), s.badMessages()...))
	s.phase(append(s.secondExports(), s.disturbances()...))
	s.phase(append(s.successFiles(), s.disturbances()...))
	s.expire()
	s.checkReceipts()
}

// firstExports makes the rows and exports every collection.
func (s *schedule) firstExports() []chain {
	for _, c := range s.collections {
		s.externalWrite("exporter makes", c.name, c.newRow())
	}
	s.loseLedger()
	var chains []chain
	for _, c := range s.collections {
		chains = append(chains, s.export(c)...)
		switch {
		case c.neverFinishes:
		case c.countedElsewhere > 0:
			// The epoch moves while two systems count, and when a new ledger adopts rows. A success file of that moment
			// may be assigned to an earlier epoch (docs/cutover.md).
		case c.files > 0 && s.pauseCounting(c):
			chains = append(chains, chain{func() { s.whenReceived(c, 30, s.reexport(c, byReplacing)) }})
		case c.files > 0 && s.chance(0.2): // without a success file: a late one does not name its export
			c.exportAgain = true
			chains = append(chains, chain{func() { s.whenReceived(c, 30, s.newExport(c)) }})
		case s.chance(0.15) && (!c.empty || s.chance(0.5)):
			chains = append(chains, s.successFile(c))
		}
	}
	return chains
}

// pauseCounting sometimes pauses a process that is about to count a collection's first file, for a whole export: the
// file is delivered again, the collection is received and exported again.
func (s *schedule) pauseCounting(c *collection) bool {
	random := s.stream(5)
	if c != s.collections[0] || random.Float64() >= 0.1 {
		return false
	}
	c.exportAgain = true
	s.pauseAfter = 1 + random.IntN(8)
	id, file := fmt.Sprintf("%s-%d-0", c.name, c.export), s.fileName(c, 0)
	c.arrived[file] = true
	s.waiting = append(s.waiting, fileMessage(c, id, file, ""))
	s.receiveBatch()
	return true
}

// loseLedger sometimes counts files in a ledger that is then deleted.
func (s *schedule) loseLedger() {
	if !s.plan.Sweep || s.predecessorCounts || !s.chance(0.1) {
		return
	}
	for _, c := range s.collections {
		if c.empty || c.neverFinishes {
			continue
		}
		c.lostCounts = s.random.IntN(4)
		c.arrived = map[string]bool{}
		for i := range c.lostCounts {
			file := newMessage(c, fmt.Sprintf("%s-lost-%d", c.name, i), "")
			c.arrived[file.id] = true
			s.deliver(file)
		}
	}
	s.runUntilIdle(nil)
	s.log("the ledger is lost")
	lose := func(partition string) {
		for _, sort := range s.db.Keys(s.tables.Ledger, partition) {
			s.db.Put(s.tables.Ledger.At(partition, sort), nil)
		}
	}
	lose("run")
	for _, c := range s.collections {
		lose(s.collectionRef(c.name).Partition)
	}
	s.messages, s.idle = nil, nil
	s.newHistory()
	s.predecessorCounts = true // the lost counts look like those of another system
}

func (s *schedule) secondExports() []chain {
	var chains []chain
	for _, c := range slices.Clone(s.collections) {
		switch {
		case c.neverFinishes:
			chains = append(chains, chain{func() { s.writeStatus(c, "exporter", exemptStatus) }})
		case c.empty:
		case s.chance(0.35):
			chains = append(chains, s.newExport(c))
		case s.chance(0.1) && !s.plan.Redeliver: // messages of a missing row reconcile nothing
			chains = append(chains, s.deleteRow(c))
		case s.chance(0.5):
			chains = append(chains, s.successFile(c))
		}
	}
	if s.chance(0.1) {
		late := &collection{name: "b-late", mayBeGone: true}
		s.collections = append(s.collections, late)
		chains = append(chains, chain{func() {
			s.exports++
			s.externalWrite("exporter adds", late.name, late.newRow())
			s.followUps = append(s.followUps, s.export(late)...)
		}})
	}
	return chains
}

// successFiles are those of the collections that have none, and of some collections without files.
func (s *schedule) successFiles() []chain {
	var chains []chain
	for _, c := range s.collections {
		if !c.success && !c.unchecked() && (!c.empty || s.chance(0.5)) {
			chains = append(chains, s.successFile(c))
		}
	}
	return chains
}

// phase plays the chains of events, with faults in a storm, and then delivers what is left without faults.
func (s *schedule) phase(chains []chain) {
	if s.plan.Sweep && !s.mutant.noSweep {
		chains = append(chains, chain{s.sweep, s.sweep})
	}
	s.faulty = s.plan.Storm
	s.runUntilIdle(chains)
	s.faulty = false
	s.takeUp()
	sent := 0
	for range 4 {
		sent = s.sends
		if s.plan.Storm {
			s.clock = s.clock.Add(store.DefaultLease)
		}
		chains = []chain{s.replay()}
		if s.plan.Sweep && !s.mutant.noSweep {
			chains = append(chains, chain{s.sweep})
		}
		if s.plan.Redeliver {
			for _, m := range s.messages {
				chains = append(chains, chain{func() { s.deliver(m) }})
			}
		}
		s.runUntilIdle(chains)
	}
	if s.sends != sent {
		s.violated("%d messages were sent after everything was delivered", s.sends-sent)
	}
	s.checkIdle()
}

// expire deletes the rows while late messages arrive: no row may be created, and monitoring must not be notified.
// Sometimes it reuses the run id for other collections instead.
func (s *schedule) expire() {
	if s.chance(0.2) {
		s.reuseRunID()
		return
	}
	var chains []chain
	for _, c := range s.collections {
		late := newMessage(c, c.name+"-late", "")
		arrives := func() { c.arrived[late.id] = true; s.deliver(late) }
		chains = append(chains, chain{func() { s.externalWrite("time deletes", c.name, nil) }}, chain{arrives})
	}
	s.expired = true
	s.runUntilIdle(chains)
}

// reuseRunID deletes all rows and uses the run id for other collections.
func (s *schedule) reuseRunID() {
	for _, c := range s.collections {
		c.gone = true
		s.externalWrite("time deletes", c.name, nil)
	}
	s.runUntilIdle(nil)
	s.collections = nil
	for i := range 1 + s.random.IntN(2) {
		s.collections = append(s.collections, &collection{name: fmt.Sprintf("d%d", i)})
	}
	s.exports++
	s.predecessorCounts = false
	var chains []chain
	for _, c := range s.collections {
		s.externalWrite("exporter makes", c.name, c.newRow())
		chains = append(chains, s.export(c)...)
	}
	s.messages = nil
	s.phase(chains)
	s.phase(s.successFiles())
}

// disturbances may happen at any time: Sent is written over Received or Success, and messages are delivered again.
func (s *schedule) disturbances() []chain {
	var chains []chain
	for _, c := range s.collections {
		if c.files > 0 && s.chance(0.3) {
			chains = append(chains, chain{func() {
				if row := s.row(c); row != nil && row.Status.AtLeast(snapshot.Received, nil) {
					s.writeStatus(c, "sender", snapshot.Sent)
				}
			}})
		}
	}
	again := func() {
		if len(s.messages) > 0 {
			s.deliver(s.messages[s.random.IntN(len(s.messages))])
		}
	}
	return append(chains, s.abandonments(), chain{again}, chain{again})
}

// badMessages must be rejected in spite of all faults.
func (s *schedule) badMessages() []chain {
	var chains []chain
	bad := func(m message) {
		chains = append(chains, chain{func() { s.mustReject = append(s.mustReject, m.id); s.deliver(m) }})
	}
	if s.chance(0.2) {
		bad(message{"not-json", "{"})
	}
	if s.chance(0.2) {
		bad(newMessage(&collection{name: "stranger"}, "stranger-0", ""))
	}
	return chains
}
