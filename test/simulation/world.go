package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/local/pattern"
	"snapshot-status-checker/statemachine"
)

// world is everything around the tasks, and the scheduler that orders it.
type world struct {
	plan     Plan
	seed     uint64
	random   *rand.Rand
	trace    io.Writer
	sabotage *Sabotage
	faulty   bool // whether processes die and answers get lost now

	db     *memory.DB
	tables store.Tables
	clock  time.Time
	exempt []snapshot.Status
	// express executions run at most five minutes. The queue's pipe waits for their end; others may run twice.
	express bool
	// succeeds tells that another system counted before: see predecessor.
	succeeds bool
	// pageSize is how many digests make a page: few, so that pages turn, and meet each other where one is enough.
	pageSize int
	// torn tells that others write between the items of a page of a query, too.
	torn bool
	// standStill is after how many of its calls the next process of increment stands still until a new export begins,
	// for longest turns at most: a whole export may go by. 0 for none.
	standStill int

	actors      []*actor
	current     *actor
	steps       int
	started     int
	nonces      int
	idle        []*increment.Task // warm processes of increment, each with what it remembers
	changes     []string          // stream records on their way
	filters     []pattern.Pattern
	rejected    []rejected
	deadLetters []rejected
	everKept    map[string]bool // identities that were ever rejected
	sent        map[snapshot.Outgoing]int
	sends       int // of all that is sent but alerts
	requested   int // the latest of them at which a request for a new version was enqueued
	notified    map[snapshot.Kind]int
	exports     int // that began after monitoring was notified
	reached     map[reached]bool
	called      map[Call]bool
	noRows      map[*actor]bool // whose last query found nothing
	violation   string

	collections []*collection
	history     []message  // every message that was ever sent
	queue       []message  // messages that wait for the next one, to come in one batch
	mustReject  []string   // identities of messages that cannot be counted
	then        [][]func() // chains that an event has set off
	over        bool       // the rows expire
}

// rejected is a message in the rejected-messages queue.
type rejected struct {
	identity, raw string
	reason        snapshot.Reason
}

// reached remembers that a collection was seen in a status during an epoch.
type reached struct {
	collection string
	epoch      int64
	status     snapshot.Status
}

const run = "run"

// longest is for how many of its turns a process stands still at most: something else may wait for it.
const longest = 400

var exemptStatus = snapshot.Status("Table_Unavailable")

func newWorld(plan Plan, seed uint64, trace io.Writer) *world {
	w := &world{
		plan: plan, seed: seed, trace: trace, sabotage: &Sabotage{}, random: rand.New(rand.NewPCG(seed, 1)),
		db: &memory.DB{PageSize: 2}, tables: store.NewTables("status", "ledger"), clock: time.Unix(1_600_000_000, 0),
		everKept: map[string]bool{}, sent: map[snapshot.Outgoing]int{}, notified: map[snapshot.Kind]int{},
		reached: map[reached]bool{}, called: map[Call]bool{}, noRows: map[*actor]bool{},
	}
	if plan.Sabotage != nil {
		w.sabotage = plan.Sabotage
	}
	if w.chance(0.5) {
		w.exempt = []snapshot.Status{exemptStatus}
	}
	w.express = w.chance(0.5)
	// Drawn apart, so that the other stories are what they were.
	w.torn = rand.New(rand.NewPCG(seed, 3)).Float64() < 0.2
	w.pageSize = 1 + rand.New(rand.NewPCG(seed, 4)).IntN(3)
	w.succeeds = plan.Sweep && rand.New(rand.NewPCG(seed, 2)).Float64() < 0.15
	for _, text := range statemachine.StreamFilters([]string{string(exemptStatus)}) {
		filter, err := pattern.Parse(text)
		if err != nil {
			panic(err)
		}
		w.filters = append(w.filters, filter)
	}
	return w
}

func (w *world) now() time.Time { return w.clock }

func (w *world) lease() time.Duration { return store.DefaultLease }

func (w *world) chance(p float64) bool { return w.random.Float64() < p }

func (w *world) say(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%5d  %s\n", w.steps, fmt.Sprintf(format, args...))
	}
}

