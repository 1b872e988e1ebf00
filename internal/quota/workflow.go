package quota

import (
	"math"

	"snapshot-status-checker/internal/price"
)

// group is the messages of one collection in a batch.
type group struct {
	collection int32
	files      int
	success    bool // a _success file is among them
	counted    bool
}

// execution is one of the state machine.
type execution struct {
	groups   []group
	messages int
	received float64 // when it was received from the queue
	receives int     // how often: a batch that comes back stays together, in this model
	returns  bool    // to the queue
	begun    float64
	states   float64

	environment int // of the present call

	call     int32 // how many calls of increment it made, and those of the executions before it in this place
	retries  int
	called   float64 // when the present call began
	read     float64 // when it had read
	next     int     // group to begin
	finished int     // groups
	failed   bool
}

func (m *model) newExecution() *execution {
	if last := len(m.free) - 1; last >= 0 {
		e := m.free[last]
		m.free = m.free[:last]
		*e = execution{groups: e.groups[:0], call: e.call + 1}
		return e
	}
	return &execution{}
}

// add puts a message into the batch, to those of its collection.
func (e *execution) add(next message) {
	e.messages++
	at := -1
	for i := range e.groups {
		if e.groups[i].collection == next.collection {
			at = i
			break
		}
	}
	if at < 0 {
		at = len(e.groups)
		e.groups = append(e.groups, group{collection: next.collection})
	}
	if next.success {
		e.groups[at].success = true
	} else {
		e.groups[at].files++
	}
}

// enter enters so many states at a time and returns when they are entered.
func (m *model) enter(e *execution, t, states float64) float64 {
	e.states += states
	if m.settings.Workflow == Express {
		return t + states*m.m.ExpressState
	}
	m.use(price.StateTransition, states)
	at, _ := m.take(Transitions, &m.transitions, t, states, forever)
	return at + states*m.m.State
}

func (m *model) started(e *execution) {
	e.begun = m.now
	m.result.Executions++
	if m.settings.Workflow == Standard {
		m.busy--
	}
	m.at(m.enter(e, m.now, statesBefore), event{step: invoke, e: e})
}

// invoke calls increment, if its concurrency allows.
func (m *model) invoke(e *execution) {
	most := int(m.limits[Concurrency].Burst)
	if m.settings.Reserved > 0 {
		most = min(most, m.settings.Reserved)
	}
	if m.calls >= most {
		m.tryLater(e, Concurrency)
		return
	}
	cold := 0.0
	if len(m.idle) == 0 {
		if _, ok := m.environments.take(m.now, 1, m.now); !ok {
			m.tryLater(e, Environments)
			return
		}
		m.idle = append(m.idle, len(m.known))
		m.known = append(m.known, environment{pages: map[int32]int32{}})
		m.use(price.WriteUnit, 1) // it registers the run
		cold = m.m.Cold
	}
	last := len(m.idle) - 1
	e.environment, m.idle = m.idle[last], m.idle[:last]
	m.calls++
	m.result.Calls++
	m.result.MostCalls = max(m.result.MostCalls, m.calls)
	m.use(price.LambdaRequest, 1)
	e.call++
	e.called, e.next, e.finished, e.failed = m.now, 0, 0, false
	n := float64(len(e.groups))
	m.use(price.ReadUnit, 2*n)
	at, _ := m.take(RunReads, &m.runReads, m.now, n, forever)
	reads := math.Ceil(2*n/100) + math.Ceil(m.readPages(e)/100)
	m.at(at+cold+m.m.Call+reads*m.m.Read, event{step: work, e: e})
}

// tryLater tries the call again after a pause with full jitter, as the definition says, or gives its messages up. A
// refused call is a wait for the quota that refused it.
func (m *model) tryLater(e *execution, refused Kind) {
	if e.retries == retries {
		m.giveUp(e)
		return
	}
	longest := min(longestPause, math.Pow(2, float64(e.retries)))
	e.retries++
	m.result.Retries++
	at := m.enter(e, m.now, 1) + m.random.Float64()*longest
	if refused != kinds {
		m.wait(refused, m.now, at)
	}
	m.at(at, event{step: invoke, e: e})
}

// giveUp is what happens when the retries are used up. STANDARD puts the messages into the rejected-messages queue; of
// EXPRESS they return to their own, which gives them up to its dead-letter queue in the end.
func (m *model) giveUp(e *execution) {
	if m.settings.Workflow == Express && e.receives < receives {
		e.returns = true
		m.result.Returned += e.messages
		m.at(m.enter(e, m.now, 2), event{step: looked, e: e})
		return
	}
	for _, g := range e.groups {
		if !g.counted {
			m.result.GivenUp += g.files
			if g.success {
				m.result.GivenUp++
			}
		}
	}
	kept := 0.0
	if m.settings.Workflow == Standard {
		kept = float64(e.messages)
		m.use(price.SQSRequest, kept)
	}
	m.at(m.enter(e, m.now, 3+kept), event{step: looked, e: e})
}

// work lets the call begin with its first groups.
func (m *model) work(e *execution) {
	e.read = m.now
	for range sideBySide {
		m.begin(e)
	}
}

// begin takes the next group of a call in hand, if there is one.
func (m *model) begin(e *execution) {
	if e.next < len(e.groups) {
		e.next++
		m.count(e, int32(e.next-1))
	}
}

// counted ends a group's work in a call, and the call with its last group.
func (m *model) counted(e *execution, i int32, ok bool) {
	if g := &e.groups[i]; ok && !g.counted {
		g.counted = true
		m.collections[g.collection].counted += g.files
	}
	e.failed = e.failed || !ok
	if e.finished++; e.finished < len(e.groups) {
		m.begin(e)
		return
	}
	m.calls--
	m.idle = append(m.idle, e.environment)
	m.use(price.LambdaGBSecond, price.LambdaGBSeconds(seconds(min(m.now-e.called, functionTimeout)), m.m.MemoryMB))
	m.use(price.LogGB, (m.m.CallLog+float64(len(e.groups))*m.m.GroupLog+float64(e.messages)*m.m.FileLog)/1e9)
	if e.failed {
		m.tryLater(e, kinds)
		return
	}
	m.reconcile(e)
}
