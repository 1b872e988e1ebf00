// Package metrics measures what the functions do. Each call writes one line of its log in CloudWatch's embedded metric
// format, from which CloudWatch makes metrics:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
//
// A call measures only what it did itself, so a repeated call counts nothing twice. A call that is killed loses its
// metrics: they are approximate, the ledger is exact.
package metrics

import (
	"context"
	"sync"
	"time"

	"snapshot-status-checker/internal/telemetry/logging"
)

// Namespace is the metrics' namespace in CloudWatch.
const Namespace = "SnapshotStatusChecker"

// Dimensions are the dimensions of every metric. They are keys of every log line.
var Dimensions = []string{logging.Application, logging.Environment}

// ByReason are the additional dimensions of MessagesRejected.
var ByReason = append(Dimensions[:len(Dimensions):len(Dimensions)], logging.Reason)

// Unit is one of CloudWatch's units.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
)

// Metric is a metric in CloudWatch.
type Metric struct {
	Name string
	Unit Unit
}

// The metrics, by the function that measures them.
var (
	// increment
	FilesReceived         = Metric{"FilesReceived", Count}                // files counted, each message once
	SuccessFilesReceived  = Metric{"SuccessFilesReceived", Count}         // _success files, each message once
	RepeatedFiles         = Metric{"RepeatedFiles", Count}                // files that came again; countBy=file only
	DuplicateMessages     = Metric{"DuplicateMessages", Count}            // messages recorded before
	MessagesRejected      = Metric{"MessagesRejected", Count}             // messages not counted; also by reason_code
	FilesOverReceived     = Metric{"FilesOverReceived", Count}            // files counted beyond FilesSent
	MessageProcessingTime = Metric{"MessageProcessingTime", Milliseconds} // of each message, from sent to counted

	// all functions: conditional writes refused because the item had changed
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
	OldestOpenRunAge = Metric{"OldestOpenRunAge", Seconds} // since its first message or reopening; 0 without open runs
	StalledRuns      = Metric{"StalledRuns", Count}        // open runs without progress for too long
	LateRuns         = Metric{"LateRuns", Count}           // open runs past their deadline
	OldestPendingAge = Metric{"OldestPendingAge", Seconds} // of pending messages; 0 without any
	StoppedPipes     = Metric{"StoppedPipes", Count}       // pipes of the stack that deliver nothing until started
)

// All lists every metric.
var All = []Metric{FilesReceived, SuccessFilesReceived, RepeatedFiles, DuplicateMessages, MessagesRejected,
	FilesOverReceived, MessageProcessingTime, ContentionRetries, CollectionsReceived, CollectionsSuccessful,
	RequestsSent, RunsReceived, RunsSuccessful, OpenRuns, OldestOpenRunAge, StalledRuns, LateRuns,
	OldestPendingAge, StoppedPipes}

// call is what one call of a function measured. It is safe for concurrent use.
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

// Begin begins a call: Write writes what is measured in the returned context. Measuring in another context has no
// effect.
func Begin(ctx context.Context, now func() time.Time) context.Context {
	return context.WithValue(ctx, callKey{}, &call{now: now, began: now(), sums: map[Metric]int64{},
		values: map[Metric][]float64{}, rejected: map[string]int64{}, about: map[string]string{}})
}

// in calls do with the context's call, if there is one, exclusively.
func in(ctx context.Context, do func(*call)) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		do(c)
	}
}

// Add adds to a metric of the call.
func Add(ctx context.Context, metric Metric, n int64) {
	in(ctx, func(c *call) { c.sums[metric] += n })
}

// Reject counts a message that was rejected for the reason.
func Reject(ctx context.Context, reason string) {
	in(ctx, func(c *call) { c.rejected[reason]++ })
}

// Measure adds a value of a metric, 0 too.
func Measure(ctx context.Context, metric Metric, value float64) {
	in(ctx, func(c *call) { c.values[metric] = append(c.values[metric], value) })
}

// Processed measures the time from sending a message to counting it. The zero time stands for the call's beginning.
func Processed(ctx context.Context, sent time.Time) {
	in(ctx, func(c *call) {
		if sent.IsZero() {
			sent = c.began
		}
		took := max(0, c.now().Sub(sent)) // the sender's clock may be ahead
		c.values[MessageProcessingTime] = append(c.values[MessageProcessingTime], float64(took.Milliseconds()))
	})
}

// Age measures the time since a moment, and 0 for the zero time.
func Age(ctx context.Context, metric Metric, since time.Time) {
	in(ctx, func(c *call) {
		age := time.Duration(0)
		if !since.IsZero() {
			age = max(0, c.now().Sub(since))
		}
		c.values[metric] = append(c.values[metric], age.Seconds())
	})
}

// About adds a property to the call's line for searching, such as a correlation id. It is not a dimension.
func About(ctx context.Context, key, value string) {
	in(ctx, func(c *call) { c.about[key] = value })
}
