package quota

import (
	"math"
	"slices"
	"time"

	"snapshot-status-checker/internal/price"
)

// tick is how often files arrive, several at a time, so that a model of millions has not as many events.
const tick = 0.010

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// waiting is how many messages are in the queue.
func (m *model) waiting() int {
	n := len(m.messages) - m.head + len(m.returned)
	if m.shape.Rate == 0 {
		n += m.toSend
	}
	return n
}

// arrive delivers the files of a tick. A sender writes FilesSent for each; where that has to wait, its file comes
// later.
func (m *model) arrive() {
	step := max(tick, 1/m.shape.Rate)
	n := min(m.toSend, int(math.Round(m.shape.Rate*(m.now+step)))-int(math.Round(m.shape.Rate*m.now)))
	at, _ := m.runWrites.take(m.now, float64(n), forever)
	if at > m.now+step { // the senders are held up: no more than they can write
		m.result.SendersHeld += at - m.now - step
		m.wait(RunWrites, m.now, at)
	}
	for range n {
		collection, _ := m.sender.file()
		m.toSend--
		m.deliver(message{collection, false})
	}
	m.result.Delivered = m.now
	if m.toSend > 0 {
		m.at(max(m.now+step, at), event{step: arrive})
	}
}

// deliver hands a message to one of the pollers that wait for one, or puts it into the queue.
func (m *model) deliver(next message) {
	idle := int(m.pollers) - m.busy
	if n := len(m.gathering); n > 0 && m.waiting() == 0 {
		if i := m.random.IntN(n + max(0, idle)); i < n {
			e := m.gathering[i]
			e.add(next)
			if e.messages == m.settings.BatchSize {
				m.gathering = slices.Delete(m.gathering, i, i+1)
				m.form(e)
			}
			return
		}
	}
	m.messages = append(m.messages, next)
	m.dispatch()
}

// pop is the queue's next message.
func (m *model) pop() message {
	if m.shape.Rate == 0 {
		if collection, ok := m.sender.file(); ok {
			m.toSend--
			return message{collection, false}
		}
	}
	next := m.messages[m.head]
	if m.head++; m.head == len(m.messages) {
		m.messages, m.head = m.messages[:0], 0
	}
	return next
}

// dispatch lets free pollers take what waits in the queue.
func (m *model) dispatch() {
	for m.waiting() > 0 && m.busy < int(m.pollers) {
		m.busy++
		if len(m.returned) > 0 {
			m.form(m.returned[0])
			m.returned = m.returned[1:]
			continue
		}
		e := m.newExecution()
		for e.messages < m.settings.BatchSize && m.waiting() > 0 {
			e.add(m.pop())
		}
		if e.messages == m.settings.BatchSize || m.settings.Window == 0 {
			m.form(e)
			continue
		}
		m.gathering = append(m.gathering, e)
		m.at(m.now+m.settings.Window, event{step: window, e: e, call: e.call})
	}
}

// closeWindow ends the gathering of a batch, unless it was full before and the execution is another one by now.
func (m *model) closeWindow(e *execution, call int32) {
	if i := slices.Index(m.gathering, e); i >= 0 && e.call == call {
		m.gathering = slices.Delete(m.gathering, i, i+1)
		m.form(e)
	}
}

// form reads a batch from the queue.
func (m *model) form(e *execution) {
	e.received = m.now
	e.receives++
	receives := math.Ceil(float64(e.messages) / messagesAReceive)
	m.use(price.SQSRequest, 2*receives) // and deletes
	m.use(price.PipesRequest, price.Chunks(e.messages*(m.m.Body+m.m.Record)))
	m.at(m.now+receives*m.m.Receive, event{step: formed, e: e})
}

// start starts an execution for a batch. The poller waits for it.
func (m *model) start(e *execution) {
	kind := Starts
	if m.settings.Workflow == Express {
		kind = ExpressStarts
	} else if float64(m.open) >= m.limits[OpenExecutions].Burst {
		m.wait(OpenExecutions, m.now, m.now+1)
		m.at(m.now+1, event{step: formed, e: e})
		return
	} else {
		m.open++
		m.result.MostOpen = max(m.result.MostOpen, m.open)
	}
	at, _ := m.take(kind, &m.starts, m.now, 1, forever)
	m.at(at+m.m.Start, event{step: started, e: e})
}
