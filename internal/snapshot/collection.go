package snapshot

import "time"

// Counter is a number attribute that a row may lack. A missing one counts as 0 but is not the same as 0 in
// a condition.
type Counter struct {
	N   int64
	Set bool
}

// Count is a Counter that is set.
func Count(n int64) Counter { return Counter{N: n, Set: true} }

// Row is a collection's row of the export status table. The table is shared: anything here may have been
// overwritten by others since it was read.
type Row struct {
	CollectionKey
	Status        Status
	FilesSent     Counter // by the sender; final once the status is Sent
	FilesReceived Counter // ours, but set back to 0 by others when the collection is exported again
	FilesCounted  Counter // ours alone: how much of the ledger's count FilesReceived holds
	CountedBy     string  // ours alone: who brought the row up to date last
}

// Attempt numbers the exports of a collection under one correlation id. It is constant while files come in,
// and another number after somebody set the counters back or replaced the row. It may be negative, and it
// is not a count.
func (r Row) Attempt() int64 { return r.FilesCounted.N - r.FilesReceived.N }

// Complete reports whether every file that was sent has arrived. A collection of no files never is: the
// sender itself moves it.
func (r Row) Complete() bool { return r.FilesSent.N >= 1 && r.FilesReceived.N >= r.FilesSent.N }

// Over is how many more files have arrived than were sent. As long as the sender has not written Sent, FilesSent may
// still grow, and nobody can tell.
func (r Row) Over() int64 {
	if r.FilesSent.N < 1 || !r.Status.Is(Sent) && !r.Status.AtLeast(Received, nil) {
		return 0
	}
	return max(0, r.FilesReceived.N-r.FilesSent.N)
}

// MayMove reports whether a look at the collection could change anything. The hot path ends where it is false.
func (r Row) MayMove() bool {
	return r.Status.Is(Sent) && r.Complete() || r.Status.Is(Received) || r.Status.Is(Success)
}

// Collection is what the ledger knows of a collection.
type Collection struct {
	Counted   int64     // distinct file messages, ever
	CountedAt time.Time // when the last message was counted, for people
	Projected bool      // the row carried FilesCounted once; if it lacks it now, it was replaced whole
	Base      int64     // what was counted before the row was last replaced whole
	TakenOver bool      // others counted its files, and this system has taken it upon itself to finish it
	Latest    Export    // what the last counted message said; of one taken over before that, what its run's first said
	Success   Counter   // the attempt whose success file came
	Request   Claim     // the request for the _success file
}

// Before is the part of Counted that the row's FilesReceived does not wait for: what it holds already or,
// if the row was replaced whole, what belongs to older attempts.
func (c Collection) Before(row Row) int64 {
	switch {
	case row.FilesCounted.Set:
		return row.FilesCounted.N
	case c.Projected:
		return c.Counted
	default:
		return c.Base
	}
}

// Missing is how many counted files the row's FilesReceived lacks.
func (c Collection) Missing(row Row) int64 { return max(0, c.Counted-c.Before(row)) }

// Behind reports whether something is to be brought up to date: the row lacks counted files, or the ledger
// the memory that the row carries FilesCounted, because a process died in between.
func (c Collection) Behind(row Row) bool {
	return c.Missing(row) > 0 || row.FilesCounted.Set && c.Counted > 0 && !c.Projected
}

// Attempt is the row's attempt as it will be once the row is brought up to date. What a collection is owed
// and what it remembers is keyed by it.
func (c Collection) Attempt(row Row) int64 { return c.Before(row) - row.FilesReceived.N }

// Stale reports whether the row holds files that the ledger, which is read first, did not know of yet. Then it
// cannot say whether a request is owed; but whoever counted them looks after us and knows.
func (c Collection) Stale(row Row) bool { return c.Counted == 0 && row.FilesCounted.N > 0 }

// Ours reports whether this system answers for the collection: it counted a message of it, or has taken it over.
func (c Collection) Ours() bool { return c.Counted > 0 || c.TakenOver }

// RequestOwed reports whether the sender is still to be asked for the attempt's _success file: the row is
// Received and nobody delivered the request, or a claimer moved on to Success and died before it delivered.
// Who made a collection Received that is not ours, asks for it too.
func (c Collection) RequestOwed(row Row) bool {
	attempt := c.Attempt(row)
	if !c.Ours() || c.Request.Settles(attempt) {
		return false
	}
	return row.Status.Is(Received) || row.Status.Is(Success) && c.Request.For(attempt)
}

// FirstAttempt reports whether the request that the collection is owed is its first, in an attempt that began with
// the row: then no news of its run can have been told for an earlier one.
func (c Collection) FirstAttempt(row Row) bool { return !c.Request.Attempt.Set && c.Attempt(row) == 0 }

// Step is what a look at a collection does next.
type Step string

// The steps, in the order in which they are due.
const (
	BringUpToDate  Step = "BRING_UP_TO_DATE" // add what is counted but missing in the row
	TakeOver       Step = "TAKE_OVER"        // if its run is ours: answer for a collection that is complete by others' counting
	MoveToReceived Step = "MOVE_TO_RECEIVED"
	ClaimRequest   Step = "CLAIM_REQUEST"
	MoveToSuccess  Step = "MOVE_TO_SUCCESS"
	Rest           Step = "REST" // nothing more to do now
)

// NextStep decides the next step from what is stored, never from the event that led here. The request is
// claimed before the move to Success, so that a success file that came early does not make it forgotten. A collection is
// taken over before it is moved: whoever moves it has to ask for its _success file, however often it dies in between.
func NextStep(row Row, c Collection, claimer string, now time.Time) Step {
	switch {
	case c.Behind(row):
		return BringUpToDate
	case row.Status.Is(Sent) && row.Complete() && !c.Ours():
		return TakeOver
	case row.Status.Is(Sent) && row.Complete():
		return MoveToReceived
	case c.RequestOwed(row) && c.Request.Free(c.Attempt(row), claimer, now):
		return ClaimRequest
	case row.Status.Is(Received) && c.Success == Count(c.Attempt(row)) && !c.Stale(row):
		return MoveToSuccess
	}
	return Rest
}
