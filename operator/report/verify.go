package report

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"snapshot-status-checker/internal/store"
)

// Count is how many messages a collection's receipts stand for, each once.
type Count struct {
	Files         int64 `json:"files"`
	SuccessFiles  int64 `json:"success_files"`
	RepeatedFiles int64 `json:"repeated_files"` // not counted: another message brought the file
}

// Add counts a receipt.
func (c *Count) Add(receipt store.Receipt) {
	switch {
	case receipt.Success:
		c.SuccessFiles++
	case receipt.Repeated:
		c.RepeatedFiles++
	default:
		c.Files++
	}
}

// Difference is a disagreement between the receipts, the ledger and the row of a collection.
type Difference struct {
	Collection string `json:"collection"`
	Sentence   string `json:"sentence"`
	Heals      bool   `json:"heals"` // the next reconciliation or message corrects it
}

// Verify compares the receipts of a collection with the ledger's count, and that count with the row. They are read one
// after the other: verify again before you act on a difference.
func Verify(state store.State, receipts Count) []Difference {
	row, known := *state.Row, state.Collection
	var found []Difference
	add := func(heals bool, format string, args ...any) {
		found = append(found,
			Difference{Collection: row.CollectionName, Heals: heals, Sentence: fmt.Sprintf(format, args...)})
	}
	if state.Malformed != nil {
		add(false, "the stored data is malformed: %v", state.Malformed)
		return found
	}
	if receipts.Files != known.Counted {
		add(false, "the ledger has receipts of %d files and counted %d (receipts are kept for 60 days)", receipts.Files,
			known.Counted)
	}
	if len(known.SuccessEpochs) > 0 && receipts.SuccessFiles == 0 {
		add(false, "the ledger says that the success file arrived, but has no receipt of one")
	}
	switch {
	case row.Marked():
		add(true, "an adoption has begun and is not finished; the next message finishes it")
	case !row.Adopted():
		if known.Counted > 0 {
			add(true, "the row lacks EpochStart and SyncedFiles, and the ledger counted %d files: the row was "+
				"replaced (the next message corrects it)", known.Counted)
		}
	case row.Held() < known.Counted:
		add(true, "%d counted files are not in the row's FilesReceived yet (the next reconciliation corrects it)",
			known.Counted-row.Held())
	case row.Held() > known.Counted:
		add(true, "the row holds %d counted files, and the ledger counted only %d: the ledger is new (the next "+
			"message corrects it). A message that it does not know counts again if it is delivered again",
			row.Held(), known.Counted)
	case row.SetByOthers():
		add(false, "FilesReceived is %d, and this system last wrote %d: another system set it, "+
			"as the exporter does for a new export", row.FilesReceived.N, row.SyncedFiles.N)
	case row.Epoch() > 0:
		add(false, "FilesReceived is %d and %d files were counted: another system set it back, "+
			"as the exporter does for a new export", row.FilesReceived.N, known.Counted)
	case row.Epoch() < 0:
		add(false, "FilesReceived is %d and %d files were counted here: "+
			"another system or an earlier ledger counted the others", row.FilesReceived.N, known.Counted)
	}
	return found
}

// Repeats returns the identity of the message that was counted for each receipt that repeats a file: of the messages
// with its name the latest before it, or else the first. It is "" for every other receipt, and if no such message is
// among the receipts.
func Repeats(receipts []store.Receipt) []string {
	counted := map[string][]store.Receipt{} // by file name, the earliest first
	for _, receipt := range receipts {
		if !receipt.Repeated && !receipt.Success {
			counted[receipt.Filename] = append(counted[receipt.Filename], receipt)
		}
	}
	for _, same := range counted {
		slices.SortFunc(same, func(a, b store.Receipt) int {
			return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Identity, b.Identity))
		})
	}
	repeats := make([]string, len(receipts))
	for i, receipt := range receipts {
		same := counted[receipt.Filename]
		if !receipt.Repeated || len(same) == 0 {
			continue
		}
		later := sort.Search(len(same), func(i int) bool { return same[i].ReceivedAt.After(receipt.ReceivedAt) })
		repeats[i] = same[max(later-1, 0)].Identity
	}
	return repeats
}
