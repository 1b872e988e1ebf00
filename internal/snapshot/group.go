package snapshot

// Group is the messages of one collection that came together, in their order.
type Group struct {
	CollectionKey
	Receipts []Receipt
}

// GroupByCollection sorts valid receipts by their collections, in the order in which those first appear.
//
// Two receipts with one identity count as one if their bodies are the same: the second is left out and
// returned as a duplicate. If the bodies differ, the second is rejected. So are those that were invalid.
func GroupByCollection(receipts []Receipt) (groups []Group, duplicates, rejected []Receipt) {
	digests := map[string]string{}
	positions := map[CollectionKey]int{}
	for _, receipt := range receipts {
		if receipt.Rejection != nil {
			rejected = append(rejected, receipt)
			continue
		}
		digest, seen := digests[receipt.Identity]
		switch {
		case seen && digest == receipt.Message.Digest:
			duplicates = append(duplicates, receipt)
			continue
		case seen:
			rejected = append(rejected, receipt.Rejected(IdentityReused()))
			continue
		}
		digests[receipt.Identity] = receipt.Message.Digest
		key := receipt.Message.CollectionKey
		position, known := positions[key]
		if !known {
			position = len(groups)
			positions[key] = position
			groups = append(groups, Group{CollectionKey: key})
		}
		groups[position].Receipts = append(groups[position].Receipts, receipt)
	}
	return groups, duplicates, rejected
}

// Rejected returns the receipt with a rejection.
func (r Receipt) Rejected(rejection *Rejection) Receipt {
	r.Rejection = rejection
	return r
}

// IdentityReused rejects a message whose identity was seen before with another body.
func IdentityReused() *Rejection {
	return reject(ReasonIdentityReused, "the identity was seen before with another body; only the first was counted")
}

// UnknownCollection rejects a message for a collection without a row: rows exist before messages arrive.
func UnknownCollection() *Rejection {
	return reject(ReasonUnknownCollection, "the export status table has no row for this correlation_id and collection_name")
}

// NotCounted rejects a good message of a collection whose stored data breaks the contract of its table: a person has to
// mend the data, and then puts the message back. It may have been counted all the same; then it is recognised.
func NotCounted(cause error) *Rejection {
	return reject(ReasonNotCounted, "counting failed for good: %v", cause)
}
