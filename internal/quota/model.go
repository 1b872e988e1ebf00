package quota

import (
	"math"
	"math/rand/v2"

	"snapshot-status-checker/internal/price"
)

var forever = math.Inf(1)

// collection is what the tables hold of one, as far as quotas matter.
type collection struct {
	size, counted int
	recent        int     // digests since the last page
	pages         int32   // of digests
	turned        float64 // when the last page was turned
	writes        bucket
}

// message is one in the queue.
type message struct {
	collection int32
	success    bool
}

// model is a run on its way.
type model struct {
	clock
	shape    Shape
	settings Settings
	limits   Limits
	m        Measures
	random   *rand.Rand
	sender   *sender

	runWrites, runReads, starts, transitions, environments, ledger bucket
	// since when the ledger's rate is doubling; -1: not yet
	ledgerBound float64

	collections []collection
	messages    []message // in the queue; head is the first
	head        int
	returned    []*execution // batches that are in the queue again
	toSend      int          // files that the senders still have

	pollers   float64 // that the pipe has
	busy      int     // of them
	gathering []*execution
	free      []*execution
	open      int           // STANDARD executions
	calls     int           // of increment at the moment
	known     []environment // of increment
	idle      []int         // environments without a call, the one used last at the end

	unfinished int // collections
	waitsUntil float64
	result     Result
}

// Run runs a run: the same for the same arguments.
func Run(shape Shape, settings Settings, limits Limits, measures Measures, seed uint64) Result {
	m := &model{shape: shape, settings: settings, limits: limits, m: measures,
		random: rand.New(rand.NewPCG(seed, 0)), pollers: min(firstPollers, limits[PipePollers].Burst),
		collections: make([]collection, shape.Collections), toSend: shape.Files, unfinished: shape.Collections,
		ledgerBound: -1}
	m.sender = newSender(shape, rand.New(rand.NewPCG(seed, 1)))
	parts := float64(max(1, shape.Partitions))
	split := func(l Limit) Limit { return Limit{l.Rate * parts, l.Burst * parts} }
	m.runWrites, m.runReads = newBucket(split(limits[RunWrites])), newBucket(split(limits[RunReads]))
	m.starts = newBucket(limits[Starts])
	if settings.Workflow == Express {
		m.starts = newBucket(limits[ExpressStarts])
	}
	m.transitions, m.environments = newBucket(limits[Transitions]), newBucket(limits[Environments])
	m.ledger = newBucket(limits[LedgerWrites])
	for i, size := range shape.sizes() {
		m.collections[i] = collection{size: size, writes: newBucket(limits[CollectionWrites])}
	}
	if shape.Rate > 0 {
		m.at(0, event{step: arrive})
	}
	m.run()
	m.settle()
	return m.result
}

func (m *model) run() {
	m.dispatch()
	for before := 0.0; ; before = m.now {
		next, ok := m.next()
		if !ok {
			return
		}
		m.advance(before)
		switch e := next.e; next.step {
		case arrive:
			m.arrive()
		case reply:
			m.deliver(message{next.group, true})
		case window:
			m.closeWindow(e, next.call)
		case formed:
			m.start(e)
		case started:
			m.started(e)
		case invoke:
			m.invoke(e)
		case work:
			m.work(e)
		case counted:
			m.counted(e, next.group, next.ok)
		case looked:
			m.end(e)
		case returned:
			e.returns, e.retries, e.states = false, 0, 0
			m.returned = append(m.returned, e)
		}
		m.dispatch()
	}
}

// advance does what time does: the pipe gets more pollers as long as messages wait for one.
func (m *model) advance(before float64) {
	if m.waiting() == 0 || m.busy < int(m.pollers) {
		return
	}
	if most := m.limits[PipePollers].Burst; m.pollers < most {
		m.pollers = min(most, m.pollers+(m.now-before)*morePollers)
	}
	if m.waitsUntil <= before { // nothing behind the pipe holds it up
		m.result.Waits[PipePollers].add(before, m.now)
	}
}

// wait notes that something waits for a quota, or is refused.
func (m *model) wait(kind Kind, from, to float64) {
	m.result.Waits[kind].add(from, to)
	m.waitsUntil = max(m.waitsUntil, to)
}

// take takes from a bucket and notes the wait.
func (m *model) take(kind Kind, b *bucket, t, n, deadline float64) (float64, bool) {
	there, ok := b.take(t, n, deadline)
	m.wait(kind, t, min(there, deadline))
	return there, ok
}

func (m *model) use(d price.Dimension, n float64) { m.result.Usage[d] += n }

// settle adds to the usage what does not come from single messages.
func (m *model) settle() {
	r, files := &m.result, float64(m.shape.Files)
	minutes := r.Duration
	each := float64(m.shape.Collections)
	m.look(statusChanged, each)
	m.use(price.PipesRequest, each)
	if m.settings.Workflow == Express {
		m.use(price.ExpressRequest, each)
		m.use(price.ExpressGBSecond, each*price.ExpressGBSeconds(seconds(m.m.Look), m.memory(1)))
	}
	m.use(price.LogGB, each*(m.m.ExecutionLog+2*m.m.StateLog)/1e9)
	m.use(price.StreamRead, streamReadsASecond*float64(max(1, m.shape.Partitions))*minutes)
	whole := price.ReadUnits(m.shape.Collections * m.m.Row)
	sweeps := math.Ceil(minutes / m.m.SweepEvery)
	m.use(price.ReadUnit, 2*whole+sweeps*(whole+1))
	m.use(price.ScheduledCall, sweeps)
	m.use(price.LambdaRequest, sweeps)
	m.use(price.LambdaGBSecond, sweeps*price.LambdaGBSeconds(seconds(1), m.m.MemoryMB))
	m.use(price.SNSPublish, 2)
	m.use(price.Trace, price.Traces(float64(r.Executions)+each, minutes))
	stored := ((files+each)*float64(m.m.Receipt+digestBytes) + float64(r.Groups*m.m.Receipts)) / 1e9 * m.m.ReceiptMonths
	m.use(price.TableGBMonth, stored)
	m.use(price.BackupGBMonth, stored)
}
