// Package store is the protocol over the two tables: how files are counted, rows kept up to date, collections moved,
// and outgoing messages delivered. Every operation may run twice, late, concurrently, or die half-way; the next one
// finishes the work. docs/architecture.md tells why that is safe.
//
// One concern is one file: count, row, reconcile, outbox, run, sweep, read (for people), codec.
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
	pages *lru.Cache[cachedPage, page] // of digests, as they were written; see count.go
}

// Settings are what the operations depend on besides the tables.
type Settings struct {
	Exempt       []snapshot.Status // count as done although they never finish
	Lease        time.Duration     // how long an owner has for delivering a message; see DefaultLease
	StalledAfter time.Duration     // without progress; for Examine only
	PageSize     int               // digests that make a page; see DefaultPageSize
	Now          func() time.Time
	Nonce        func() string // a text that no other call of any process returned
}

// DefaultLease is longer than an owner that lives can take from enqueuing a message to its delivery: the retries of the
// states in between, each timing out, stay below it (asserted beside the definition). ExpressLease is for EXPRESS: no
// execution lasts longer, and it is shorter than the source queue's visibility timeout (asserted in the CDK app),
// because there a message that comes again has a new execution, which owns nothing.
const (
	DefaultLease = 10 * time.Minute
	ExpressLease = 5 * time.Minute
)

// cachedPages bounds the pages of digests that a process keeps: those of 3 million files that came one by one, 64 MB.
const cachedPages = 1 << 16

// New makes a Store. Settings that are zero take their defaults.
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
		panic(err) // only of a size that is not positive
	}
	return &Store{db: db, Tables: tables, Settings: settings, pages: pages}
}

// Tables names the two tables: the export status table, shared with others, and the ledger, ours alone.
type Tables struct{ Status, Ledger table.Name }

// NewTables describes the tables with these names.
func NewTables(status, ledger string) Tables {
	return Tables{
		Status: table.Name{Table: status, PartitionKey: "CorrelationId", SortKey: "CollectionName"},
		Ledger: table.Name{Table: ledger, PartitionKey: "PK", SortKey: "SK"},
	}
}

// How long the ledger keeps its items. Receipts and pages outlive the longest way of a message through source,
// dead-letter and rejected queue (14 days each); a collection and its run outlive those.
const (
	receiptTTL = 60 * 24 * time.Hour
	ledgerTTL  = 120 * 24 * time.Hour
)

// The items of a collection stand in one partition: the collection itself, its pages and its receipts. The runs stand
// in another, so that the open ones are found without a scan.
const (
	runPartition    = "run"
	collectionSort  = "collection" // sorts before the next two
	pagePrefix      = "page#"
	receiptsPrefix  = "receipts#"
	executionDigest = 8 // bytes; executions that count one collection are told apart by them
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

// receiptsRef is where an execution writes its receipts of a collection: of each part of the messages that it counts
// together one item or more, the same when it is tried again.
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

// part makes a name a part of a key from which it can be read back, or its digest if it is too long for that.
func part(name string) string {
	if escaped := escape.Replace(name); len(escaped) <= maxPart {
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return "%sha256%" + hex.EncodeToString(sum[:])
}

// expires is when DynamoDB's TTL may delete an item.
func (s *Store) expires(after time.Duration) int64 { return s.Now().Add(after).Unix() }

// maxTries bounds how often an operation is tried in place because others wrote the same item. Each try follows a write
// of somebody else's, so it is reached in a storm of them only; the error is then retried by the state machine.
const maxTries = 20

// exists keeps an update from making an item: a row is made by others, an item of the ledger only by what it begins
// with.
func exists(ref table.Ref) table.Condition {
	return table.Condition{Attribute: ref.PartitionKey, Operator: table.Exists}
}
