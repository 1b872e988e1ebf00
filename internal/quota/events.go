package quota

import "container/heap"

// step is what happens at an event.
type step uint8

const (
	arrive   step = iota // some files reach the queue
	reply                // a _success file reaches the queue
	window               // a poller's window is over
	formed               // a poller has its batch and starts an execution
	started              // the execution runs
	invoke               // it calls increment
	work                 // the call has read its collections
	counted              // a group is counted, or given up for this call
	timeout              // the call is cut off
	looked               // its looks are done: the execution ends
	returned             // its messages are in the queue again
)

// event is a step of an execution, at a time.
type event struct {
	at    float64
	seq   uint64 // events of one time keep their order
	step  step
	ok    bool
	call  int32 // of the execution, for which the event was meant
	group int32
	e     *execution
}

// queue holds the events to come, the next first, with what orders them beside them: most of a model's time goes into
// comparing it.
type queue []queued

type queued struct {
	at  float64
	seq uint64
	*event
}

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any) {
	e := x.(*event)
	*q = append(*q, queued{e.at, e.seq, e})
}
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last].event
	(*q)[last].event = nil
	*q = (*q)[:last]
	return e
}

// clock holds the events to come and uses them again when they are over: millions are needed.
type clock struct {
	queue queue
	used  []*event
	seq   uint64
	now   float64
}

func (c *clock) at(t float64, what event) {
	var e *event
	if last := len(c.used) - 1; last >= 0 {
		e, c.used = c.used[last], c.used[:last]
	} else {
		e = new(event)
	}
	c.seq++
	what.at, what.seq = max(t, c.now), c.seq
	*e = what
	heap.Push(&c.queue, e)
}

// next goes on to the next event; false if there is none.
func (c *clock) next() (event, bool) {
	if len(c.queue) == 0 {
		return event{}, false
	}
	e := heap.Pop(&c.queue).(*event)
	c.used = append(c.used, e)
	c.now = e.at
	return *e, true
}
