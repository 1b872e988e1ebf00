package snapshot

import "time"

// Run is what the ledger knows of a run: one correlation id.
type Run struct {
	CorrelationID string
	Export        // as the run's first counted message said
	RegisteredAt  time.Time
	// Generation counts how often a request was enqueued after monitoring had been notified: each time the
	// notifications are due again. Reopened holds a digest of each collection and epoch that did so.
	Generation int64
	Reopened   []string
	ReopenedAt time.Time      // when the generation began; zero in the first
	Hints      map[Kind]Hint  // for each notification
	Outbox     map[Kind]Entry // of OfRun
	Progress   Progress
	Abandoned  bool // the sweep passes it by
}

// Hint is how a run is checked without reading all of it whenever a collection moves: a collection that blocks the
// notification, as a watched literal does in a SAT solver. Whoever moves that collection looks for another blocker.
type Hint struct {
	Collection string // "" if none is known
	By         string // the owner that set it; see Owner
	Notified   bool   // monitoring was notified in this generation; then nothing is looked for
}

// Notified reports whether monitoring was or will be notified in the present generation: by the hint, or by an outbox
// entry, delivered or not.
func (r Run) Notified(kind Kind) bool {
	return r.Hints[kind].Notified || r.Outbox[kind].For(r.Generation)
}

// Outgoing names the run's message of this kind and version.
func (r Run) Outgoing(kind Kind, version int64) Outgoing {
	return Outgoing{Kind: kind, CollectionKey: CollectionKey{CorrelationID: r.CorrelationID}, Version: version}
}

// Due reports whether monitoring has to be notified: the tally of all rows allows it, and the generation's notification
// was not delivered.
func (r Run) Due(kind Kind, t *Tally) bool {
	return t.All(kind) && !r.Hints[kind].Notified && !r.Outbox[kind].Settles(r.Generation)
}

// Tally sums up the rows of a run as they are read, page by page. The zero Tally has seen none.
type Tally struct {
	Rows          int
	FilesReceived int64
	FilesSent     int64
	missing       map[Kind]int   // how many rows block the notification
	blockers      map[Kind][]Row // the first MaxNamed of them
}

// Add takes in one more row.
func (t *Tally) Add(row Row, exempt []Status) {
	if t.missing == nil {
		t.missing, t.blockers = map[Kind]int{}, map[Kind][]Row{}
	}
	t.Rows++
	t.FilesReceived += row.FilesReceived.N
	t.FilesSent += row.FilesSent.N
	for _, kind := range Notifications {
		if row.Status.AtLeast(kind.Wanted(), exempt) {
			continue
		}
		if t.missing[kind]++; t.missing[kind] <= MaxNamed {
			t.blockers[kind] = append(t.blockers[kind], row)
		}
	}
}

// All reports whether the notification holds, once every row of the run was added. For a run without rows none does.
func (t *Tally) All(kind Kind) bool { return t.Rows > 0 && t.missing[kind] == 0 }

// PendingSince says since when the oldest message of the run has been pending, the zero time if none is: of what was
// enqueued, since then; of a notification that nobody enqueued yet, since the run's sums last changed, at the latest.
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
