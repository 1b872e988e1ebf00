// Package metrics counts what a person would ask about. A call of a function writes its counts as one line of
// its log in CloudWatch's embedded metric format, and CloudWatch makes metrics of it:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
//
// A call counts only what it did itself, so a call that is repeated counts nothing twice. One that is killed before
// its end takes its counts along: metrics are for looking at, the ledger is the truth.
package metrics

import (
	"context"
	"sync"
	"time"

	"snapshot-status-checker/internal/telemetry/logging"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "SnapshotStatusChecker"

// Dimensions are what every metric is told apart by. They are keys of the log, which say it already.
var Dimensions = []string{logging.Application, logging.Environment}

// ByReason are the dimensions under which MessagesRejected is counted a second time.
var ByReason = append(Dimensions[:len(Dimensions):len(Dimensions)], logging.Reason)

// Unit is one of CloudWatch's units.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
)

// Metric is one thing that a person would ask about.
type Metric struct {
	Name string
	Unit Unit
}

// The metrics, by the function that counts them.
var (
	// increment
	FilesReceived         = Metric{"FilesReceived", Count}                // files counted; each message once
	SuccessFilesReceived  = Metric{"SuccessFilesReceived", Count}         // _success files, each message once
	DuplicateMessages     = Metric{"DuplicateMessages", Count}            // recognised as counted before
	MessagesRejected      = Metric{"MessagesRejected", Count}             // could not be counted; also by reason_code
	FilesOverReceived     = Metric{"FilesOverReceived", Count}            // files counted beyond what was sent
	MessageProcessingTime = Metric{"MessageProcessingTime", Milliseconds} // of each message, from sent to counted
	// conditional writes refused because others wrote the same item; all functions
	ContentionRetries = Metric{"ContentionRetries", Count}

	// check-collection
	// moved to Received; counted again only if Sent is written over Received before the request is delivered
	CollectionsReceived   = Metric{"CollectionsReceived", Count}
	CollectionsSuccessful = Metric{"CollectionsSuccessful", Count} // moved to Success

	// notify
	RequestsSent   = Metric{"RequestsSent", Count}   // the sender was asked for a _success file
	RunsReceived   = Metric{"RunsReceived", Count}   // monitoring was notified that all of a run is received
	RunsSuccessful = Metric{"RunsSuccessful", Count} // … is successful

	// sweep, each time
	OpenRuns         = Metric{"OpenRuns", Count}           // runs with something left to do
	OldestOpenRunAge = Metric{"OldestOpenRunAge", Seconds} // since its first message; 0 without open runs
	StalledRuns      = Metric{"StalledRuns", Count}        // open runs that stand still for too long
	// of what is pending for sender or monitoring; 0 if nothing is
	OldestPendingAge = Metric{"OldestPendingAge", Seconds}
	// pipes of the stack that carry nothing until somebody starts them
	StoppedPipes = Metric{"StoppedPipes", Count}
)

// All lists every metric, for what watches them.
var All = []Metric{FilesReceived, SuccessFilesReceived, DuplicateMessages, MessagesRejected, FilesOverReceived,
	MessageProcessingTime,
	ContentionRetries, CollectionsReceived, CollectionsSuccessful, RequestsSent, RunsReceived, RunsSuccessful,
	OpenRuns, OldestOpenRunAge, StalledRuns, OldestPendingAge, StoppedPipes}

// call is what one call of a function counted so far. The work of a call may go side by side.
type call struct {
	now   func() time.Time
	began time.Time

	mu       sync.Mutex
	sums     map[Metric]int64
	values   map[Metric][]float64
	rejected map[string]int64
	about    map[string]string
}

type callKey struct{}

// Begin begins a call: what is counted in the context it returns is written by Write. Counting in any other context
// does nothing.
func Begin(ctx context.Context, now func() time.Time) context.Context {
	return context.WithValue(ctx, callKey{}, &call{now: now, began: now(), sums: map[Metric]int64{},
		values: map[Metric][]float64{}, rejected: map[string]int64{}, about: map[string]string{}})
}

// in calls do with the context's call, if there is one, and nobody else.
func in(ctx context.Context, do func(*call)) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		do(c)
	}
}

// Add adds to what the call counted.
func Add(ctx context.Context, metric Metric, n int64) {
	in(ctx, func(c *call) { c.sums[metric] += n })
}

// Reject counts a message that is kept for the reason.
func Reject(ctx context.Context, reason string) {
	in(ctx, func(c *call) { c.rejected[reason]++ })
}

// Measure notes a value, 0 too.
func Measure(ctx context.Context, metric Metric, value float64) {
	in(ctx, func(c *call) { c.values[metric] = append(c.values[metric], value) })
}

// Processed notes that a message was counted which was sent at this moment or, for the zero time, when the call began.
func Processed(ctx context.Context, sent time.Time) {
	in(ctx, func(c *call) {
		if sent.IsZero() {
			sent = c.began
		}
		took := max(0, c.now().Sub(sent)) // the sender's clock may be ahead of ours
		c.values[MessageProcessingTime] = append(c.values[MessageProcessingTime], float64(took.Milliseconds()))
	})
}

// Age notes how long ago a moment is; 0 for the zero time, which stands for none.
func Age(ctx context.Context, metric Metric, since time.Time) {
	in(ctx, func(c *call) {
		age := time.Duration(0)
		if !since.IsZero() {
			age = max(0, c.now().Sub(since))
		}
		c.values[metric] = append(c.values[metric], age.Seconds())
	})
}

// About gives the call's line a property by which it is found, such as a correlation id: not a dimension.
func About(ctx context.Context, key, value string) {
	in(ctx, func(c *call) { c.about[key] = value })
}
