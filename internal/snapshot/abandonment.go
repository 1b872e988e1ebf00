package snapshot

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Abandonment is the end of a run by hand: by a person who knows that it will never finish.
type Abandonment struct {
	At     time.Time // zero if the run was not ended by hand, or was taken up again
	Reason string
	Sums   string // of the run at that moment; see Run.Sums
	Stored bool   // the ledger has it, even if the run was taken up again
}

// MaxReason bounds an abandonment's reason, in bytes: the sweep reads it with every run.
const MaxReason = 1024

// CheckReason returns an error that says what to do if the text cannot be an abandonment's reason.
func CheckReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return errors.New("the reason is empty: say why the run will not finish")
	case len(reason) > MaxReason:
		return fmt.Errorf("the reason has %d bytes; the maximum is %d", len(reason), MaxReason)
	}
	return nil
}

// EndedByHand reports whether a person ended the run. It holds while nothing arrives or moves: another file, row or
// generation, or a status from Sent on, changes the run's sums and takes it up again. A run that is done is done.
func (r Run) EndedByHand(t *Tally) bool {
	return !r.ByHand.At.IsZero() && r.ByHand.Sums == r.Sums(t) && !r.Finished(t)
}

// Finished reports whether nothing is left to do for the run: it is done, or it was and its rows are gone.
func (r Run) Finished(t *Tally) bool { return r.Done(t) || t.Rows == 0 && r.successNotified() }
