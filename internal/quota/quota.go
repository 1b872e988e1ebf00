// Package quota is a discrete-event model of the quotas that AWS sets on the way of a message: how long a run of a
// given shape takes, what bounds it, and what it costs at list prices.
//
// It models, in seconds of its own clock: the senders' writes and messages; the pipe's pollers, which gather batches;
// the start of executions and their state transitions; function calls, refused above the concurrency and tried again
// as the definition says; and in each call the reads of pages, and the updates of the ledger and of the export status
// table, with the limits of a partition and of a table. What it knows of AWS is data: Published (quotas.go) with
// sources, and Measures (measures.go), which are assumptions. A seed makes it reproducible.
//
// It is simpler than AWS in this: requests over a rate wait in line instead of being refused and sent again; a
// partition gives what is promised and neither more from its burst capacity nor by being split while it is hot; and
// nothing fails but by the quotas.
package quota

// Kind is a quota, or what else can hold up a run.
type Kind int

// The quotas, in the order in which a message meets them.
const (
	RunWrites        Kind = iota // of the export status table's partition that holds the run's rows
	RunReads                     // of the same partition
	PipePollers                  // batches that the pipe has in hand at a time
	Starts                       // of Standard executions
	ExpressStarts                // of Express executions
	OpenExecutions               // of Standard executions
	Transitions                  // of Standard executions
	Concurrency                  // of all functions, or what is reserved for increment
	Environments                 // of a function, made anew
	CollectionWrites             // of the ledger's partition that holds a collection and its receipts
	LedgerWrites                 // of the ledger as a whole
	kinds
)

// Limit is a rate with a burst, or a number that is never exceeded (Rate 0).
type Limit struct {
	Rate  float64 // per second
	Burst float64 // at most at once
}

// Quota is a limit and who says so.
type Quota struct {
	Name   string
	Limit  Limit
	Unit   string
	Source string
	Read   string // date of the copy that was read
	Moves  string // what moves it
	Note   string
}

// Limits are the quotas of a run, which may differ from the published ones.
type Limits [kinds]Limit

// Published are the limits of quotas.go.
func PublishedLimits() Limits {
	var limits Limits
	for kind, quota := range Published {
		limits[kind] = quota.Limit
	}
	return limits
}

func (k Kind) String() string { return Published[k].Name }
