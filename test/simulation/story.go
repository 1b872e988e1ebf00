package simulation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// collection is what the story knows of a collection: the truth that the tables are held against.
type collection struct {
	name  string
	upper bool // statuses in capitals
	never bool // its status never finishes
	empty bool // without files: the sender itself moves it to Received
	files int  // of the current export
	// of these, how many another system counted, or a ledger that is lost: not in the ledger
	taken   int
	lost    int             // files that were counted under a ledger that is lost since
	before  int             // files of the exports before that the ledger counted
	arrived map[string]bool // files of the current export that were delivered at least once
	late    []string        // files that came while an export ended: each may count for that one or for a later one
	success bool            // whether the current export's success file was delivered
	// a success file came while an export ended: it may count for that one or for a later one
	lateSuccess bool
	export      int   // its number
	again       bool  // it is exported again as soon as it is received
	since       int64 // the run's generation when the current export began
	gone        bool  // its row was deleted
	mayBeGone   bool  // its row is deleted at some time, or was made later
}

// unchecked reports whether nothing of the collection can be checked: it never finishes, or its row is gone.
func (c *collection) unchecked() bool { return c.never || c.gone }

// message is one SQS message.
type message struct{ id, body string }

func (c *collection) spell(status string) string {
	if c.upper {
		return strings.ToUpper(status)
	}
	return status
}

// tell lets a run happen: a first export of every collection, then new exports of some among success files for others,
// then the success files that are left, and then, now and then, another run under the same id. After each part the
// world comes to rest and is checked.
func (w *world) tell() {
	for i := range 1 + w.random.IntN(3) {
		w.collections = append(w.collections, &collection{name: fmt.Sprintf("c%d", i), upper: w.chance(0.3)})
	}
	if w.chance(0.2) {
		w.collections = append(w.collections, &collection{name: "empty", empty: true})
	}
	if w.chance(0.2) {
		w.collections = append(w.collections, &collection{name: "never", never: true})
	}
	w.part(append(w.firstExports(), w.badMessages()...))
	w.part(append(w.secondExports(), w.disturbances()...))
	w.part(append(w.successFiles(), w.disturbances()...))
	w.finale()
}

// firstExports makes the rows and exports every collection. Now and then the ledger is lost half-way.
func (w *world) firstExports() [][]func() {
	for _, c := range w.collections {
		w.others("exporter makes", c.name, table.Item{"CollectionStatus": c.spell("Exporting"), "FilesSent": int64(0)})
	}
	w.loseLedger()
	var chains [][]func()
	for _, c := range w.collections {
		chains = append(chains, w.export(c)...)
		switch {
		case c.never:
		case c.taken > 0:
			// While two systems count, and when a new ledger adopts rows, the epoch moves: a success file that comes at
			// that moment may be taken for one of an epoch that has passed (docs/cutover.md).
		case c.files > 0 && w.standsStill(c):
			chains = append(chains, []func(){func() { w.whenReceived(c, 30, w.exportAgain(c, replaced)) }})
		case c.files > 0 && w.chance(0.2): // nor does a success file that comes late tell which export it belongs to
			c.again = true
			chains = append(chains, []func(){func() { w.whenReceived(c, 30, w.newExport(c)) }})
		case w.chance(0.15) && (!c.empty || w.chance(0.5)):
			chains = append(chains, w.successFile(c))
		}
	}
	return chains
}

// standsStill lets, now and then, a process that is about to count a collection's first file stand still for a whole
// export: the file comes again, all is received, and the collection is exported again.
func (w *world) standsStill(c *collection) bool {
	random := rand.New(rand.NewPCG(w.seed, 5))
	if c != w.collections[0] || random.Float64() >= 0.1 {
		return false
	}
	c.again = true
	w.standStill = 1 + random.IntN(8)
	file := fmt.Sprintf("%s-%d-0", c.name, c.export)
	c.arrived[file] = true
	w.queue = append(w.queue, newMessage(c, file, ""))
	w.receive()
	return true
}

