package history

import (
	"fmt"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Knowledge is what the caller knows besides the events. The zero Knowledge is that of a reader of logs.
type Knowledge struct {
	Exempt      []snapshot.Status
	Collections []string // of the run's rows

	// Calm: no process died or timed out, so nothing is sent twice.
	Calm bool
	// Complete: every process that did not die wrote its lines, and the changes of status by other systems are among
	// the events.
	Complete bool
}

// Counts is how much was examined.
type Counts struct {
	Lines         int `json:"lines"`
	Messages      int `json:"messages"` // counted, each once
	Moves         int `json:"moves"`
	Requests      int `json:"requests"`
	Notifications int `json:"notifications"`
	Alerts        int `json:"alerts"`
}

// Checker holds the events of a run against the guarantees. It takes them in any order and keeps of each message 12
// bytes and a few flags. It is not safe for concurrent use.
//
// No rule compares the times of two lines that may be close: clocks differ, and a process may pause between a write and
// its line. What must precede what follows from the execution that did both; times decide only beyond the tolerance.
type Checker struct {
	run   string
	knows Knowledge

	counts      Counts
	messages    map[Digest]message
	names       []string       // of collections, by their number
	numbers     map[string]int // of collections, by their name
	read        map[string]bool
	epochs      map[epochKey]*epoch
	checked     map[owner]map[int64]bool // whether the row was received, by epoch
	sends       map[snapshot.Outgoing][]Sent
	overwritten map[moveKey]int
	moved       map[moveKey]int
	found       remarks // that no later event changes
}

// message is a counted message. A run may have a million of them.
type message struct {
	collection     int32 // its number
	logged, stored bool
}

type epochKey struct {
	collection string
	epoch      int64
}

// epoch is what the lines show of an export of a collection. Zero times stand for nothing.
type epoch struct {
	counted time.Time                   // the first line that counts a message of it
	reached map[snapshot.Kind]time.Time // the first line that shows the kind's status
	moves   map[snapshot.Status]moves   // by the new status
}

type moves struct {
	n     int
	first time.Time
}

// owner is a reconciliation of a collection by an execution.
type owner struct{ execution, collection string }

type moveKey struct {
	collection string
	to         snapshot.Status
}

// New makes a Checker for the events of a run.
func New(run string, knows Knowledge) *Checker {
	return &Checker{run: run, knows: knows, messages: map[Digest]message{}, numbers: map[string]int{},
		read: map[string]bool{}, epochs: map[epochKey]*epoch{}, checked: map[owner]map[int64]bool{},
		sends: map[snapshot.Outgoing][]Sent{}, overwritten: map[moveKey]int{}, moved: map[moveKey]int{},
		found: remarks{}}
}

// Line adds an event of a log line, nil if the line tells nothing.
func (c *Checker) Line(e Event) {
	if e != nil {
		c.counts.Lines++
		c.Add(e)
	}
}

// Add adds an event.
func (c *Checker) Add(e Event) {
	switch e := e.(type) {
	case Counted:
		c.count(e)
	case Moved:
		c.move(e)
	case Checked:
		c.check(e)
	case Sent:
		c.send(e)
	case Overwritten:
		c.overwritten[moveKey{e.Collection, e.To}]++
	}
}

// Receipts takes the receipts of a collection, which say that a message is counted in the ledger. Pass all of them, and
// read them after the last line. The visit never fails.
func (c *Checker) Receipts(collection string) (visit func(store.Receipt) error) {
	number := c.number(collection)
	c.read[collection] = true
	return func(receipt store.Receipt) error {
		if receipt.Repeated { // recorded, not counted
			return nil
		}
		var digest Digest
		copy(digest[:], receipt.Digest)
		m := c.messages[digest]
		m.collection, m.stored = number, true
		c.messages[digest] = m
		return nil
	}
}

// Collections are the collections of the rows and of the lines, in no order.
func (c *Checker) Collections() []string {
	for _, name := range c.knows.Collections {
		c.number(name)
	}
	return c.names
}

func (c *Checker) number(collection string) int32 {
	n, known := c.numbers[collection]
	if !known {
		n = len(c.names)
		c.numbers[collection], c.names = n, append(c.names, collection)
	}
	return int32(n)
}

// count: each message is counted once, whatever its deliveries.
func (c *Checker) count(e Counted) {
	number := c.number(e.Collection)
	for _, one := range e.Messages {
		digest := Digest(one.Digest)
		m := c.messages[digest]
		if m.logged {
			c.found.add(countedTwice, e.Collection, "message %s of file %q was counted twice, once by execution %s",
				one.Identity, one.FileName, e.Execution)
		} else {
			c.counts.Messages++
		}
		m.collection, m.logged = number, true
		c.messages[digest] = m
	}
	if e.Epoch != nil {
		at := c.epoch(e.Collection, *e.Epoch)
		at.counted = earlier(at.counted, e.At)
	}
}

func (c *Checker) epoch(collection string, number int64) *epoch {
	key := epochKey{collection, number}
	e := c.epochs[key]
	if e == nil {
		c.number(collection)
		e = &epoch{reached: map[snapshot.Kind]time.Time{}, moves: map[snapshot.Status]moves{}}
		c.epochs[key] = e
	}
	return e
}

// earlier is the earlier of two times. A zero first one stands for none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// see notes that a line shows the collection in a status.
func (e *epoch) see(status snapshot.Status, exempt []snapshot.Status, at time.Time) {
	for _, kind := range snapshot.Notifications {
		if status.AtLeast(kind.Wanted(), exempt) {
			e.reached[kind] = earlier(e.reached[kind], at)
		}
	}
}

// move: only from Sent to Received and from Received to Success. No system but others sets Sent, so a collection moves
// to Received as often as others set Sent, and to Success at most as often as others set Sent or Received.
func (c *Checker) move(e Moved) {
	c.counts.Moves++
	to := e.To
	switch {
	case e.From.Is(snapshot.Sent) && to.Is(snapshot.Received):
		to = snapshot.Received
	case e.From.Is(snapshot.Received) && to.Is(snapshot.Success):
		to = snapshot.Success
	default:
		c.found.add(wrongMove, e.Collection, "execution %s moved it from %s to %s", e.Execution, e.From, e.To)
		return
	}
	at := c.epoch(e.Collection, e.Epoch)
	at.see(to, nil, e.At)
	at.moves[to] = moves{at.moves[to].n + 1, earlier(at.moves[to].first, e.At)}
	c.moved[moveKey{e.Collection, to}]++
	most := c.overwritten[moveKey{e.Collection, snapshot.Sent}]
	if to == snapshot.Success {
		most += c.overwritten[moveKey{e.Collection, snapshot.Received}]
	}
	if c.knows.Complete && c.moved[moveKey{e.Collection, to}] > most {
		c.found.add(movedTwice, e.Collection,
			"it was moved to %s %d times, and other systems made that possible %d times",
			to, c.moved[moveKey{e.Collection, to}], most)
	}
}

func (c *Checker) check(e Checked) {
	if e.Status == "" {
		return // the row is gone
	}
	c.epoch(e.Collection, e.Epoch).see(e.Status, c.knows.Exempt, e.At)
	by := owner{e.Execution, e.Collection}
	if c.checked[by] == nil {
		c.checked[by] = map[int64]bool{}
	}
	c.checked[by][e.Epoch] = c.checked[by][e.Epoch] || e.Status.AtLeast(snapshot.Received, nil)
}

// send: what is sent keeps its identity, and is sent once while no process dies.
func (c *Checker) send(e Sent) {
	switch e.Kind {
	case snapshot.SuccessFileRequest:
		c.counts.Requests++
		c.epoch(e.Collection, e.Version).see(snapshot.Received, nil, e.At)
	case snapshot.AllReceived, snapshot.AllSuccessful:
		c.counts.Notifications++
	default:
		c.counts.Alerts++
	}
	if e.EventID != e.Outgoing.EventID() {
		c.found.add(wrongID, e.Collection, "%s was sent with the event id %s instead of %s", describe(e.Outgoing),
			e.EventID, e.Outgoing.EventID())
	}
	c.sends[e.Outgoing] = append(c.sends[e.Outgoing], e)
	if c.knows.Calm && len(c.sends[e.Outgoing]) > 1 {
		c.found.add(sentTwice, e.Collection, "%s was sent twice, although no process died", describe(e.Outgoing))
	}
}

func describe(out snapshot.Outgoing) string {
	version := "version"
	if out.Kind == snapshot.SuccessFileRequest {
		version = "epoch"
	}
	return fmt.Sprintf("%s of %s %d", out.Kind, version, out.Version)
}
