package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Kind is a kind of outgoing message. Its values stand in the state machine's data and in event ids.
type Kind string

// The kinds: the request to the sender for a collection's _success file, the two notifications about a whole run, and
// the two alerts about one.
const (
	SuccessFileRequest Kind = "SUCCESS_FILE_REQUEST"
	AllReceived        Kind = "ALL_RECEIVED"
	AllSuccessful      Kind = "ALL_SUCCESSFUL"
	RunStalled         Kind = "RUN_STALLED"
	RunAbandoned       Kind = "RUN_ABANDONED"
)

// Notifications lists the notifications about a whole run, in the order in which they become true.
var Notifications = []Kind{AllReceived, AllSuccessful}

// OfRun lists the kinds whose outbox entries stand in the run's item.
var OfRun = []Kind{AllReceived, AllSuccessful, RunStalled, RunAbandoned}

// Wanted is the status that every collection of a run must have reached for the notification.
func (k Kind) Wanted() Status {
	if k == AllSuccessful {
		return Success
	}
	return Received
}

// Outgoing names one message to the sender or to monitoring. CollectionName is empty except for requests.
type Outgoing struct {
	Kind Kind `json:"kind"`
	CollectionKey
	// Version tells messages of one kind apart: of a request the collection's epoch, of a notification the run's
	// generation, of an alert the moment since when there is something to alert of (epoch seconds).
	Version int64 `json:"version"`
}

// EventID identifies the message: the same however often it is sent, and different for every other message. It is the
// deduplication id on a FIFO queue and the attribute event_id elsewhere.
func (o Outgoing) EventID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %d", o.Kind, o.CorrelationID, o.CollectionName, o.Version))
	return hex.EncodeToString(sum[:])
}

// Entry is the outbox entry for the latest message of one kind. It is written before the message is sent, by its owner,
// who then delivers it. Once the owner's lease is over anyone may take it, so a message whose owner died is delivered
// by another. The zero Entry was never written.
type Entry struct {
	Version   Counter
	Owner     string    // see Owner; "" if it was given up
	Since     time.Time // when the entry for this version was first written
	Until     time.Time // end of the lease
	Delivered bool
}

// Owner names a reconciliation of a collection by an execution: the same when a task is retried.
func Owner(execution, collectionName string) string { return execution + "/" + collectionName }

// ExecutionOf is the execution of an owner; the ids of executions contain no slash.
func ExecutionOf(owner string) string {
	execution, _, _ := strings.Cut(owner, "/")
	return execution
}

// For reports whether the entry is for the version.
func (e Entry) For(version int64) bool { return e.Version.Set && e.Version.N == version }

// Settles reports whether the version's message was delivered.
func (e Entry) Settles(version int64) bool { return e.For(version) && e.Delivered }

// Pending reports whether the version's message was enqueued and not delivered.
func (e Entry) Pending(version int64) bool { return e.For(version) && !e.Delivered }

// PendingOf reports whether the owner has to deliver the version's message.
func (e Entry) PendingOf(owner string, version int64) bool {
	return e.Pending(version) && e.Owner == owner
}

// Free reports whether the owner may take over the pending message of another: the lease is over.
func (e Entry) Free(owner string, version int64, now time.Time) bool {
	return e.Pending(version) && e.Owner != owner && !now.Before(e.Until)
}

// Take is the entry with which the owner enqueues the version's message, or takes it over.
func (e Entry) Take(version int64, owner string, now time.Time, lease time.Duration) Entry {
	taken := Entry{Version: Count(version), Owner: owner, Since: now, Until: now.Add(lease)}
	if e.For(version) {
		taken.Since = e.Since
	}
	return taken
}

// Released is the entry after its owner gave it up: anyone may take it at once.
func (e Entry) Released() Entry {
	e.Owner, e.Until = "", time.Time{}
	return e
}
