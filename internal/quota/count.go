package quota

import (
	"math"

	"snapshot-status-checker/internal/price"
)

// count writes the receipts of a group, counts it, turns the page and syncs the row, and ends the group.
func (m *model) count(e *execution, i int32) {
	g := e.groups[i]
	c := &m.collections[g.collection]
	deadline := e.called + functionTimeout
	messages := g.files
	if g.success {
		messages++
	}
	at, ok := m.now, true
	if !g.counted { // else all are duplicates of an earlier call
		at, ok = m.write(c, m.receiptUnits(messages), at, deadline)
	}
	if ok && !g.counted && c.turned > e.read { // the page was turned since it was read: refused once
		m.result.Refused++
		m.use(price.ReadUnit, 1)
		at, ok = m.write(c, m.collectionUnits(c), at, deadline)
		at += m.m.Read
	}
	if ok && !g.counted {
		c.recent += messages
		at, ok = m.write(c, m.collectionUnits(c), at, deadline)
	}
	if ok && c.recent >= pageSize {
		at, ok = m.turnPage(e, g.collection, at, deadline)
	}
	if ok && g.files > 0 {
		m.result.Groups++
		at, ok = m.sync(at, deadline)
	}
	m.at(min(at, deadline), event{step: counted, e: e, group: i, ok: ok})
}

// write makes one update of the ledger, from a time on, and returns when it is done.
func (m *model) write(c *collection, units, t, deadline float64) (float64, bool) {
	patient := min(deadline, t+m.m.Patience)
	at, ok := m.take(CollectionWrites, &c.writes, t, units, patient)
	if ok {
		at, ok = m.take(LedgerWrites, m.growingLedger(), at, units, patient)
	}
	if !ok {
		return patient, false
	}
	m.use(price.WriteUnit, units)
	return at + m.m.Update, true
}

func (m *model) receiptUnits(messages int) float64 {
	return price.WriteUnits(m.m.Receipts + messages*m.m.Receipt)
}

// collectionUnits is what an update of the collection's item costs: by its size with the digests since the last page.
func (m *model) collectionUnits(c *collection) float64 {
	return price.WriteUnits(m.m.Collection + c.recent*digestBytes)
}

// turnPage makes a page of the recent digests: it puts the page and takes its digests out of the collection.
func (m *model) turnPage(e *execution, collection int32, t, deadline float64) (float64, bool) {
	c := &m.collections[collection]
	at, ok := m.write(c, price.WriteUnits(m.m.Page+c.recent*digestBytes), t, deadline)
	if ok {
		at, ok = m.write(c, m.collectionUnits(c), at, deadline)
	}
	if ok {
		c.pages, c.recent, c.turned = c.pages+1, 0, at
		m.known[e.environment].wrote(collection, c.pages)
	}
	return at, ok
}

// sync updates the row. If somebody who counted later was faster it is refused, which costs the same.
func (m *model) sync(t, deadline float64) (float64, bool) {
	patient := min(deadline, t+m.m.Patience)
	at, ok := m.take(RunWrites, &m.runWrites, t, 1, patient)
	if !ok {
		return patient, false
	}
	m.use(price.WriteUnit, 1)
	return at + m.m.Update, true
}

// readPages reads the pages that the environment does not have of the batch's collections, and returns how many.
func (m *model) readPages(e *execution) float64 {
	missing := int32(0)
	for _, g := range e.groups {
		missing += m.known[e.environment].missing(g.collection, m.collections[g.collection].pages)
	}
	m.result.PagesRead += int(missing)
	m.use(price.ReadUnit, float64(missing))
	return float64(missing)
}

// growingLedger is the ledger's bucket. A table doubles what it takes in half an hour in which it had to take it all.
func (m *model) growingLedger() *bucket {
	w := &m.result.Waits[LedgerWrites]
	if w.Longest >= 1 && m.ledgerBound < 0 {
		m.ledgerBound = w.First
	}
	if m.ledgerBound >= 0 && m.now-m.ledgerBound >= doublingSeconds {
		m.ledgerBound = m.now
		m.ledger.grow(min(tableWrites, 2*m.ledger.limit.Rate))
	}
	return &m.ledger
}

// reconcile enters the Map and reconciles the collections that the batch completed.
func (m *model) reconcile(e *execution) {
	at := m.enter(e, m.now, statesAfter)
	looks := 0.0
	for _, g := range e.groups {
		c := &m.collections[g.collection]
		if g.files > 0 && c.counted == c.size {
			c.counted++ // once
			looks++
			m.look(received, 1)
			at = m.touch(e, at, received)
			m.at(at+m.m.Look+m.m.Reply, event{step: reply, group: g.collection})
		}
		if g.success {
			looks++
			m.look(succeeded, 1)
			at = m.touch(e, at, succeeded)
			if m.unfinished--; m.unfinished == 0 {
				m.result.Complete = true
			}
		}
	}
	m.at(at+math.Ceil(looks/mapLooks)*m.m.Look, event{step: looked, e: e})
}

// touch takes what a look needs of the quotas that a run shares.
func (m *model) touch(e *execution, t float64, l look) float64 {
	if m.settings.Workflow == Standard { // the usage is counted with the look
		t, _ = m.take(Transitions, &m.transitions, t, l.states, forever)
	}
	e.states += l.states
	t, _ = m.take(RunReads, &m.runReads, t, l.runReads, forever)
	t, _ = m.take(RunWrites, &m.runWrites, t, l.statusWrites, forever)
	return t
}

// look uses what so many looks use.
func (m *model) look(l look, times float64) {
	if m.settings.Workflow == Standard {
		m.use(price.StateTransition, times*l.states)
	}
	m.use(price.LambdaRequest, times*l.calls)
	m.use(price.LambdaGBSecond, times*price.LambdaGBSeconds(seconds(m.m.LookCompute), m.m.LookMemoryMB))
	m.use(price.ReadUnit, times*(l.reads+l.runReads))
	m.use(price.WriteUnit, times*(l.ledgerWrites+l.statusWrites))
	m.use(price.SQSFIFORequest, times*l.fifo)
	m.use(price.LogGB, times*l.calls*(m.m.CallLog+m.m.GroupLog)/1e9)
}

func (m *model) memory(messages int) float64 {
	return price.ExpressMemoryMB(m.m.Definition, messages*(m.m.Body+m.m.Record), 1)
}

// end ends an execution.
func (m *model) end(e *execution) {
	m.result.Duration = m.now
	m.use(price.LogGB, (m.m.ExecutionLog+e.states*m.m.StateLog)/1e9)
	if m.settings.Workflow == Standard {
		m.open--
	} else {
		m.busy--
		m.use(price.ExpressRequest, 1)
		m.use(price.ExpressGBSecond, price.ExpressGBSeconds(seconds(m.now-e.begun), m.memory(e.messages)))
	}
	if e.returns {
		m.at(e.received+hidden+m.settings.Window, event{step: returned, e: e})
		return
	}
	m.free = append(m.free, e)
}
