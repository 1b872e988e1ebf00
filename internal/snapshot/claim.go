package snapshot

import (
	"strings"
	"time"
)

// Lease is how long a claim keeps others from paying the same debt. It is longer than a claimer that lives
// can take from claim to delivery: the retries of the notify states, with every try timing out, stay below
// it (asserted beside the definition).
const Lease = 10 * time.Minute

// Claim is the right, and the duty, to send one message: it is taken before sending, so that of many who see
// the same debt at the same moment one pays it, and it ends with its lease, so that a debt whose claimer
// died is paid by somebody else. The zero Claim was never taken.
type Claim struct {
	Attempt   Counter   // what it is for: a collection's attempt, or the sum of a run's attempts
	By        string    // the claimer: an execution and the collection that it looks at
	Since     time.Time // when the attempt's claim was first taken, by whomever
	Until     time.Time // end of the lease
	Delivered bool
}

// Claimer names who looks at a collection: an execution's claims are told apart by it.
func Claimer(execution, collectionName string) string { return execution + "/" + collectionName }

// ExecutionOf is the execution of a claimer; executions' ids hold no slash.
func ExecutionOf(claimer string) string {
	execution, _, _ := strings.Cut(claimer, "/")
	return execution
}

// For reports whether the claim was taken for the attempt.
func (c Claim) For(attempt int64) bool { return c.Attempt == Count(attempt) }

// Settles reports whether the attempt's message was delivered.
func (c Claim) Settles(attempt int64) bool { return c.For(attempt) && c.Delivered }

// Again is the claim that takes this one's place: it has been owed for as long, if it is for the same attempt.
func (c Claim) Again(next Claim) Claim {
	next.Since = next.Until.Add(-Lease)
	if c.For(next.Attempt.N) && !c.Since.IsZero() {
		next.Since = c.Since
	}
	return next
}

// HeldBy reports whether the claimer has taken the claim for the attempt and not yet delivered. A task that
// runs again recognises its own claim by this.
func (c Claim) HeldBy(claimer string, attempt int64) bool {
	return c.For(attempt) && !c.Delivered && c.By == claimer
}

// Free reports whether the claimer may take the claim for the attempt: it is for another attempt, or its
// lease is over and it is not delivered. One's own claim is not free: it is held.
func (c Claim) Free(attempt int64, claimer string, now time.Time) bool {
	if !c.For(attempt) {
		return true
	}
	return !c.Delivered && c.By != claimer && !now.Before(c.Until)
}
