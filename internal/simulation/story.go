package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// collection is what the story knows of a collection: the truth that the tables are held against.
type collection struct {
	name    string
	upper   bool            // statuses in capitals
	never   bool            // its status never finishes
	empty   bool            // of no files: the sender itself moves it to Received
	files   int             // of the current attempt
	taken   int             // of these, how many the predecessor counted: not in the ledger
	before  int             // files of the attempts before that the ledger counted
	arrived map[string]bool // files of the current attempt that were delivered at least once
	success bool            // whether the current attempt's success file was delivered
	attempt int
}

// message is one SQS message.
type message struct{ id, body string }

func (c *collection) spell(status string) string {
	if c.upper {
		return strings.ToUpper(status)
	}
	return status
}

// tell lets a run happen: a first attempt of every collection, then new attempts of some among success files
// for others, then the success files that are left. After each part the world comes to rest and is checked.
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
	for _, c := range w.collections {
		w.others("exporter makes", c.name, table.Item{"CollectionStatus": c.spell("Exporting"), "FilesSent": int64(0)})
	}
	var chains [][]func()
	for _, c := range w.collections {
		chains = append(chains, w.attempt(c)...)
		if !c.empty && !c.never && w.chance(0.15) {
			chains = append(chains, w.successFile(c))
		}
	}
	w.part(append(chains, w.badMessages()...))

	chains = nil
	for _, c := range w.collections {
		switch {
		case c.empty || c.never:
		case w.chance(0.4):
			chains = append(chains, w.newAttempt(c))
		case w.chance(0.5):
			chains = append(chains, w.successFile(c))
		}
	}
	w.part(append(chains, w.disturbances()...))

	chains = nil
	for _, c := range w.collections {
		if !c.success && !c.empty && !c.never {
			chains = append(chains, w.successFile(c))
		}
	}
	w.part(append(chains, w.disturbances()...))
	w.finale()
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
	for range 3 {
		sent = w.sends
		if w.plan.Storm {
			w.clock = w.clock.Add(snapshot.Lease)
		}
		chains = [][]func(){w.putBack()}
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
		w.broken("%d messages were sent although all was paid", w.sends-sent)
	}
	w.checkRest()
}

