// Package report answers what people ask about runs: their progress, what they wait for and which system has to act.
// It is pure. The JSON of its types is that of `snapshot-status --output json` (docs/snapshot-status.md).
package report

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/show"
)

// State is the state of a run.
type State string

// The states of a run. While a notification is pending, a run is InProgress or Stalled.
const (
	InProgress State = "in progress"
	Stalled    State = "stalled"  // nothing has changed for stalledAfterMinutes
	Received   State = "received" // all of it, and monitoring was notified; not all successful
	Successful State = "successful"
	Abandoned  State = "abandoned" // unfinished after 14 days, or by hand: the sweep ignores it
)

// Tone is the colour of the state.
func (s State) Tone() show.Tone {
	switch s {
	case Successful:
		return show.Good
	case Stalled, Abandoned:
		return show.Bad
	}
	return show.Busy
}

// Summary is a run in one line.
type Summary struct {
	Run           string     `json:"run"` // the correlation id
	State         State      `json:"state"`
	SnapshotType  string     `json:"snapshot_type"` // from its first message; empty if none was counted
	ExportDate    string     `json:"export_date"`
	Collections   int        `json:"collections"`
	Received      int        `json:"received"`   // received or further, exempt ones included
	Successful    int        `json:"successful"` // exempt ones included
	FilesReceived int64      `json:"files_received"`
	FilesSent     int64      `json:"files_sent"`              // as far as the sender says so far
	FirstMessage  *time.Time `json:"first_message,omitempty"` // when it was counted
	LastProgress  *time.Time `json:"last_progress,omitempty"` // when something changed last, as far as is known
	// when it is late, by lateAfterMinutes; absent if it is never late
	Deadline    *time.Time   `json:"deadline,omitempty"`
	Abandonment *Abandonment `json:"abandonment,omitempty"` // by hand, and nothing has moved since
	// the deadline has passed, and the run is neither successful nor abandoned
	Late bool `json:"late"`
}

// Abandonment is the end of a run by hand.
type Abandonment struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Run is a run with its collections, the blocking ones first.
type Run struct {
	Summary
	Notifications []Notification `json:"notifications"`
	Collections   []Collection   `json:"collections_in_detail"`

	known bool // it is in the ledger: one of its messages was counted
	// when something was counted or leased last; LastProgress may be later, since the sweep notices late
	moved time.Time
}

// InLedger reports whether one of the run's messages was counted here.
func (r Run) InLedger() bool { return r.known }

// Notification tells monitoring something about the whole run.
type Notification struct {
	Kind     snapshot.Kind `json:"kind"`
	Delivery Delivery      `json:"delivery"`
}

// Delivery says whether an outgoing message is due, pending or delivered.
type Delivery struct {
	State     DeliveryState `json:"state"`
	Since     *time.Time    `json:"since,omitempty"`     // pending since, at least
	Until     *time.Time    `json:"until,omitempty"`     // end of the owner's lease; then another may deliver
	Execution string        `json:"execution,omitempty"` // the owner
}

// DeliveryState is one of the states of an outgoing message.
type DeliveryState string

// The states of an outgoing message.
const (
	NotDue  DeliveryState = "not due"
	Pending DeliveryState = "pending" // without an owner, or its lease has expired
	// its owner is delivering it, or died before its lease expired
	Leased    DeliveryState = "leased"
	Delivered DeliveryState = "delivered"
)

// Open reports whether a message is due and not delivered.
func (d Delivery) Open() bool { return d.State == Pending || d.State == Leased }

// Settings decide what counts as done, as stalled and as late.
type Settings struct {
	Exempt       []snapshot.Status
	StalledAfter time.Duration
	LateAfter    snapshot.LateAfter
}

// New describes a run as it was read.
func New(correlationID string, read store.RunState, settings Settings, now time.Time) Run {
	known := snapshot.Run{CorrelationID: correlationID}
	if read.Run != nil {
		known = *read.Run
	}
	tally := &snapshot.Tally{}
	run := Run{known: read.Run != nil, Summary: Summary{Run: known.CorrelationID, SnapshotType: known.SnapshotType,
		ExportDate: known.ExportDate, FirstMessage: moment(known.RegisteredAt)}}
	for _, state := range read.Collections {
		row := *state.Row
		if state.Malformed != nil {
			row = snapshot.Row{CollectionKey: row.CollectionKey} // it blocks the run, as for the sweep
		}
		tally.Add(row, settings.Exempt)
		c := NewCollection(state, settings, now)
		if c.WaitsFor == ForReconciliation && read.Run == nil {
			c.WaitsFor = ForOthers // a reconciliation would not change it
		}
		run.Collections = append(run.Collections, c)
		if c.received {
			run.Received++
		}
		if c.successful {
			run.Successful++
		}
		run.moved = latest(run.moved, state.Collection.CountedAt, state.Collection.Request.Since)
	}
	slices.SortStableFunc(run.Collections, func(a, b Collection) int {
		return cmp.Compare(slices.Index(waits, a.WaitsFor), slices.Index(waits, b.WaitsFor))
	})
	run.Summary.Collections, run.FilesReceived, run.FilesSent = tally.Rows, tally.FilesReceived, tally.FilesSent
	for _, kind := range snapshot.Notifications {
		entry := known.Outbox[kind]
		due := run.known && known.Due(kind, tally) // the system that counts a run notifies monitoring
		run.Notifications = append(run.Notifications,
			Notification{kind, newDelivery(entry, known.Generation, due, now)})
		run.moved = latest(run.moved, entry.Since)
	}
	changed := latest(run.moved, known.Progress.Since) // sums that differ from the sweep's have changed after it
	run.State, run.LastProgress = state(known, tally, changed, settings, now), moment(changed)
	if read.EndedByHand(settings.Exempt) {
		run.State, run.Abandonment = Abandoned, &Abandonment{known.ByHand.At, known.ByHand.Reason}
	}
	run.setDeadline(known, settings, now)
	return run
}

