package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Receipt is a message that was recorded, for people.
type Receipt struct {
	Identity   string
	Filename   string // "" if the message named none
	Success    bool   // a success file's message
	Repeated   bool   // not counted, because another message had brought its file; only with snapshot.ByFile
	ReceivedAt time.Time
	Execution  string // the first of those whose receipts still exist
	Digest     string // of identity and content: recognises the message
}

// storedReceipt is a message in an item of receipts. It was recorded if its digest is in a page or in Recent; see
// snapshot.RepeatDigest.
type storedReceipt struct {
	Identity string `json:"id"`
	File     string `json:"file,omitempty"`
	Success  bool   `json:"success,omitempty"`
	Digest   []byte `json:"digest"`
}

// maxReceipts bounds the text of an item of receipts, in bytes. One receipt is far smaller: a file name has at most
// snapshot.MaxFilename bytes, an identity snapshot.MaxIdentity.
const maxReceipts = 100_000

// writeReceipts stores the messages for people, before they are counted. A retry writes the same items again.
func (c *counting) writeReceipts(ctx context.Context, receipts []snapshot.Receipt) error {
	text, item := []byte{'['}, 0
	flush := func() error {
		ref := c.receiptsRef(c.key, c.execution, c.part, item)
		item++
		_, err := c.db.Update(ctx, table.Write{Ref: ref, Set: map[string]any{
			attrMessages:   string(append(text, ']')),
			attrReceivedAt: c.Now().Unix(),
			attrExecution:  c.execution,
			attrExpiresAt:  c.expires(receiptTTL),
		}})
		text = []byte{'['}
		return err
	}
	for _, receipt := range receipts {
		message := receipt.Message
		one, err := json.Marshal(storedReceipt{
			receipt.Identity, named(message.Filename), message.IsSuccessFile, []byte(receipt.Digest)})
		if err != nil {
			return err
		}
		if len(text) > 1 && len(text)+len(one) > maxReceipts {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	return flush()
}

// named is a message's file name as it is stored, "" without one.
func named(file string) string {
	if file == snapshot.FilenameNotSet {
		return ""
	}
	return snapshot.StoredFilename(file)
}

// Receipts passes the recorded messages of a collection to visit, each once, in no order, strongly consistent, page by
// page, until visit returns an error. Receipts expire after 60 days.
//
// A receipt is written before its message is recorded. It is skipped if neither the collection nor a page has its
// digest. Both sort before the receipts, so all messages that were recorded when the reading began are included.
func (s *Store) Receipts(ctx context.Context, key snapshot.CollectionKey, visit func(Receipt) error) error {
	recorded := map[string]bool{} // by digest; false after its receipt was visited
	for page, err := range s.query(ctx, s.allOf(collectionPartition(key))) {
		if err != nil {
			return fmt.Errorf("reading a collection's receipts: %w", err)
		}
		for _, keyed := range page {
			if err := s.receiptsIn(keyed, recorded, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// receiptsIn adds the digests of an item to recorded, or visits its receipts.
func (s *Store) receiptsIn(keyed table.Keyed, recorded map[string]bool, visit func(Receipt) error) error {
	d := decoder{item: keyed.Item}
	for _, digest := range slices.Concat(d.blobs(attrRecent), d.blobs(attrDigests)) {
		recorded[digest] = true
	}
	var stored []storedReceipt
	ref := s.Ledger.At(keyed.Partition, keyed.Sort)
	if text := d.string(attrMessages); strings.HasPrefix(keyed.Sort, receiptsPrefix) {
		if err := json.Unmarshal([]byte(text), &stored); err != nil {
			return malformed(ref, err)
		}
	}
	at, execution := d.time(attrReceivedAt), d.string(attrExecution)
	if err := d.err(ref); err != nil {
		return err
	}
	for _, one := range stored {
		if !recorded[string(one.Digest)] {
			continue
		}
		recorded[string(one.Digest)] = false
		repeated := recorded[snapshot.RepeatDigest(string(one.Digest))]
		if err := visit(Receipt{one.Identity, one.File, one.Success, repeated, at, execution,
			string(one.Digest)}); err != nil {
			return err
		}
	}
	return nil
}
