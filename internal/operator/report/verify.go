package report

import (
	"fmt"

	"snapshot-status-checker/internal/store"
)

// Count is how many messages a collection's markers stand for.
type Count struct {
	Files        int64 `json:"files"`
	SuccessFiles int64 `json:"success_files"`
}

// Difference is one thing about a collection that does not add up.
type Difference struct {
	Collection string `json:"collection"`
	Sentence   string `json:"sentence"`
	Heals      bool   `json:"heals"` // the next look or message mends it
}

// Verify holds the markers of a collection against the counters of ledger and table. What was read one after the other may
// differ by what was counted in between: verify again before you act on it.
func Verify(state store.State, markers Count) []Difference {
	row, known := *state.Row, state.Collection
	var found []Difference
	add := func(heals bool, format string, args ...any) {
		found = append(found, Difference{Collection: row.CollectionName, Heals: heals, Sentence: fmt.Sprintf(format, args...)})
	}
	if state.Malformed != nil {
		add(false, "the row cannot be read: %v", state.Malformed)
		return found
	}
	if markers.Files != known.Counted {
		add(false, "the ledger has markers of %d files and counts %d (markers are kept for 60 days; a ledger that began later than the table counts on from the row)",
			markers.Files, known.Counted)
	}
	if missing := known.Missing(row); missing > 0 {
		add(true, "%d counted files are not in the row's FilesReceived yet", missing)
	}
	if row.FilesCounted.N > known.Counted {
		add(false, "the row says that %d files were counted, the ledger only %d", row.FilesCounted.N, known.Counted)
	}
	if attempt := known.Attempt(row); attempt != 0 && known.Missing(row) == 0 {
		add(false, "FilesReceived is %d and %d files were counted: somebody set it, as the exporter does when it exports a collection again",
			row.FilesReceived.N, known.Before(row))
	}
	if known.Success.Set && markers.SuccessFiles == 0 {
		add(false, "the success file is noted, and no marker stands for it")
	}
	return found
}