// loseLedger counts some files under a ledger that is then lost: destroyed, and deployed anew.
func (w *world) loseLedger() {
	if !w.plan.Sweep || w.succeeds || !w.chance(0.1) {
		return
	}
	for _, c := range w.collections {
		if c.empty || c.never {
			continue
		}
		c.lost = w.random.IntN(4)
		c.arrived = map[string]bool{}
		for i := range c.lost {
			file := newMessage(c, fmt.Sprintf("%s-lost-%d", c.name, i), "")
			c.arrived[file.id] = true
			w.deliver(file)
		}
	}
	w.play(nil)
	w.say("the ledger is lost")
	partitions := []string{w.runRef().Partition}
	for _, c := range w.collections {
		partitions = append(partitions, w.collectionRef(c.name).Partition)
	}
	for _, partition := range partitions {
		for _, sort := range w.db.Keys(w.tables.Ledger, partition) {
			w.db.Put(w.tables.Ledger.At(partition, sort), nil)
		}
	}
	w.history, w.idle = nil, nil
	w.succeeds = true // as of another system's counts
}

func (w *world) secondExports() [][]func() {
	var chains [][]func()
	for _, c := range slices.Clone(w.collections) {
		switch {
		case c.never:
			chains = append(chains, []func(){func() { w.exempts(c) }})
		case c.empty:
		case w.chance(0.35):
			chains = append(chains, w.newExport(c))
		case w.chance(0.1) && !w.plan.Redeliver: // messages for a row that is gone remind of nothing
			chains = append(chains, w.vanish(c))
		case w.chance(0.5):
			chains = append(chains, w.successFile(c))
		}
	}
	if w.chance(0.1) {
		late := &collection{name: "b-late", mayBeGone: true}
		w.collections = append(w.collections, late)
		chains = append(chains, []func(){func() {
			w.exports++
			w.others("exporter adds", late.name, table.Item{"CollectionStatus": "Exporting", "FilesSent": int64(0)})
			w.then = append(w.then, w.export(late)...)
		}})
	}
	return chains
}

// successFiles are those of the collections that have none; of those without files, of some.
func (w *world) successFiles() [][]func() {
	var chains [][]func()
	for _, c := range w.collections {
		if !c.success && !c.unchecked() && (!c.empty || w.chance(0.5)) {
			chains = append(chains, w.successFile(c))
		}
	}
	return chains
}

// part lets the chains of events happen, sweeps among them, and then lets the world come to rest.
func (w *world) part(chains [][]func()) {
	if w.plan.Sweep && !w.sabotage.NoSweep {
		chains = append(chains, []func(){w.sweep, w.sweep})
	}
	w.faulty = w.plan.Storm
	w.play(chains)
	w.faulty = false
	sent := 0
	for range 4 {
		sent = w.sends
		if w.plan.Storm {
			w.clock = w.clock.Add(w.lease())
		}
		chains = [][]func(){w.replay()}
		if w.plan.Sweep && !w.sabotage.NoSweep {
			chains = append(chains, []func(){w.sweep})
		}
		if w.plan.Redeliver {
			for _, m := range w.history {
				chains = append(chains, []func(){func() { w.deliver(m) }})
			}
		}
		w.play(chains)
	}
	if w.sends != sent {
		w.broken("%d messages were sent although all was delivered", w.sends-sent)
	}
	w.checkRest()
}

