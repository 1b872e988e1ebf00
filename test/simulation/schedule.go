package simulation

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/local/pattern"
	"snapshot-status-checker/operator/history"
	"snapshot-status-checker/statemachine"
)

// chain is a list of events that happen in this order, with others in between.
type chain []func()

// schedule is one simulated run: the tables, queues and executions, what really happened, and what broke.
type schedule struct {
	plan   Plan
	seed   uint64
	random *rand.Rand
	again  *rand.Rand // decides which files come again
	trace  io.Writer
	mutant *mutant
	faulty bool // processes die and answers get lost now

	db     *memory.DB
	tables store.Tables
	clock  time.Time
	exempt []snapshot.Status
	// express executions run five minutes at most. The queue's pipe waits for their end; others may run twice.
	express           bool
	predecessorCounts bool // another system counted before: see countByPredecessor
	countBy           snapshot.CountBy
	pageSize          int  // digests of a page: few, so that pages turn often
	tornPages         bool // others write between the items of one page of a query
	// pauseAfter is the number of calls after which the next process of increment pauses until a new export begins, or
	// for longestPause turns; 0 for none.
	pauseAfter int

	actors        []*actor
	current       *actor
	steps         int
	started       int
	nonces        int
	idle          []*increment.Task // warm processes of increment, each with its cache
	streamRecords []string          // not delivered yet
	filters       []pattern.Pattern

	collections []*collection
	messages    []message // all that were ever sent
	waiting     []message // in the queue, for one batch with the next message
	mustReject  []string  // identities of messages that cannot be counted
	followUps   []chain   // set off by an event
	expired     bool      // the rows expire

	rejected     []rejected
	deadLetters  []rejected
	everRejected map[string]bool // identities
	sent         map[snapshot.Outgoing]int
	sends        int                   // requests and notifications
	requested    int                   // the number of sends when a request for a new version was last enqueued
	notified     map[snapshot.Kind]int // the number of sends at the last notification of a kind
	exports      int                   // that began after the first ones
	reached      map[reached]bool
	called       map[Call]bool
	noRows       map[*actor]bool // its last query found nothing
	violation    string

	logger  *slog.Logger // of the tasks
	history *history.Checker
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

// longestPause is a number of turns. It ends a pause that others wait for.
const longestPause = 400

var exemptStatus = snapshot.Status("Table_Unavailable")

func newSchedule(plan Plan, seed uint64, trace io.Writer) *schedule {
	s := &schedule{
		plan: plan, seed: seed, trace: trace, mutant: plan.mutant,
		db: &memory.DB{PageSize: 2}, tables: store.NewTables("status", "ledger"),
		clock:        time.Unix(1_600_000_000, 1000),
		everRejected: map[string]bool{}, sent: map[snapshot.Outgoing]int{}, notified: map[snapshot.Kind]int{},
		reached: map[reached]bool{}, called: map[Call]bool{}, noRows: map[*actor]bool{},
	}
	if s.mutant == nil {
		s.mutant = &mutant{}
	}
	s.random, s.again = s.stream(1), s.stream(7)
	s.logger = s.newLog()
	if s.chance(0.5) {
		s.exempt = []snapshot.Status{exemptStatus}
	}
	s.express = s.chance(0.5)
	s.tornPages = s.stream(3).Float64() < 0.2
	s.pageSize = 1 + s.stream(4).IntN(3)
	if s.stream(6).Float64() < 0.3 {
		s.countBy = snapshot.ByFile
	}
	s.predecessorCounts = plan.Sweep && s.stream(2).Float64() < 0.15
	s.newHistory()
	for _, text := range statemachine.StreamFilters([]string{string(exemptStatus)}) {
		filter, err := pattern.Parse(text)
		if err != nil {
			panic(err)
		}
		s.filters = append(s.filters, filter)
	}
	return s
}

// stream makes random numbers for one choice, so that those for the other choices of a seed stay the same.
func (s *schedule) stream(choice uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, choice)) }

func (s *schedule) chance(p float64) bool { return s.random.Float64() < p }

func (s *schedule) log(format string, args ...any) {
	if s.trace != nil {
		fmt.Fprintf(s.trace, "%5d  %s\n", s.steps, fmt.Sprintf(format, args...))
	}
}

// violated records the first guarantee that the tables show broken.
func (s *schedule) violated(format string, args ...any) {
	if !s.plan.OnlyLines {
		s.broke(fmt.Sprintf(format, args...))
	}
}

// broke records the first broken guarantee, if that is not empty.
func (s *schedule) broke(guarantee string) {
	if s.violation == "" && guarantee != "" {
		s.violation = guarantee
		s.log("VIOLATION: %s", s.violation)
	}
}

func (s *schedule) row(c *collection) *snapshot.Row {
	return s.decodeRow(c.name, s.item(s.rowRef(c.name)))
}

// ledger is what the ledger counted of a collection.
func (s *schedule) ledger(collection string) snapshot.Collection {
	item := s.item(s.collectionRef(collection))
	counted, _ := item.Int("Counted")
	return snapshot.Collection{Known: item != nil, Counted: counted}
}

func (s *schedule) rowRef(collection string) table.Ref { return s.tables.Status.At(run, collection) }

func (s *schedule) collectionRef(collection string) table.Ref {
	return s.tables.Ledger.At("collection#"+run+"#"+collection, "collection")
}

// decodeRow is the row of an item, nil for none.
func (s *schedule) decodeRow(collection string, item table.Item) *snapshot.Row {
	if item == nil {
		return nil
	}
	counter := func(attribute string) snapshot.Counter {
		n, set := item[attribute].(int64)
		return snapshot.Counter{N: n, Set: set}
	}
	status, _ := item.String("CollectionStatus")
	return &snapshot.Row{
		CollectionKey: snapshot.CollectionKey{CorrelationID: run, CollectionName: collection},
		Status:        snapshot.Status(status),
		FilesSent:     counter("FilesSent"), FilesReceived: counter("FilesReceived"),
		EpochStart: counter("EpochStart"), SyncedFiles: counter("SyncedFiles"),
	}
}

func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps, slices and strings of this package come here
	}
	return string(text)
}
