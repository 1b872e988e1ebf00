package quota

import (
	"math"

	"snapshot-status-checker/internal/price"
)

// count tries the transactions of a group and the update of its row, and ends the group or tries it again.
func (m *model) count(e *execution, i int32, try uint8) {
	g := e.groups[i]
	c := &m.collections[g.collection]
	deadline := e.called + functionTimeout
	done := event{step: counted, e: e, group: i}
	files := float64(g.files)
	if g.success {
		files++
	}
	parts := math.Ceil(files / mostMarkers) // one transaction after the other
	units := price.TransactWriteUnits(m.m.Marked) * (files + parts)
	took := parts*m.m.Transaction + files*m.m.Marker
	patient := min(deadline, m.now+m.m.Patience)
	at, ok := m.take(CollectionWrites, &c.writes, m.now, units, patient)
	if ok {
		at, ok = m.take(LedgerWrites, m.growingLedger(), at, units, patient)
	}
	if !ok {
		m.at(patient, done)
		return
	}
	m.use(price.WriteUnit, units)
	switch {
	case at < c.busy: // another transaction is at the collection's item: this one is cancelled
		m.result.Conflicts++
		pause := m.random.Float64() * min(longestJitter, shortestJitter*math.Pow(2, float64(try)))
		if try++; try == tries {
			m.at(min(at+took, deadline), done)
			return
		}
		next := min(at+took+pause, deadline)
		m.wait(Conflicts, at, next)
		m.at(next, event{step: again, e: e, group: i, try: try})
		return
	case g.counted || g.files == 0: // duplicates of an earlier call, or a _success file alone: nothing to add to the row
		c.busy = at + took
		at, ok = c.busy, c.busy <= deadline
	default:
		m.result.Groups++
		c.busy = at + took
		at, ok = m.project(e, c, c.busy, min(deadline, c.busy+m.m.Patience))
	}
	done.ok = ok
	m.at(min(at, deadline), done)
}

// project brings the row up to date, from a time on, and returns when that is done. If somebody else updated the row
// since the call read it, the condition fails: it reads again, and updates unless that somebody did it for all.
func (m *model) project(e *execution, c *collection, t, deadline float64) (float64, bool) {
	at, ok := m.take(RunWrites, &m.runWrites, t, 1, deadline)
	if !ok {
		return deadline, false
	}
	m.use(price.WriteUnit, 1)
	if c.written <= e.read {
		c.written = at + m.m.Update
		return c.written, true
	}
	m.result.Overtaken++
	m.use(price.ReadUnit, 2)
	reread := at + m.m.Update + m.m.Read
	if c.covered >= t {
		return reread, true
	}
	if at, ok = m.take(RunWrites, &m.runWrites, reread, 1, deadline); !ok {
		return deadline, false
	}
	m.use(price.WriteUnit, 1)
	c.covered, c.written = reread, at+m.m.Update
	return c.written, true
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

// lookAt enters the Map and looks at the collections that the batch completed.
func (m *model) lookAt(e *execution) {
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
