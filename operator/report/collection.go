package report

import (
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/show"
)

// Collection is one collection of a run.
type Collection struct {
	Collection    string     `json:"collection"`
	Status        string     `json:"status"` // as the table spells it
	FilesReceived int64      `json:"files_received"`
	FilesSent     int64      `json:"files_sent"`
	Epoch         int64      `json:"epoch"` // which export this is; not a count
	WaitsFor      WaitsFor   `json:"waits_for"`
	Since         *time.Time `json:"since,omitempty"`        // it has waited since then, as far as is known
	LastMessage   *time.Time `json:"last_message,omitempty"` // when its last message was counted
	Request       Delivery   `json:"request"`                // for its _success file
	Problem       string     `json:"problem,omitempty"`      // why its row cannot be read

	received, successful bool
}

// WaitsFor says what has to happen next to a collection.
type WaitsFor string

// What a collection may wait for, first what needs a person.
const (
	ForRepair         WaitsFor = "repair"           // its row cannot be read
	ForStatus         WaitsFor = "a known status"   // its status is none that a known system writes
	ForManualAction   WaitsFor = "manual action"    // its status is final: Table_Unavailable, Blocked_Topic
	ForReconciliation WaitsFor = "reconciliation"   // a step is due that this system has not taken
	ForDelivery       WaitsFor = "the request"      // for its _success file: pending or leased
	ForFiles          WaitsFor = "files"            // Sent, and not all have arrived
	ForSender         WaitsFor = "the sender"       // Sent, and FilesSent is 0: no file completes it
	ForSent           WaitsFor = "the status Sent"  // all files that the sender has counted have arrived
	ForOthers         WaitsFor = "another system"   // that counts its run: the run is not in the ledger
	ForExport         WaitsFor = "export"           // exporter and sender are working on it
	ForRetry          WaitsFor = "the next export"  // Export_Failed: the exporter tries again
	ForSuccessFile    WaitsFor = "the success file" // its request was delivered
	ForNothing        WaitsFor = "nothing"          // it is successful, or exempt
)

var waits = []WaitsFor{ForRepair, ForStatus, ForManualAction, ForReconciliation, ForDelivery, ForFiles, ForSender,
	ForSent, ForOthers, ForExport, ForRetry, ForSuccessFile, ForNothing}

// Tone is the colour of what a collection waits for.
func (w WaitsFor) Tone() show.Tone {
	switch w {
	case ForNothing:
		return show.Good
	case ForRepair, ForStatus, ForManualAction:
		return show.Bad
	}
	return show.Busy
}

// NewCollection describes a collection as it was read; its state has a row.
func NewCollection(state store.State, settings Settings, now time.Time) Collection {
	row, known := *state.Row, state.Collection
	c := Collection{
		Collection: row.CollectionName, Status: string(row.Status), FilesReceived: row.FilesReceived.N,
		FilesSent: row.FilesSent.N, Epoch: known.Epoch(row), LastMessage: moment(known.CountedAt),
		received:   state.Malformed == nil && row.Status.AtLeast(snapshot.Received, settings.Exempt),
		successful: state.Malformed == nil && row.Status.AtLeast(snapshot.Success, settings.Exempt),
	}
	if state.Malformed != nil {
		c.Problem = state.Malformed.Error()
	}
	step := snapshot.NextStep(row, known, noOwner, now)
	due := step == snapshot.EnqueueRequest && c.received || known.RequestPending(row)
	c.Request = newDelivery(known.Request, c.Epoch, due, now)
	c.WaitsFor = waitsFor(state, c, step)
	c.Since = c.LastMessage
	if c.WaitsFor == ForDelivery || c.WaitsFor == ForSuccessFile {
		c.Since = moment(latest(known.Request.Since, known.CountedAt))
	}
	return c
}

// noOwner owns no outbox entry.
const noOwner = "none/"

// waitsFor asks the rules first: a step of this system comes before what others have to do.
func waitsFor(state store.State, c Collection, step snapshot.Step) WaitsFor {
	row := *state.Row
	switch {
	case state.Malformed != nil:
		return ForRepair
	case step == snapshot.EnqueueRequest && c.received, step == snapshot.LeaseRequest, c.Request.State == Leased:
		return ForDelivery
	case step != snapshot.Rest:
		return ForReconciliation
	case c.successful:
		return ForNothing
	case row.Status.Is(snapshot.Received):
		return ForSuccessFile
	case !isKnown(row.Status):
		return ForStatus
	case slices.ContainsFunc(final, row.Status.Is):
		return ForManualAction
	case row.Status.Is(exportFailed):
		return ForRetry
	case row.Status.Is(snapshot.Sent) && row.FilesSent.N < 1:
		return ForSender
	case row.Status.Is(snapshot.Sent):
		return ForFiles
	case row.Status.Is(exported) && row.Complete():
		return ForSent
	}
	return ForExport
}

// The statuses that the exporter writes. Those that this system reads are the snapshot package's.
const (
	exporting    snapshot.Status = "Exporting"
	exported     snapshot.Status = "Exported"
	exportFailed snapshot.Status = "Export_Failed" // the exporter tries again by itself
)

// final are the statuses of collections that could not be exported; no system changes them.
var final = []snapshot.Status{"Table_Unavailable", "Blocked_Topic"}

// statusesKnown are all statuses whose writers are known, in the order of a collection's life.
var statusesKnown = slices.Concat([]snapshot.Status{exporting, exported, exportFailed}, final,
	[]snapshot.Status{snapshot.Sent, snapshot.Received, snapshot.Success})

func isKnown(status snapshot.Status) bool { return slices.ContainsFunc(statusesKnown, status.Is) }

// StatusName shows a status as the table spells it. An unknown one is quoted, so that blanks are visible.
func StatusName(status string) string {
	if isKnown(snapshot.Status(status)) {
		return show.Clean(status)
	}
	return show.Quote(status)
}

func knownStatuses() string {
	names := make([]string, len(statusesKnown))
	for i, status := range statusesKnown {
		names[i] = string(status)
	}
	return strings.Join(names, ", ")
}