// state follows the sweep's rule for a stall (snapshot.Run.Stall), from what is stored alone. The sweep records the
// progress of a run every few minutes. A record that is too old means a stall even if the sums differ from it: the run
// has only just moved, which the next sweep records, or no sweep runs.
func state(run snapshot.Run, tally *snapshot.Tally, changed time.Time, settings Settings, now time.Time) State {
	switch {
	case run.Done(tally), tally.Rows == 0 && delivered(run, snapshot.AllReceived) &&
		delivered(run, snapshot.AllSuccessful):
		return Successful
	case run.Abandoned:
		return Abandoned
	case !changed.IsZero() && now.Sub(changed) >= settings.StalledAfter:
		return Stalled
	case tally.All(snapshot.AllReceived) && !run.Due(snapshot.AllReceived, tally):
		return Received
	}
	return InProgress
}

// delivered reports whether monitoring was notified in this generation.
func delivered(run snapshot.Run, kind snapshot.Kind) bool {
	return run.Outbox[kind].Settles(run.Generation)
}

// newDelivery describes the message of a version, and whether it is due: by the outbox entry of its kind.
func newDelivery(entry snapshot.Entry, version int64, due bool, now time.Time) Delivery {
	enqueued := Delivery{State: Pending, Since: moment(entry.Since), Until: moment(entry.Until),
		Execution: snapshot.ExecutionOf(entry.Owner)}
	switch {
	case entry.Settles(version):
		enqueued.State, enqueued.Until = Delivered, nil
	case !due:
		return Delivery{State: NotDue}
	case !entry.For(version):
		return Delivery{State: Pending}
	case now.Before(entry.Until):
		enqueued.State = Leased
	}
	return enqueued
}

// latest is the latest of some moments, of which some may be unknown.
func latest(moments ...time.Time) time.Time { return slices.MaxFunc(moments, time.Time.Compare) }

// moment is nil if the time is unknown.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ToReconcile are the collections to reconcile for a whole run: those that wait for something or, if only a
// notification is pending, any one, since its reconciliation also checks the run.
func ToReconcile(run Run) []snapshot.CollectionKey {
	var keys []snapshot.CollectionKey
	for _, c := range run.Collections {
		if c.WaitsFor != ForNothing {
			keys = append(keys, snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: c.Collection})
		}
	}
	pending := func(n Notification) bool { return n.Delivery.State == Pending }
	if len(keys) == 0 && slices.ContainsFunc(run.Notifications, pending) {
		return []snapshot.CollectionKey{{CorrelationID: run.Run, CollectionName: run.Collections[0].Collection}}
	}
	return keys
}

// Malformed reports whether an error says that stored data is malformed. It need not affect other runs.
func Malformed(err error) bool {
	return errors.As(err, new(*failure.Malformed))
}

// NewestFirst sorts runs by their first messages, the newest first.
func NewestFirst(runs []snapshot.Run) {
	slices.SortFunc(runs, func(x, y snapshot.Run) int {
		return cmp.Or(y.RegisteredAt.Compare(x.RegisteredAt), cmp.Compare(x.CorrelationID, y.CorrelationID))
	})
}

// setDeadline sets the deadline of a run that is not done, and whether it is late. It follows the sweep, which ignores
// a run that is abandoned or has no rows.
func (s *Summary) setDeadline(run snapshot.Run, settings Settings, now time.Time) {
	if s.State == Successful || s.State == Abandoned || s.Collections == 0 {
		return
	}
	s.Deadline, s.Late = moment(run.Deadline(settings.LateAfter)), run.Late(now, settings.LateAfter)
}

// Label is the state and, beside it, whether the run is late.
func (s Summary) Label() string {
	if s.Late {
		return string(s.State) + ", late"
	}
	return string(s.State)
}

// Tone is the colour of the label.
func (s Summary) Tone() show.Tone {
	if s.Late {
		return show.Bad
	}
	return s.State.Tone()
}
