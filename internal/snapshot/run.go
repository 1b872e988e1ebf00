package snapshot

import "time"

// Run is the ledger's item of a run: of one correlation id.
type Run struct {
	CorrelationID string
	Export        // of the run's first counted message
	RegisteredAt  time.Time
	// Generation counts the requests that were enqueued after monitoring had been notified; each makes the
	// notifications due again. Reopened holds a digest of the collection and epoch of each.
	Generation int64
	Reopened   []string
	ReopenedAt time.Time      // when the generation began; zero in the first
	Hints      map[Kind]Hint  // for each notification
	Outbox     map[Kind]Entry // of OfRun
	Progress   Progress
	Abandoned  bool // the sweep skips it, because of its age
	ByHand     Abandonment
}

// Hint names a collection that blocks the notification, so that a check need not read the whole run whenever a
// collection moves. It works like a watched literal of a SAT solver: the reconciliation that moves the blocker finds
// the next one.
type Hint struct {
	Collection string // "" if none is known
	By         string // the owner that set it; see Owner
	Notified   bool   // monitoring was notified in this generation; no blocker is needed
}

// Notified reports whether monitoring was or will be notified in the present generation: the hint says so, or there is
// an outbox entry, delivered or not.
func (r Run) Notified(kind Kind) bool {
	return r.Hints[kind].Notified || r.Outbox[kind].For(r.Generation)
}

// successNotified reports whether monitoring was notified in this generation that all of the run is successful.
func (r Run) successNotified() bool {
	return r.Hints[AllSuccessful].Notified || r.Outbox[AllSuccessful].Settles(r.Generation)
}

// Outgoing names the run's message of this kind and version.
func (r Run) Outgoing(kind Kind, version int64) Outgoing {
	return Outgoing{Kind: kind, CollectionKey: CollectionKey{CorrelationID: r.CorrelationID}, Version: version}
}

// Due reports whether monitoring must be notified: the tally of all rows allows it, and the generation's notification
// is not delivered.
func (r Run) Due(kind Kind, t *Tally) bool {
	return t.All(kind) && !r.Hints[kind].Notified && !r.Outbox[kind].Settles(r.Generation)
}

// Tally sums up the rows of a run, page by page. The zero Tally has no rows.
type Tally struct {
	Rows          int
	FilesReceived int64
	FilesSent     int64
	sent          int            // rows in the status Sent
	missing       map[Kind]int   // how many rows block the notification
	blockers      map[Kind][]Row // the first MaxNamed of them
}

// Add adds a row.
func (t *Tally) Add(row Row, exempt []Status) {
	if t.missing == nil {
		t.missing, t.blockers = map[Kind]int{}, map[Kind][]Row{}
	}
	t.Rows++
	t.FilesReceived += row.FilesReceived.N
	t.FilesSent += row.FilesSent.N
	if row.Status.Is(Sent) {
		t.sent++
	}
	for _, kind := range Notifications {
		if row.Status.AtLeast(kind.Wanted(), exempt) {
			continue
		}
		if t.missing[kind]++; t.missing[kind] <= MaxNamed {
			t.blockers[kind] = append(t.blockers[kind], row)
		}
	}
}

// All reports whether no row blocks the notification. Every row of the run must have been added. A run without rows
// notifies nothing.
func (t *Tally) All(kind Kind) bool { return t.Rows > 0 && t.missing[kind] == 0 }

// PendingSince is the time since when the oldest message of the run has been pending, the zero time if none is pending.
// An enqueued message is pending since it was enqueued. A notification that is due and not enqueued is pending since
// the run's sums last changed.
func (r Run) PendingSince(t *Tally, rows []Row, collections []Collection, changed time.Time) time.Time {
	var oldest time.Time
	pending := func(since time.Time) {
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	for i, row := range rows {
		if collections[i].RequestPending(row) {
			pending(collections[i].Request.Since)
		}
	}
	for _, kind := range Notifications {
		if !r.Due(kind, t) {
			continue
		}
		since := changed
		if entry := r.Outbox[kind]; entry.For(r.Generation) {
			since = entry.Since
		}
		pending(since)
	}
	return oldest
}
