package snapshot

import "time"

// Watch is how a run is checked without reading all of it whenever a collection moves: one collection that is in the
// news's way is watched. As long as it is, there is no news; whoever moves it checks the run again. Only when it is out
// of the way the rows after it are read and, before news is claimed, all of them, by one reader at a time.
type Watch struct {
	CollectionName string // in the news's way when it was last read; "" if none is known
	Reader         string // who reads the run on just now: the claimer, "" for nobody
	ReaderUntil    time.Time
	// Turns counts who wanted to read on. A reader that sees others come meanwhile looks once more before it leaves.
	Turns int64
	// Asked counts who asked whether news that was told is owed again: for a collection in a new attempt, and the sweep.
	// Answered is what it was when the run was last read whole and the news found true.
	Asked    int64
	Answered map[DebtKind]int64
}

// ReaderLease is how long a reader keeps others from reading. It is longer than an invocation of check-all may take
// (asserted beside the definition).
const ReaderLease = time.Minute

// ReaderDied reports whether the reader's time is over.
func (w Watch) ReaderDied(now time.Time) bool { return !now.Before(w.ReaderUntil) }

// MayOwe returns the first news that the run may owe, as far as can be said without its rows: it was never claimed,
// or its claimer died, or somebody asked since it was last found true.
func (r Run) MayOwe(now time.Time) (DebtKind, bool) {
	for _, news := range News {
		claim := r.News[news]
		died := !claim.Delivered && !now.Before(claim.Until)
		if !claim.Attempt.Set || died || r.Watch.Asked != r.Watch.Answered[news] {
			return news, true
		}
	}
	return "", false
}

// Held lists the news that the claimer has claimed and not delivered.
func (r Run) Held(claimer string) []Debt {
	var held []Debt
	for _, news := range News {
		if claim := r.News[news]; claim.HeldBy(claimer, claim.Attempt.N) {
			held = append(held, r.Debt(news, claim.Attempt.N))
		}
	}
	return held
}

// Debt is the run's news or report for these attempts, or since this moment.
func (r Run) Debt(kind DebtKind, attempt int64) Debt {
	return Debt{Kind: kind, CollectionKey: CollectionKey{CorrelationID: r.CorrelationID}, Attempt: attempt}
}