// broken notes the first guarantee that is broken.
func (w *world) broken(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
		w.say("BROKEN: %s", w.violation)
	}
}

// faultNow decides what goes wrong with a call. Without a storm the SDK's retries get over throttling.
func (w *world) faultNow() fault {
	if !w.faulty {
		return none
	}
	x := w.random.Float64()
	switch {
	case x < 0.01:
		return refused
	case x < 0.02:
		return crashBefore
	case x < 0.03:
		return crashAfter
	case x < 0.045:
		return lost
	}
	return none
}

// play lets events happen and actors run, in any order, until all is done. Each chain's events happen in
// their order.
func (w *world) play(chains [][]func()) {
	for w.violation == "" {
		chains, w.then = append(chains, w.then...), nil
		chains = slices.DeleteFunc(chains, func(chain []func()) bool { return len(chain) == 0 })
		w.actors = slices.DeleteFunc(w.actors, func(a *actor) bool { return a.done })
		switch {
		case len(chains) > 0 && (len(w.actors) == 0 || w.chance(0.12)):
			i := w.random.IntN(len(chains))
			event := chains[i][0]
			chains[i] = chains[i][1:]
			event()
		case len(w.changes) > 0 && (len(w.actors) == 0 || w.chance(0.12)):
			i := w.random.IntN(len(w.changes))
			change := w.changes[i]
			w.changes = slices.Delete(w.changes, i, i+1)
			w.start("change", "a change of status in the stream", change)
		case len(w.actors) > 0:
			w.step(w.actors[w.random.IntN(len(w.actors))])
		case len(w.queue) > 0:
			w.receive()
		default:
			return
		}
	}
	w.abandon()
}

// step gives an actor its turn. One that waits for an invocation may lose its patience.
func (w *world) step(a *actor) {
	if a.slow && w.chance(0.9) {
		return
	}
	if a.still > 0 {
		a.still--
		return
	}
	if a.blocked() {
		if !w.faulty || !w.chance(0.005) {
			return
		}
		w.say("%s does not wait for %s any longer", a.name, a.waitsFor.name)
		a.gaveUp = true
	}
	w.resume(a)
}

// abandon ends what still runs, once a guarantee is broken.
func (w *world) abandon() {
	for _, a := range w.actors {
		a.stop()
	}
	w.actors = nil
}

// start starts an execution of the state machine. If nothing waits for its end, EXPRESS runs it twice now and then.
func (w *world) start(why, words, input string) *execution {
	e := w.execute(&execution{id: w.newID(why), input: input}, words)
	if w.express && w.faulty && w.chance(0.05) {
		w.execute(&execution{id: e.id, input: input}, "the same, for the second time")
	}
	return e
}

// received starts an execution for messages of the queue.
func (w *world) received(input string, receive int) {
	if !w.express {
		receive = 0 // once it started, they are deleted
	}
	w.execute(&execution{id: w.newID("message"), input: input, receive: receive},
		fmt.Sprintf("messages, received for the %d. time", receive))
}

func (w *world) newID(why string) string {
	w.started++
	return fmt.Sprintf("%s-%d", why, w.started)
}

func (w *world) execute(e *execution, words string) *execution {
	e.world = w
	w.say("%s starts with %s", e.id, words)
	w.spawn(e.id, e.run)
	return e
}

// store is the protocol in a process of a task's own.
func (w *world) store(task string) *store.Store {
	settings := store.Settings{Exempt: w.exempt, StalledAfter: time.Hour, PageSize: w.pageSize, Now: w.now,
		Nonce: w.nonce}
	return store.New(seam{w, task}, w.tables, settings)
}

func (w *world) nonce() string {
	w.nonces++
	return strconv.Itoa(w.nonces)
}

// process takes a warm process of increment or a new one. A warm one may have seen an old state of things.
func (w *world) process() *increment.Task {
	if n := len(w.idle); n > 0 && w.chance(0.7) {
		i := w.random.IntN(n)
		process := w.idle[i]
		w.idle = slices.Delete(w.idle, i, i+1)
		return process
	}
	return increment.New(w.store("increment"), services{w}, 0, increment.InOrder, quiet)
}

