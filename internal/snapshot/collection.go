package snapshot

import (
	"slices"
	"strings"
	"time"
)

// Counter is a number attribute. A row may lack it, and other writers may store something else in it.
type Counter struct {
	N     int64 // 0 if the attribute is missing or not a whole number
	Set   bool  // the attribute exists, of any type
	Other any   // the stored value if it is not a whole number, else nil
}

// Count is a Counter that is set.
func Count(n int64) Counter { return Counter{N: n, Set: true} }

// Is reports whether the attribute is this number.
func (c Counter) Is(n int64) bool { return c.Set && c.Other == nil && c.N == n }

// Row is a collection's row of the export status table. Other systems write the same table, so a value may have changed
// since it was read.
type Row struct {
	CollectionKey
	Status        Status
	FilesSent     Counter // written by the sender; final once the status is Sent
	FilesReceived Counter // written by this system; other systems reset it for a new export
	EpochStart    Counter // only this system's: the ledger's count when the present export began; may be negative
	SyncedFiles   Counter // only this system's: the last FilesReceived it wrote, or the mark of an adoption
}

// Adopted reports whether the row has this system's attributes. A new row, or one that was replaced whole, has not.
func (r Row) Adopted() bool {
	return r.EpochStart.Set && r.SyncedFiles.Set && r.SyncedFiles.Other == nil
}

// AdoptionMark begins the text in SyncedFiles of a row that is being adopted. Each text is used once.
const AdoptionMark = "adopting "

// Marked reports whether the row's adoption has begun.
func (r Row) Marked() bool {
	mark, _ := r.SyncedFiles.Other.(string)
	return strings.HasPrefix(mark, AdoptionMark)
}

// Held is the part of the ledger's count that an adopted row includes.
func (r Row) Held() int64 { return r.EpochStart.N + r.SyncedFiles.N }

// SetByOthers reports whether another system wrote or removed FilesReceived after this system wrote it.
func (r Row) SetByOthers() bool { return !r.FilesReceived.Is(r.SyncedFiles.N) }

// Epoch identifies the export that an adopted row is in. Counting does not change it; a reset of FilesReceived by
// another system does. It may be negative and has no order.
func (r Row) Epoch() int64 { return r.Held() - r.FilesReceived.N }

// Complete reports whether all sent files were received. It is false for a collection without files, which the sender
// moves itself.
func (r Row) Complete() bool { return r.FilesSent.N >= 1 && r.FilesReceived.N >= r.FilesSent.N }

// Over is the number of files received beyond FilesSent. It is 0 before Sent, because FilesSent may still grow.
func (r Row) Over() int64 {
	if r.FilesSent.N < 1 || !r.Status.Is(Sent) && !r.Status.AtLeast(Received, nil) {
		return 0
	}
	return max(0, r.FilesReceived.N-r.FilesSent.N)
}

// MayMove reports whether a reconciliation of the collection may change anything.
func (r Row) MayMove() bool {
	return r.Status.Is(Sent) && r.Complete() || r.Status.Is(Received) || r.Status.Is(Success)
}

// Collection is the ledger's item of a collection. The zero Collection stands for no item.
type Collection struct {
	Known         bool      // the ledger has the item
	Counted       int64     // distinct file messages, over all epochs
	CountedAt     time.Time // of the last message, for people
	Recent        []string  // digests recorded since the last page, sorted
	Pages         int64     // full pages of older digests
	Instance      string    // differs from that of a lost ledger's item; set by the first count
	Latest        Export    // of the last counted message; without one, of the run's first message
	SuccessEpochs []int64   // epochs whose success file was received, sorted
	Request       Entry     // for the _success file
}

// Ours reports whether this system counted a file of the collection.
func (c Collection) Ours() bool { return c.Counted > 0 }

// Epoch is the row's epoch. For a row that is not adopted it is the epoch that an adoption now would give it.
func (c Collection) Epoch(row Row) int64 {
	if row.Adopted() {
		return row.Epoch()
	}
	return c.Counted - row.FilesReceived.N
}

// RequestPending reports whether the request for the row's epoch is enqueued, not delivered, and due: the row is
// Received or further.
func (c Collection) RequestPending(row Row) bool {
	return row.Status.AtLeast(Received, nil) && c.Request.Pending(c.Epoch(row))
}

// Step is the next step of a collection's reconciliation.
type Step string

// The steps.
const (
	SyncRow        Step = "SYNC_ROW"        // the ledger counted more than the row holds
	AdoptRow       Step = "ADOPT_ROW"       // the row holds more than the ledger counted: the ledger is new
	EnqueueRequest Step = "ENQUEUE_REQUEST" // if this system counted the collection or the ledger has its run
	MoveToReceived Step = "MOVE_TO_RECEIVED"
	MoveToSuccess  Step = "MOVE_TO_SUCCESS"
	LeaseRequest   Step = "LEASE_REQUEST"   // the lease of a pending request has ended: become its next owner
	ReleaseRequest Step = "RELEASE_REQUEST" // the owner's own request is no longer due: FilesSent grew
	Rest           Step = "REST"            // nothing to do now
)

// NextStep decides the next step from what is stored, not from the event. The request is enqueued before the move to
// Received, so that a process that ends in between leaves no moved collection without a request.
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
