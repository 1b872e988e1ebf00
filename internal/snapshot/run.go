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
	News          map[DebtKind]Claim
}

// News lists what monitoring is told about a whole run.
var News = []DebtKind{AllReceived, AllSuccessful}

// Tally follows the rows of a run as they are read, page by page. The zero Tally has seen none.
type Tally struct {
	Rows     int
	Attempts int64                // sum over the rows; grows with every new attempt of a collection
	blocker  map[DebtKind]Blocker // the first row in each news's way
}

// Blocker is a collection that keeps a run from being received or successful.
type Blocker struct {
	CollectionName string
	Status         Status
}

// Add takes in one more row.
func (t *Tally) Add(row Row, exempt []Status) {
	t.Rows++
	t.Attempts += row.Attempt()
	for _, news := range News {
		if _, blocked := t.blocker[news]; !blocked && !row.Status.AtLeast(news.Wanted(), exempt) {
			if t.blocker == nil {
				t.blocker = map[DebtKind]Blocker{}
			}
			t.blocker[news] = Blocker{CollectionName: row.CollectionName, Status: row.Status}
		}
	}
}

// Blocked says which collection is in the news's way, if any of those seen is.
func (t *Tally) Blocked(news DebtKind) (Blocker, bool) {
	b, blocked := t.blocker[news]
	return b, blocked
}

// True reports whether the news holds, once every row of the run was added. A run without rows has no news.
func (t *Tally) True(news DebtKind) bool {
	_, blocked := t.blocker[news]
	return t.Rows > 0 && !blocked
}

// NewsOwed reports whether the run's news for this sum of attempts is still to be delivered. The claimed sum
// only grows: a regression repeats nothing, a new attempt is told again.
func (r Run) NewsOwed(news DebtKind, attempts int64) bool {
	claim := r.News[news]
	return !claim.Settles(attempts) && (!claim.Attempt.Set || claim.Attempt.N <= attempts)
}

// NewsFree reports whether the claimer may claim the run's news for this sum of attempts.
func (r Run) NewsFree(news DebtKind, attempts int64, claimer string, now time.Time) bool {
	return r.NewsOwed(news, attempts) && r.News[news].Free(attempts, claimer, now)
}