func (w *world) sweep() {
	w.started++
	id := fmt.Sprintf("sweep-%d", w.started)
	w.spawn(id, func(*actor) {
		task := sweep.New(w.store("sweep"), services{w}, services{w}, quiet)
		if _, err := task.Handle(context.Background(), sweep.Input{ExecutionID: id}); err != nil {
			w.say("%s failed: %v", id, err)
		}
	})
}

func (w *world) reject(k rejected) {
	w.say("rejected: %s as %s", k.identity, k.reason)
	w.rejected = append(w.rejected, k)
	w.everKept[k.identity] = true
}

// others writes a row as the other systems do: without looking. A nil item deletes it.
func (w *world) others(what, collection string, item table.Item) {
	ref := w.tables.Status.At(run, collection)
	old := w.item(ref)
	w.say("%s %s: %s → %s", what, collection, w.rowInWords(old), w.rowInWords(item))
	w.db.Put(ref, item)
	w.changed(ref, old)
}

// changed takes note of a write on the export status table, by whomever, and lets the stream tell it.
func (w *world) changed(ref table.Ref, old table.Item) {
	now := w.item(ref)
	if row := w.decodeRow(ref.Sort, now); row != nil {
		epoch := w.ledger(ref.Sort).Epoch(*row)
		for _, status := range []snapshot.Status{snapshot.Received, snapshot.Success} {
			if row.Status.AtLeast(status, w.exempt) {
				w.reached[reached{ref.Sort, epoch, status}] = true
			}
		}
	}
	record := map[string]any{"eventSource": "aws:dynamodb", "eventName": eventName(old, now),
		"dynamodb": map[string]any{
			"Keys": map[string]any{"CorrelationId": map[string]any{"S": ref.Partition},
				"CollectionName": map[string]any{"S": ref.Sort}},
		}}
	images := record["dynamodb"].(map[string]any)
	for name, item := range map[string]table.Item{"OldImage": old, "NewImage": now} {
		if item != nil {
			images[name] = image(item)
		}
	}
	passes := slices.ContainsFunc(w.filters, func(filter pattern.Pattern) bool { return filter.Matches(record) })
	if passes && !w.sabotage.NoStream {
		w.changes = append(w.changes, encode([]any{record}))
	}
}

func eventName(old, now table.Item) string {
	switch {
	case old == nil:
		return "INSERT"
	case now == nil:
		return "REMOVE"
	}
	return "MODIFY"
}

// image is what the stream says of an item, as far as a filter looks at it.
func image(item table.Item) map[string]any {
	attributes := map[string]any{}
	if status, ok := item["CollectionStatus"].(string); ok {
		attributes["CollectionStatus"] = map[string]any{"S": status}
	}
	if sent, ok := item["FilesSent"].(int64); ok {
		attributes["FilesSent"] = map[string]any{"N": strconv.FormatInt(sent, 10)}
	}
	return attributes
}

// decodeRow is the row of an item, nil for none.
func (w *world) decodeRow(collection string, item table.Item) *snapshot.Row {
	if item == nil {
		return nil
	}
	counter := func(attribute string) snapshot.Counter {
		n, set := item[attribute].(int64)
		return snapshot.Counter{N: n, Set: set}
	}
	status, _ := item["CollectionStatus"].(string)
	return &snapshot.Row{
		CollectionKey: snapshot.CollectionKey{CorrelationID: run, CollectionName: collection},
		Status:        snapshot.Status(status),
		FilesSent:     counter("FilesSent"), FilesReceived: counter("FilesReceived"),
		EpochStart: counter("EpochStart"), SyncedFiles: counter("SyncedFiles"),
	}
}

// ledger is what the ledger counted of a collection.
func (w *world) ledger(collection string) snapshot.Collection {
	item := w.item(w.collectionRef(collection))
	counted, _ := item.Int("Counted")
	return snapshot.Collection{Known: item != nil, Counted: counted}
}

func (w *world) collectionRef(collection string) table.Ref {
	return w.tables.Ledger.At("collection#"+run+"#"+collection, "collection")
}

func (w *world) runRef() table.Ref { return w.tables.Ledger.At("run", run) }

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps, slices and strings of this package come here
	}
	return string(text)
}
