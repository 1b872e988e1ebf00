package snapshot

import "time"

// Wanted is the status that every collection of a run must have reached for the news.
func (k DebtKind) Wanted() Status {
	if k == AllSuccessful {
		return Success
	}
	return Received
}

// Run is what the ledger knows of a run: one correlation id.
type Run struct {
	CorrelationID string
	SnapshotType  string // as the run's first counted message said
	ExportDate    string
	News          map[DebtKind]Claim // for reports, too
	RegisteredAt  time.Time
	Watch         Watch
	Progress      Progress
	LetGo         bool // nobody looks after it any more
}

// News lists what monitoring is told about a whole run.
var News = []DebtKind{AllReceived, AllSuccessful}

// Tally follows the rows of a run as they are read, page by page. The zero Tally has seen none.
type Tally struct {
	Rows          int
	Attempts      int64 // sum over the rows; grows with every new attempt of a collection
	FilesReceived int64
	FilesSent     int64
	missing       map[DebtKind]int   // how many rows are in the news's way
	holders       map[DebtKind][]Row // the first MaxNamed of them
}

// Blocker is a collection that keeps a run from being received or successful.
type Blocker struct {
	CollectionName string
	Status         Status
}

// Add takes in one more row.
func (t *Tally) Add(row Row, exempt []Status) {
	if t.missing == nil {
		t.missing, t.holders = map[DebtKind]int{}, map[DebtKind][]Row{}
	}
	t.Rows++
	t.Attempts += row.Attempt()
	t.FilesReceived += row.FilesReceived.N
	t.FilesSent += row.FilesSent.N
	for _, news := range News {
		if row.Status.AtLeast(news.Wanted(), exempt) {
			continue
		}
		if t.missing[news]++; t.missing[news] <= MaxNamed {
			t.holders[news] = append(t.holders[news], row)
		}
	}
}

// Blocked says which collection is in the news's way, if any of those seen is.
func (t *Tally) Blocked(news DebtKind) (Blocker, bool) {
	if t.missing[news] == 0 {
		return Blocker{}, false
	}
	first := t.holders[news][0]
	return Blocker{CollectionName: first.CollectionName, Status: first.Status}, true
}

// True reports whether the news holds, once every row of the run was added. A run without rows has no news.
func (t *Tally) True(news DebtKind) bool { return t.Rows > 0 && t.missing[news] == 0 }

// NewsOwed reports whether the run's news for this sum of attempts is still to be delivered. The claimed sum
// only grows: a regression repeats nothing, a new attempt is told again.
func (r Run) NewsOwed(news DebtKind, attempts int64) bool {
	claim := r.News[news]
	return !claim.Settles(attempts) && (!claim.Attempt.Set || claim.Attempt.N <= attempts)
}

// OwedSince says since when the oldest debt of the run has been owed, the zero time if nothing is: of what was
// claimed, since its first claim; of what nobody has claimed yet, at least since the run's sums changed last.
func (r Run) OwedSince(t *Tally, rows []Row, collections []Collection, changed time.Time) time.Time {
	var oldest time.Time
	owed := func(claim Claim, attempt int64) {
		since := changed
		if claim.For(attempt) && !claim.Since.IsZero() {
			since = claim.Since
		}
		if oldest.IsZero() || since.Before(oldest) {
			oldest = since
		}
	}
	for i, row := range rows {
		if collections[i].RequestOwed(row) {
			owed(collections[i].Request, collections[i].Attempt(row))
		}
	}
	for _, news := range News {
		if t.True(news) && r.NewsOwed(news, t.Attempts) {
			owed(r.News[news], t.Attempts)
		}
	}
	return oldest
}

// NewsFree reports whether the claimer may claim the run's news for this sum of attempts.
func (r Run) NewsFree(news DebtKind, attempts int64, claimer string, now time.Time) bool {
	return r.NewsOwed(news, attempts) && r.News[news].Free(attempts, claimer, now)
}
