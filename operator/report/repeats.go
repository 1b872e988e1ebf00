package report

import "snapshot-status-checker/internal/store"

// Repeats returns the identity of the message that was counted for each receipt that repeats a file: of the messages
// with its name the latest before it, or else the first. It is "" for every other receipt, and if no such message is
// among the receipts.
func Repeats(receipts []store.Receipt) []string {
	counted := map[string][]store.Receipt{} // by file name
	for _, receipt := range receipts {
		if !receipt.Repeated && !receipt.Success {
			counted[receipt.Filename] = append(counted[receipt.Filename], receipt)
		}
	}
	repeats := make([]string, len(receipts))
	for i, receipt := range receipts {
		if !receipt.Repeated {
			continue
		}
		var nearest store.Receipt
		for _, one := range counted[receipt.Filename] {
			before, best := !one.ReceivedAt.After(receipt.ReceivedAt), !nearest.ReceivedAt.After(receipt.ReceivedAt)
			if nearest.Identity == "" || before && (!best || one.ReceivedAt.After(nearest.ReceivedAt)) ||
				!before && !best && one.ReceivedAt.Before(nearest.ReceivedAt) {
				nearest = one
			}
		}
		repeats[i] = nearest.Identity
	}
	return repeats
}
