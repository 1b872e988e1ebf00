// Package scaling_test is the arithmetic of docs/scaling.md: what one file takes of each AWS quota, and so the rate of
// files at which the quota binds.
package scaling_test

import (
	"fmt"
	"math"
)

// shape is a run. Active collections are sent at the same time, their files mixed at random.
type shape struct {
	name                       string
	files, collections, active float64
}

type settings struct {
	workflow string
	batch    float64 // messages: batches are full while the queue holds enough
}

func (s settings) String() string { return fmt.Sprint(s.workflow, " ", s.batch) }

const (
	standard = "STANDARD"
	express  = "EXPRESS"
)

// Sizes in bytes. Those of the ledger follow from its items with ids and file names of usual length.
const (
	unit           = 1024.0 // of a write
	receiptItem    = 250.0  // an item of receipts without its messages
	receipt        = 150.0  // one message of it
	collectionItem = 350.0  // a collection without its digests
	digest         = 13.0   // as an element of a set
	page           = 48.0   // digests after which a page is turned: internal/store
)

// Assumptions: AWS promises no durations.
const (
	callSeconds    = 0.1  // of one function call
	startSeconds   = 0.1  // of a pipe's batch that starts an execution and ends there (STANDARD)
	executeSeconds = 0.25 // of one that waits for its execution (EXPRESS)
)

// What one collection takes besides its files, when it becomes Received, when it becomes Success, and when the stream
// delivers the sender's change to Sent. States are those that the definition enters.
const (
	moveStates = 6 + 5 + 5 // Received: from Check Collection to Run Incomplete; Success: without Notify Sender
	moveCalls  = 3 + 2 + 2
	moveLedger = 2     // enqueued, delivered
	moveRow    = 1 + 2 // adopted; Received, Success
	moveReads  = 8     // of the run's partition
)

// load is what one file takes, with its share of its collection's completion.
type load struct {
	starts, states, calls float64
	groups                float64 // updates of a row, each with a batch read before it
	runWrites, runReads   float64 // units of the run's partition, the sender's own write of FilesSent included
	ledgerWrites          float64 // units; of one collection they are all of one partition
	requests, notices     float64
}

// groupsOf is how many collections a batch's messages are of.
func groupsOf(s shape, batch float64) float64 {
	return s.active * (1 - math.Pow(1-1/s.active, batch))
}

// groupWrites are the ledger's units for a group of n messages: receipts, count, and its part of a page.
func groupWrites(n float64) float64 {
	units := func(bytes float64) float64 { return math.Ceil(bytes / unit) }
	full := max(page, n)
	turn := units(digest*full) + units(collectionItem+digest*full) // the page is put; its digests are deleted
	return units(receiptItem+receipt*n) + units(collectionItem+digest*max(n, page/2)) + turn*n/full
}

func loadOf(s shape, with settings) load {
	each := s.collections / s.files // collections for each file
	messages := 1 + each            // the _success file is one more message
	batches := messages / with.batch
	groups := batches * groupsOf(s, with.batch)
	return load{
		starts: batches + each, states: 2*batches + moveStates*each, calls: batches + moveCalls*each,
		groups:    groups,
		runWrites: 1 + groups + moveRow*each, runReads: groups + moveReads*each,
		ledgerWrites: groups*groupWrites(messages/groups) + moveLedger*each,
		requests:     each, notices: 2 / s.files,
	}
}

// quota is AWS's default in eu-west-1.
type quota struct {
	name, limit, source string
	binds               func(shape, settings, load) float64 // files a second; 0 where the quota does not apply
}

const aws = "https://docs.aws.amazon.com/"

var quotas = []quota{
	{"run writes", "1,000 units a second of a partition",
		aws + "amazondynamodb/latest/developerguide/bp-partition-key-design.html",
		func(_ shape, _ settings, l load) float64 { return 1000 / l.runWrites }},
	{"run reads", "3,000 units a second of a partition",
		aws + "amazondynamodb/latest/developerguide/bp-partition-key-design.html",
		func(_ shape, _ settings, l load) float64 { return 3000 / l.runReads }},
	{"collection writes", "1,000 units a second of a partition",
		aws + "amazondynamodb/latest/developerguide/bp-partition-key-design.html",
		func(s shape, _ settings, l load) float64 { return 1000 * s.active / l.ledgerWrites }},
	{"ledger writes", "4,000 units a second of a new table",
		aws + "amazondynamodb/latest/developerguide/warm-throughput-scenarios.html",
		func(_ shape, _ settings, l load) float64 { return 4000 / l.ledgerWrites }},
	{"starts", "300 STANDARD a second, 6,000 EXPRESS", aws + "step-functions/latest/dg/service-quotas.html",
		func(_ shape, with settings, l load) float64 {
			return map[string]float64{standard: 300, express: 6000}[with.workflow] / l.starts
		}},
	{"transitions", "5,000 STANDARD a second", aws + "step-functions/latest/dg/service-quotas.html",
		func(_ shape, with settings, l load) float64 {
			return map[string]float64{standard: 5000}[with.workflow] / l.states
		}},
	{"pipe batches", "1,000 at a time", aws + "eventbridge/latest/userguide/eb-pipes-sqs.html",
		func(_ shape, with settings, _ load) float64 { return 1000 * with.batch / heldSeconds(with) }},
	{"function calls", "1,000 at a time", aws + "lambda/latest/dg/gettingstarted-limits.html",
		func(_ shape, _ settings, l load) float64 { return 1000 / callSeconds / l.calls }},
	{"messages in flight", "120,000 of a queue",
		aws + "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
		func(_ shape, with settings, _ load) float64 { return 120_000 / heldSeconds(with) }},
	{"requests", "300 sends a second to a FIFO queue",
		aws + "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
		func(_ shape, _ settings, l load) float64 { return 300 / l.requests }},
	{"notifications", "9,000 publishes a second", aws + "general/latest/gr/sns.html",
		func(_ shape, _ settings, l load) float64 { return 9000 / l.notices }},
}

func heldSeconds(with settings) float64 {
	if with.workflow == express {
		return executeSeconds
	}
	return startSeconds
}

// least is the lowest rate at which a quota binds, and that quota.
func least(s shape, with settings) (rate float64, name string) {
	rate = math.Inf(1)
	for _, q := range quotas {
		if binds := q.binds(s, with, loadOf(s, with)); binds > 0 && binds < rate {
			rate, name = binds, q.name
		}
	}
	return rate, name
}
