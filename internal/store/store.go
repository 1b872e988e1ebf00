// Package store is the protocol over the two tables: it counts files, syncs rows, moves collections, and delivers
// outgoing messages. Every operation may run twice, late, concurrently, or end half-way; the next one finishes the
// work. docs/architecture.md explains why that is safe.
//
// One concern is one file: count, pages, receipts, row, reconcile, outbox, run, sweep, abandon (by hand), read (for
// people), codec.
package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Store is the protocol. It is safe for concurrent use.
type Store struct {
	db table.DB
	Tables
	Settings
	pages *lru.Cache[cachedPage, page] // see pages.go
}

// Settings are the parameters of the operations. Zero values take their defaults; see New.
type Settings struct {
	Exempt       []snapshot.Status  // statuses that never finish and count as done
	Lease        time.Duration      // an owner's time to deliver a message; see DefaultLease
	StalledAfter time.Duration      // without progress; for Examine only
	LateAfter    snapshot.LateAfter // for Examine only
	PageSize     int                // digests of a page; see DefaultPageSize
	CountBy      snapshot.CountBy   // default ByMessage; for Count and increment only
	Now          func() time.Time
	Nonce        func() string // a text that no other call in any process returns
}

// DefaultLease is longer than an execution can take from enqueuing a message to delivering it, with every retry of the
// states in between timing out (a test of the definition asserts this). ExpressLease is for EXPRESS, where a
// redelivered message has a new execution that owns nothing: no execution lasts longer, and the source queue's
// visibility timeout is longer (asserted in the CDK app).
const (
	DefaultLease = 10 * time.Minute
	ExpressLease = 5 * time.Minute
)

// cachedPages bounds the pages of digests that a process caches: 64 MB, 3 million digests.
const cachedPages = 1 << 16

// New makes a Store.
func New(db table.DB, tables Tables, settings Settings) *Store {
	if settings.Lease == 0 {
		settings.Lease = DefaultLease
	}
	if settings.PageSize == 0 {
		settings.PageSize = DefaultPageSize
	}
	if settings.Now == nil {
		settings.Now = time.Now
	}
	if settings.Nonce == nil {
		settings.Nonce = rand.Text
	}
	pages, err := lru.New[cachedPage, page](cachedPages)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Store{db: db, Tables: tables, Settings: settings, pages: pages}
}

// Tables names the export status table, which other systems share, and the ledger, which only this system uses.
type Tables struct{ Status, Ledger table.Name }

// NewTables returns the Tables of these names.
func NewTables(status, ledger string) Tables {
	return Tables{
		Status: table.Name{Table: status, PartitionKey: "CorrelationId", SortKey: "CollectionName"},
		Ledger: table.Name{Table: ledger, PartitionKey: "PK", SortKey: "SK"},
	}
}

// How long the ledger keeps its items. A message can spend 14 days in each of the source, dead-letter and rejected
// queues; receipts and pages outlive that. A collection and its run outlive their receipts and pages.
const (
	receiptTTL = 60 * 24 * time.Hour
	ledgerTTL  = 120 * 24 * time.Hour
)

// A collection, its pages and its receipts share a partition. All runs share another, so that they are listed without a
// scan.
const (
	runPartition    = "run"
	collectionSort  = "collection" // sorts before the next two
	pagePrefix      = "page#"
	receiptsPrefix  = "receipts#"
	executionDigest = 8 // bytes of an execution's digest in a receipt's key
)

func (t Tables) rowRef(key snapshot.CollectionKey) table.Ref {
	return t.Status.At(key.CorrelationID, key.CollectionName)
}

func (t Tables) runRef(correlationID string) table.Ref {
	return t.Ledger.At(runPartition, part(correlationID))
}

func (t Tables) collectionRef(key snapshot.CollectionKey) table.Ref {
	return t.Ledger.At(collectionPartition(key), collectionSort)
}

func (t Tables) pageRef(key snapshot.CollectionKey, page int64) table.Ref {
	return t.Ledger.At(collectionPartition(key), fmt.Sprintf("%s%06d", pagePrefix, page))
}

// receiptsRef is the item of an execution's receipts of a collection: one item or more for each part of the messages,
// named by the position of its first message (see Count). It is the same for a retry. If the retry has larger parts,
// because CountBy changed, a part that it writes again begins with the messages that were there.
func (t Tables) receiptsRef(key snapshot.CollectionKey, execution string, part, item int) table.Ref {
	sum := sha256.Sum256([]byte(execution))
	sort := fmt.Sprintf("%s%x#%d#%d", receiptsPrefix, sum[:executionDigest], part, item)
	return t.Ledger.At(collectionPartition(key), sort)
}

func collectionPartition(key snapshot.CollectionKey) string {
	return "collection#" + part(key.CorrelationID) + "#" + part(key.CollectionName)
}

// maxPart keeps every ledger key within DynamoDB's limits (2048 and 1024 bytes) whatever the names are.
const maxPart = 900

var escape = strings.NewReplacer("%", "%25", "#", "%23")

// part is a name as part of a key: escaped, or a digest of a long name.
func part(name string) string {
	if escaped := escape.Replace(name); len(escaped) <= maxPart {
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return "%sha256%" + hex.EncodeToString(sum[:])
}

// expires is when DynamoDB's TTL may delete an item.
func (s *Store) expires(after time.Duration) int64 { return s.Now().Add(after).Unix() }

// maxTries bounds the tries of an operation whose item other writers change at the same time. Then it fails, and the
// state machine retries it.
const maxTries = 20

// exists prevents an update from making an item. Other systems make rows; only the first write of a ledger item makes
// it.
func exists(ref table.Ref) table.Condition {
	return table.Condition{Attribute: ref.PartitionKey, Operator: table.Exists}
}
