package report

import (
	"cmp"
	"slices"
	"sort"

	"snapshot-status-checker/internal/store"
)

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
