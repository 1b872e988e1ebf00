package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Kind is a kind of outgoing message. Its values are part of the state machine's data and of event ids.
type Kind string

// The kinds: the request to the sender for a collection's _success file, the two notifications about a whole run, and
// the three alerts about one.
const (
	SuccessFileRequest Kind = "SUCCESS_FILE_REQUEST"
	AllReceived        Kind = "ALL_RECEIVED"
	AllSuccessful      Kind = "ALL_SUCCESSFUL"
	RunStalled         Kind = "RUN_STALLED"
	RunAbandoned       Kind = "RUN_ABANDONED"
	RunLate            Kind = "RUN_LATE"
)

// Notifications lists the notifications about a whole run, in the order in which they become true.
var Notifications = []Kind{AllReceived, AllSuccessful}

// OfRun lists the kinds whose outbox entries are in the run's item.
var OfRun = []Kind{AllReceived, AllSuccessful, RunStalled, RunAbandoned, RunLate}

// Wanted is the status that every collection of a run must have reached before the notification.
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
	// Version is a request's epoch, a notification's generation, or the time that an alert's condition began (epoch
	// seconds).
	Version int64 `json:"version"`
}

// EventID identifies the message: the same each time it is sent, and different for every other message. It is the
// deduplication id on a FIFO queue and the attribute event_id elsewhere.
func (o Outgoing) EventID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %d", o.Kind, o.CorrelationID, o.CollectionName, o.Version))
	return hex.EncodeToString(sum[:])
}

// Entry is the outbox entry for the latest message of one kind. Its owner writes it before sending the message, and
// then delivers the message. After the end of the lease the next owner may take the entry over. The zero Entry stands
// for no entry.
type Entry struct {
	Version   Counter
	Owner     string    // see Owner; "" if it was released
	Since     time.Time // when the entry for this version was first written
	Until     time.Time // end of the lease
	Delivered bool
}

// Owner names the reconciliation of a collection by an execution. It is the same when a task is retried.
func Owner(execution, collectionName string) string { return execution + "/" + collectionName }

// ExecutionOf is the execution of an owner. Execution ids contain no slash.
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

// PendingOf reports whether the version's message is pending and the owner delivers it.
func (e Entry) PendingOf(owner string, version int64) bool {
	return e.Pending(version) && e.Owner == owner
}

// Free reports whether the owner may take over a pending message because another owner's lease has ended.
func (e Entry) Free(owner string, version int64, now time.Time) bool {
	return e.Pending(version) && e.Owner != owner && !now.Before(e.Until)
}

// Take is the entry that enqueues the version's message for the owner, or transfers it to the owner.
func (e Entry) Take(version int64, owner string, now time.Time, lease time.Duration) Entry {
	taken := Entry{Version: Count(version), Owner: owner, Since: now, Until: now.Add(lease)}
	if e.For(version) {
		taken.Since = e.Since
	}
	return taken
}

// Released is the entry without an owner: the next owner may take it over at once.
func (e Entry) Released() Entry {
	e.Owner, e.Until = "", time.Time{}
	return e
}