// export is the sender's and the receiver's side of a collection's export.
func (w *world) export(c *collection) [][]func() {
	taken := c.lost
	if c.lost = 0; taken == 0 {
		c.arrived = map[string]bool{}
	}
	for _, file := range c.late {
		c.arrived[file] = true
	}
	c.success, c.files, c.taken = false, 0, 0
	if c.never && w.chance(0.5) {
		return [][]func(){{func() { w.exempts(c) }}}
	}
	if c.never {
		return nil // it is exempt later: see secondExports
	}
	if c.empty {
		becomes := func(status string) func() {
			return func() { w.write(c, "sender", table.Item{"CollectionStatus": c.spell(status)}) }
		}
		return [][]func(){{becomes("Sent"), becomes("Received")}}
	}
	c.files = max(1, taken) + w.random.IntN(4)
	if c == w.collections[0] && c.files == taken {
		c.files++ // a message has to make the run known
	}
	sender := w.predecessor(c, taken)
	var chains [][]func()
	for i := range c.files {
		sender = append(sender, func() { w.write(c, "sender", table.Item{"FilesSent": w.row(c).FilesSent.N + 1}) })
		if i < c.taken {
			continue
		}
		chains = append(chains, w.fileArrives(c, i))
	}
	sent := func() { w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")}) }
	sender = append(sender, sent)
	if w.chance(0.3) {
		sender = append(sender, sent)
	}
	if w.chance(0.15) {
		export := c.export
		sender = append(sender, func() {
			if c.export == export {
				w.oneMore(c)
			}
		})
	}
	return append(chains, sender)
}

// fileArrives delivers the file once, or now and then twice. Now and then it comes under the identity of the one
// before: then it is another message all the same.
func (w *world) fileArrives(c *collection, i int) []func() {
	name := fmt.Sprintf("%s-%d-%d", c.name, c.export, i)
	file := newMessage(c, name, "")
	if i > c.taken && w.chance(0.05) {
		file.id = fmt.Sprintf("%s-%d-%d", c.name, c.export, i-1)
	}
	return w.once(func() { c.arrived[name] = true; w.deliver(file) }, file)
}

// oneMore is a file that the sender sends after it has set Sent, as it must not: FilesSent grows, while we may be about
// to move the collection. It sends none for an export that is to be over: a file that comes late counts for the next
// one.
func (w *world) oneMore(c *collection) {
	if row := w.row(c); row == nil || !row.Status.Is(snapshot.Sent) || c.again {
		return
	}
	c.files++
	w.write(c, "sender", table.Item{"FilesSent": w.row(c).FilesSent.N + 1})
	w.then = append(w.then, w.fileArrives(c, c.files-1))
}

// predecessor is the system that this one replaces: it counts some files of a run's first export, before and beside us,
// and goes before the sender sets Sent. All that it leaves is the row's FilesReceived. The first collection keeps a
// file for us, or no message would make the run known; and only with a sweep is a collection reconciled that was
// complete before.
func (w *world) predecessor(c *collection, lost int) []func() {
	if c.taken = lost; !w.succeeds || c.export > 0 || lost > 0 {
		return nil
	}
	c.taken = w.random.IntN(c.files + 1)
	if c == w.collections[0] {
		c.taken = min(c.taken, c.files-1)
	}
	var counts []func()
	for i := range c.taken {
		c.arrived[fmt.Sprintf("%s-%d-%d", c.name, c.export, i)] = true
		counts = append(counts, func() {
			w.write(c, "predecessor",
				table.Item{"FilesReceived": w.row(c).FilesReceived.N + 1})
		})
	}
	if w.chance(0.5) { // all before we begin
		for _, count := range counts {
			count()
		}
		return nil
	}
	return counts
}

// once delivers a message once, or now and then twice.
func (w *world) once(arrival func(), m message) []func() {
	if w.chance(0.2) {
		return []func(){arrival, func() { w.deliver(m) }}
	}
	return []func(){arrival}
}

// newExport lets a collection go through again under the same correlation id: its counters are set back, before its
// status, after it or at once, or its row is replaced whole. Only then do files of the new export arrive.
func (w *world) newExport(c *collection) []func() { return w.exportAgain(c, w.random.IntN(replaced+1)) }

// replaced is the last of the ways in which a collection is exported again.
const replaced = 3

func (w *world) exportAgain(c *collection, way int) []func() {
	over := func() {
		w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")})
		w.lateMessages(c)
	}
	status := table.Item{"CollectionStatus": c.spell("Exporting")}
	counters := table.Item{"FilesReceived": int64(0), "FilesSent": int64(0)}
	begin := func() {
		w.exports++
		c.since, c.again = w.generation(), false
		for _, a := range w.actors {
			a.still = 0
		}
		c.before, c.export = c.before+c.files-c.taken, c.export+1
	}
	begun := func() {
		if w.then = append(w.then, w.export(c)...); w.chance(0.2) {
			w.then = append(w.then, w.successFile(c))
		}
	}
	write := func(attributes table.Item) func() { return func() { w.write(c, "exporter", attributes) } }
	switch way {
	case 0:
		return []func(){over, func() { begin(); write(counters)() }, func() { write(status)(); begun() }}
	case 1:
		return []func(){over, func() { begin(); write(status)() }, func() { write(counters)(); begun() }}
	case 2:
		both := maps.Clone(status)
		maps.Copy(both, counters)
		return []func(){over, func() { begin(); write(both)(); begun() }}
	default:
		return []func(){over, func() {
			begin()
			w.others("exporter replaces", c.name, table.Item{"CollectionStatus": c.spell("Exporting"),
				"FilesSent": int64(0)})
			begun()
		}}
	}
}

// lateMessages are a file, or the success file, of an export that ends: while its counters are set back they are being
// counted, for this export or for the next one.
func (w *world) lateMessages(c *collection) {
	switch x := w.random.Float64(); {
	case x < 0.2:
		file := fmt.Sprintf("%s-%d-late", c.name, c.export)
		c.late, c.arrived[file] = append(c.late, file), true
		w.deliver(newMessage(c, file, ""))
	case x < 0.4 && !c.success:
		c.lateSuccess, c.success = true, true
		w.deliver(newMessage(c, fmt.Sprintf("%s-%d-success", c.name, c.export), `,"is_success_file":true`))
	}
}

// whenReceived lets events happen once the collection is received: while the run goes on, and monitoring may just be
// notified.
func (w *world) whenReceived(c *collection, tries int, events []func()) {
	row := w.row(c)
	switch {
	case row == nil, tries == 0:
	case row.Status.Is(snapshot.Received) && row.FilesReceived.N == int64(c.files):
		w.then = append(w.then, events)
	default:
		w.then = append(w.then, []func(){func() { w.whenReceived(c, tries-1, events) }})
	}
}

// exempts is the exporter, which gives a collection up.
func (w *world) exempts(c *collection) {
	w.write(c, "exporter", table.Item{"CollectionStatus": c.spell(string(exemptStatus))})
}

// vanish deletes a row by hand.
func (w *world) vanish(c *collection) []func() {
	c.mayBeGone = true
	return []func(){func() {
		c.gone = true
		w.others("somebody deletes", c.name, nil)
	}}
}

// finale lets the rows expire while late messages still come. Nothing is checked at rest then, but what holds at every
// moment is: no row is made, and nobody is notified. Now and then the run id is used again for other collections.
func (w *world) finale() {
	if w.chance(0.2) {
		w.again()
		return
	}
	var chains [][]func()
	for _, c := range w.collections {
		late := newMessage(c, c.name+"-late", "")
		arrives := func() { c.arrived[late.id] = true; w.deliver(late) }
		chains = append(chains, []func(){func() { w.others("time deletes", c.name, nil) }}, []func(){arrives})
	}
	w.over = true
	w.play(chains)
}

// again deletes all rows and uses the run id for other collections.
func (w *world) again() {
	for _, c := range w.collections {
		c.gone = true
		w.others("time deletes", c.name, nil)
	}
	w.play(nil)
	w.collections = nil
	for i := range 1 + w.random.IntN(2) {
		w.collections = append(w.collections, &collection{name: fmt.Sprintf("d%d", i)})
	}
	w.exports++
	w.succeeds = false
	var chains [][]func()
	for _, c := range w.collections {
		w.others("exporter makes", c.name, table.Item{"CollectionStatus": "Exporting", "FilesSent": int64(0)})
		chains = append(chains, w.export(c)...)
	}
	w.history = nil
	w.part(chains)
	w.part(w.successFiles())
}

func (w *world) successFile(c *collection) []func() {
	m := newMessage(c, fmt.Sprintf("%s-%d-success", c.name, c.export), `,"is_success_file":true`)
	return w.once(func() { c.success = true; w.deliver(m) }, m)
}

// disturbances are what others do at any time: Sent over whatever it is, and messages that come again.
func (w *world) disturbances() [][]func() {
	var chains [][]func()
	for _, c := range w.collections {
		if c.files > 0 && w.chance(0.3) {
			chains = append(chains, []func(){func() {
				if row := w.row(c); row != nil && (row.Status.Is(snapshot.Received) ||
					row.Status.Is(snapshot.Success)) {
					w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")})
				}
			}})
		}
	}
	again := func() {
		if len(w.history) > 0 {
			w.deliver(w.history[w.random.IntN(len(w.history))])
		}
	}
	return append(chains, []func(){again}, []func(){again})
}

// badMessages are rejected, whatever goes wrong.
func (w *world) badMessages() [][]func() {
	var chains [][]func()
	bad := func(m message) {
		chains = append(chains, []func(){func() { w.mustReject = append(w.mustReject, m.id); w.deliver(m) }})
	}
	if w.chance(0.2) {
		bad(message{"not-json", "{"})
	}
	if w.chance(0.2) {
		bad(newMessage(&collection{name: "stranger"}, "stranger-0", ""))
	}
	return chains
}

func newMessage(c *collection, id, more string) message {
	return message{id: id, body: fmt.Sprintf(
		`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01","filename":%q%s}`,
		run, c.name, id, more)}
}

// deliver brings a message as Pipes does: now and then in one batch with the next one.
func (w *world) deliver(m message) {
	if !slices.Contains(w.history, m) {
		w.history = append(w.history, m)
	}
	if w.queue = append(w.queue, m); w.chance(0.8) {
		w.receive()
	}
}

// receive starts an execution for the messages that wait, and now and then one that came before.
func (w *world) receive() {
	if w.chance(0.1) && len(w.history) > 0 {
		w.queue = append(w.queue, w.history[w.random.IntN(len(w.history))])
	}
	var records []map[string]string
	for _, m := range w.queue {
		records = append(records, map[string]string{"messageId": m.id, "body": m.body, "eventSource": "aws:sqs"})
	}
	w.queue = nil
	w.received(encode(records), 1)
}

// replay is a person who replays what could not be counted, once the cause is mended: inside an envelope, with its
// identity. What was rejected for what it says stays: nothing may need a person to mend what was wrongly rejected.
func (w *world) replay() []func() {
	var events []func()
	var stay []rejected
	for _, k := range w.rejected {
		if k.reason != snapshot.ReasonNotCounted {
			stay = append(stay, k)
			continue
		}
		events = append(events, func() { w.deliver(message{"replayed-" + k.identity, envelope(k)}) })
	}
	w.rejected = stay
	for _, k := range w.deadLetters {
		events = append(events, func() { w.deliver(message{"replayed-" + k.identity, envelope(k)}) })
	}
	w.deadLetters = nil
	return events
}

func envelope(k rejected) string {
	return encode(map[string]any{"Records": []any{map[string]any{"messageId": k.identity, "body": k.raw}}})
}

func (w *world) row(c *collection) *snapshot.Row {
	return w.decodeRow(c.name, w.item(w.tables.Status.At(run, c.name)))
}

// write changes attributes of a row that exists.
func (w *world) write(c *collection, who string, attributes table.Item) {
	item := maps.Clone(w.item(w.tables.Status.At(run, c.name)))
	if item == nil {
		return
	}
	maps.Copy(item, attributes)
	w.others(who+" writes", c.name, item)
}
