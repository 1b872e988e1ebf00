package snapshot

import (
	"slices"
	"time"
)

// Counter is a number attribute that a row may lack, and that others may write as something else.
type Counter struct {
	N     int64 // 0 if the attribute is missing or no whole number
	Set   bool  // whether the attribute is there, of whatever type
	Other any   // what is there instead of a whole number; nil if it is one
}

// Count is a Counter that is set.
func Count(n int64) Counter { return Counter{N: n, Set: true} }

// Is reports whether the attribute is this number.
func (c Counter) Is(n int64) bool { return c.Set && c.Other == nil && c.N == n }

// Row is a collection's row of the export status table. The table is shared: anything here may have been overwritten by
// others since it was read.
type Row struct {
	CollectionKey
	Status        Status
	FilesSent     Counter // by the sender; final once the status is Sent
	FilesReceived Counter // ours, but set back to 0 by others when the collection is exported again
	EpochStart    Counter // ours alone: the ledger's count at which the present export began; may be negative
	SyncedFiles   Counter // ours alone: FilesReceived as this system last wrote it; while the row is adopted, a mark
}

// Adopted reports whether the row carries our attributes. One that does not is new, or was replaced whole.
func (r Row) Adopted() bool { return r.EpochStart.Set && r.SyncedFiles.Set && !r.Marked() }

// Marked reports whether the adoption of the row has begun: it bears a text that no other row ever bore.
func (r Row) Marked() bool { return r.SyncedFiles.Other != nil }

// Held is how much of the ledger's count an adopted row holds.
func (r Row) Held() int64 { return r.EpochStart.N + r.SyncedFiles.N }

// SetByOthers reports whether somebody else wrote FilesReceived since this system did, or removed it.
func (r Row) SetByOthers() bool { return !r.FilesReceived.Is(r.SyncedFiles.N) }

// Epoch says which export of the collection an adopted row is in. It is constant while files come in, and another
// number after others set the counter back. It may be negative and has no order.
func (r Row) Epoch() int64 { return r.Held() - r.FilesReceived.N }

// Complete reports whether every file that was sent has arrived. A collection without files never is: the sender itself
// moves it.
func (r Row) Complete() bool { return r.FilesSent.N >= 1 && r.FilesReceived.N >= r.FilesSent.N }

// Over is how many more files have arrived than were sent. Until the sender has written Sent, FilesSent may still grow,
// so it is 0.
func (r Row) Over() int64 {
	if r.FilesSent.N < 1 || !r.Status.Is(Sent) && !r.Status.AtLeast(Received, nil) {
		return 0
	}
	return max(0, r.FilesReceived.N-r.FilesSent.N)
}

// MayMove reports whether reconciling the collection could change anything. The hot path ends where it is false.
func (r Row) MayMove() bool {
	return r.Status.Is(Sent) && r.Complete() || r.Status.Is(Received) || r.Status.Is(Success)
}

// Collection is what the ledger knows of a collection. The zero Collection: nothing.
type Collection struct {
	Known         bool      // the ledger has an item for it
	Counted       int64     // distinct file messages, ever
	CountedAt     time.Time // of the last message, for people
	Recent        []string  // digests of the messages counted since the last page, sorted
	Pages         int64     // how many pages of digests stand before those
	Latest        Export    // what the last counted message said; if there was none, what the first of its run said
	SuccessEpochs []int64   // epochs whose success file came, sorted
	Request       Entry     // for the _success file
}

// Ours reports whether a file of the collection was counted here.
func (c Collection) Ours() bool { return c.Counted > 0 }

// Epoch is the row's epoch or, if the row was not adopted yet, the one in which it would be adopted now.
func (c Collection) Epoch(row Row) int64 {
	if row.Adopted() {
		return row.Epoch()
	}
	return c.Counted - row.FilesReceived.N
}

// RequestPending reports whether the request for the row's epoch was enqueued and not delivered, and is to be sent: the
// row is Received or further.
func (c Collection) RequestPending(row Row) bool {
	return row.Status.AtLeast(Received, nil) && c.Request.Pending(c.Epoch(row))
}

// Step is what a reconciliation of a collection does next.
type Step string

// The steps.
const (
	SyncRow        Step = "SYNC_ROW"        // the ledger counted more than the row holds
	AdoptRow       Step = "ADOPT_ROW"       // the row holds more than the ledger ever counted: the ledger is new
	EnqueueRequest Step = "ENQUEUE_REQUEST" // unless it is not ours and its run is not known to the ledger
	MoveToReceived Step = "MOVE_TO_RECEIVED"
	MoveToSuccess  Step = "MOVE_TO_SUCCESS"
	LeaseRequest   Step = "LEASE_REQUEST"   // take over the pending request of an owner that died
	ReleaseRequest Step = "RELEASE_REQUEST" // our request waits for a move that is not due any more
	Rest           Step = "REST"            // nothing to do now
)

// NextStep decides the next step from what is stored, never from the event that led here. The request is enqueued
// before the move to Received, so that a collection that was moved always has one, whoever dies in between.
func NextStep(row Row, c Collection, owner string, now time.Time) Step {
	epoch := c.Epoch(row)
	sent, received := row.Status.Is(Sent), row.Status.Is(Received)
	switch {
	case row.Adopted() && row.Held() < c.Counted:
		return SyncRow
	case row.Adopted() && row.Held() > c.Counted:
		return AdoptRow
	case (sent || received && c.Ours()) && row.Complete() && !c.Request.For(epoch):
		return EnqueueRequest
	case sent && row.Complete():
		return MoveToReceived
	case received && slices.Contains(c.SuccessEpochs, epoch):
		return MoveToSuccess
	case c.RequestPending(row) && c.Request.Free(owner, epoch, now):
		return LeaseRequest
	case !row.Status.AtLeast(Received, nil) && c.Request.PendingOf(owner, epoch):
		return ReleaseRequest
	}
	return Rest
}
