package snapshot

import "encoding/binary"

// digestBytes is the length of a digest. Among 10 million messages of one collection, two have the same digest with a
// probability of 10^-15.
const digestBytes = 12

// digest identifies a message by its identity and the values of its fields, not by their spelling. It is the same at
// every delivery of a message, and differs for another message with the same identity.
func (m Message) digest(identity string) string {
	text := make([]byte, 0, 256)
	for _, field := range []string{identity, m.CorrelationID, m.CollectionName, m.SnapshotType, m.ExportDate,
		m.Filename} {
		text = append(binary.BigEndian.AppendUint32(text, uint32(len(field))), field...)
	}
	for _, flag := range []bool{m.ShutdownFlag, m.ReprocessFiles, m.IsSuccessFile} {
		if flag {
			text = append(text, 1)
		} else {
			text = append(text, 0)
		}
	}
	return digestOf(text)
}

// Group is the messages of one collection in one input, in their order.
type Group struct {
	CollectionKey
	Receipts []Receipt // each with its Digest; all digests differ
}

// GroupByCollection groups valid receipts by collection, in the order of first appearance. It returns repetitions of a
// message as duplicates and invalid receipts as rejected.
func GroupByCollection(receipts []Receipt) (groups []Group, duplicates, rejected []Receipt) {
	seen := make(map[string]bool, len(receipts))
	positions := map[CollectionKey]int{}
	for _, receipt := range receipts {
		if receipt.Rejection != nil {
			rejected = append(rejected, receipt)
			continue
		}
		receipt.Digest = receipt.Message.digest(receipt.Identity)
		if seen[receipt.Digest] {
			duplicates = append(duplicates, receipt)
			continue
		}
		seen[receipt.Digest] = true
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

// UnknownCollection rejects a message of a collection without a row. A row exists before its messages arrive.
func UnknownCollection() *Rejection {
	return reject(ReasonUnknownCollection,
		"the export status table has no row for this correlation_id and collection_name")
}

// NotCounted rejects a valid message of a collection whose stored data is malformed. A person repairs the data and
// replays the message; if it was counted after all, the replay is a duplicate.
func NotCounted(cause error) *Rejection {
	return reject(ReasonNotCounted, "counting failed for good: %v", cause)
}
