package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
)

// digestBytes is the length of a digest: of 10 million messages of one collection two are taken for one with a
// probability of 10^-15.
const digestBytes = 12

// digest recognises a message: by its identity and by what it says, not by how that is spelled. Delivered again a
// message has the same digest; another message under the same identity has another.
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
	sum := sha256.Sum256(text)
	return string(sum[:digestBytes])
}

// Group is the messages of one collection that came together, in their order.
type Group struct {
	CollectionKey
	Receipts []Receipt // each with its Digest, no two with the same
}

// GroupByCollection sorts valid receipts by their collections, in the order in which those first appear. A message that
// occurs twice is left out the second time and returned as a duplicate. Receipts that are invalid are returned as
// rejected.
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

// UnknownCollection rejects a message for a collection without a row: rows exist before messages arrive.
func UnknownCollection() *Rejection {
	return reject(ReasonUnknownCollection,
		"the export status table has no row for this correlation_id and collection_name")
}

// NotCounted rejects a good message of a collection whose stored data breaks the contract of its table: a person has to
// mend the data, and then replays the message. It may have been counted all the same; then it is recognised.
func NotCounted(cause error) *Rejection {
	return reject(ReasonNotCounted, "counting failed for good: %v", cause)
}