// attempt is the sender's and the receiver's side of a collection's export.
func (w *world) attempt(c *collection) [][]func() {
	c.arrived, c.success, c.files = map[string]bool{}, false, 0
	if c.never {
		return [][]func(){{func() { w.write(c, "exporter", table.Item{"CollectionStatus": c.spell(string(exemptStatus))}) }}}
	}
	if c.empty {
		return [][]func(){{func() { w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Received")}) }}}
	}
	c.files = 1 + w.random.IntN(3)
	w.predecessor(c)
	var sender []func()
	var chains [][]func()
	for i := range c.files {
		if i < c.taken {
			c.arrived[fmt.Sprintf("%s-%d-%d", c.name, c.attempt, i)] = true
			sender = append(sender, func() { w.write(c, "sender", table.Item{"FilesSent": w.row(c).FilesSent.N + 1}) })
			continue
		}
		sender = append(sender, func() { w.write(c, "sender", table.Item{"FilesSent": w.row(c).FilesSent.N + 1}) })
		file := newMessage(c, fmt.Sprintf("%s-%d-%d", c.name, c.attempt, i), "")
		arrival := func() {
			c.arrived[file.id] = true
			w.deliver(file)
		}
		chains = append(chains, w.once(arrival, file))
		if w.chance(0.05) {
			chains = append(chains, []func(){func() { w.reuse(c, file) }})
		}
	}
	sent := func() { w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")}) }
	sender = append(sender, sent)
	if w.chance(0.3) {
		sender = append(sender, sent)
	}
	return append(chains, sender)
}

// predecessor is the system that this one replaces: in the middle of a run's first attempt it has counted some files, and
// goes. All that it leaves is the row's FilesReceived. The first collection keeps a file for us, or nobody could know of the
// run; and only with a sweep does anybody look at a collection that was complete before the run was known.
func (w *world) predecessor(c *collection) {
	c.taken = 0
	if !w.succeeds || c.attempt > 0 {
		return
	}
	c.taken = w.random.IntN(c.files + 1)
	if c == w.collections[0] {
		c.taken = min(c.taken, c.files-1)
	}
	w.write(c, "predecessor", table.Item{"FilesReceived": int64(c.taken)})
}

// reuse delivers another body under the identity of a file's message. Whichever comes first is counted, and the
// other is kept.
func (w *world) reuse(c *collection, file message) {
	c.arrived[file.id] = true
	w.mustKeep = append(w.mustKeep, file.id)
	w.deliver(newMessage(c, file.id, `,"unknown":"field"`))
}

// once delivers a message once, or now and then twice.
func (w *world) once(arrival func(), m message) []func() {
	if w.chance(0.2) {
		return []func(){arrival, func() { w.deliver(m) }}
	}
	return []func(){arrival}
}

// newAttempt lets a collection go through again under the same correlation id: its counters are set back, or
// its row is replaced whole. Only then do files of the new attempt arrive.
func (w *world) newAttempt(c *collection) []func() {
	over := func() { w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")}) }
	return []func(){over, func() {
		exporting := c.spell("Exporting")
		if w.chance(0.5) {
			w.write(c, "exporter", table.Item{"CollectionStatus": exporting, "FilesReceived": int64(0), "FilesSent": int64(0)})
		} else {
			w.others("exporter replaces", c.name, table.Item{"CollectionStatus": exporting, "FilesSent": int64(0)})
		}
		c.before, c.attempt = c.before+c.files-c.taken, c.attempt+1
		w.then = append(w.then, w.attempt(c)...)
	}}
}

// finale lets the rows expire while late messages still come. Nothing is checked at rest then, but what holds
// at every moment is: no row is made anew.
func (w *world) finale() {
	var chains [][]func()
	for _, c := range w.collections {
		late := newMessage(c, c.name+"-late", "")
		arrives := func() { c.arrived[late.id] = true; w.deliver(late) }
		chains = append(chains, []func(){func() { w.others("time deletes", c.name, nil) }}, []func(){arrives})
	}
	w.over = true
	w.play(chains)
}

func (w *world) successFile(c *collection) []func() {
	m := newMessage(c, fmt.Sprintf("%s-%d-success", c.name, c.attempt), `,"is_success_file":true`)
	return w.once(func() { c.success = true; w.deliver(m) }, m)
}

// disturbances are what others do at any time: Sent over whatever it is, and messages that come again.
func (w *world) disturbances() [][]func() {
	var chains [][]func()
	for _, c := range w.collections {
		if c.files > 0 && w.chance(0.3) {
			chains = append(chains, []func(){func() {
				if row := w.row(c); row.Status.Is(snapshot.Received) || row.Status.Is(snapshot.Success) {
					w.write(c, "sender", table.Item{"CollectionStatus": c.spell("Sent")})
				}
			}})
		}
	}
	again := func() { w.deliver(w.history[w.random.IntN(len(w.history))]) }
	return append(chains, []func(){again}, []func(){again})
}

// badMessages are kept, whatever goes wrong.
func (w *world) badMessages() [][]func() {
	var chains [][]func()
	bad := func(m message) {
		chains = append(chains, []func(){func() { w.mustKeep = append(w.mustKeep, m.id); w.deliver(m) }})
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
		`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01","filename":%q%s}`, run, c.name, id, more)}
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
	if w.chance(0.1) {
		w.queue = append(w.queue, w.history[w.random.IntN(len(w.history))])
	}
	var records []map[string]string
	for _, m := range w.queue {
		records = append(records, map[string]string{"messageId": m.id, "body": m.body, "eventSource": "aws:sqs"})
	}
	w.queue = nil
	w.received(encode(records), 1)
}

// putBack is a person who puts back what could not be counted, once the cause is mended: inside an envelope, with its
// identity. What was rejected for what it says stays: nothing may need a person to mend what was wrongly rejected.
func (w *world) putBack() []func() {
	var events []func()
	var stay []kept
	for _, k := range w.rejected {
		if k.reason != snapshot.ReasonNotCounted {
			stay = append(stay, k)
			continue
		}
		events = append(events, func() { w.deliver(message{"put-back-" + k.identity, envelope(k)}) })
	}
	w.rejected = stay
	for _, k := range w.deadLetters {
		events = append(events, func() { w.deliver(message{"put-back-" + k.identity, envelope(k)}) })
	}
	w.deadLetters = nil
	return events
}

func envelope(k kept) string {
	return encode(map[string]any{"Records": []any{map[string]any{"messageId": k.identity, "body": k.raw}}})
}

func (w *world) row(c *collection) snapshot.Row {
	return decode(c.name, w.item(w.tables.Status.At(run, c.name)))
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
