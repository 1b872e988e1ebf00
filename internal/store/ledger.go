// Package store is the protocol over the two tables: how files are counted, rows brought up to date,
// collections moved, and debts claimed and settled. Every operation may run twice, late, side by side with
// others, or die half-way; the next one finishes the work.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Tables names the two tables: the export status table, shared with others, and the ledger, ours alone.
type Tables struct{ Status, Ledger table.Name }

// NewTables describes the tables with these names.
func NewTables(status, ledger string) Tables {
	return Tables{
		Status: table.Name{Table: status, PartitionKey: "CorrelationId", SortKey: "CollectionName"},
		Ledger: table.Name{Table: ledger, PartitionKey: "PK", SortKey: "SK"},
	}
}

// How long the ledger keeps its items. Markers outlive the longest way of a message through source,
// dead-letter and rejected queue (14 days each); what is counted outlives its markers.
const (
	markerTTL = 60 * 24 * time.Hour
	ledgerTTL = 120 * 24 * time.Hour
)

// Attributes of the ledger's items.
const (
	attrExpiresAt      = "ExpiresAt" // all items; epoch seconds, read by DynamoDB's TTL
	attrCounted        = "Counted"   // collection …
	attrCountedAt      = "CountedAt" // epoch seconds; of the collection's last message, and of a marker's
	attrBase           = "Base"
	attrProjected      = "Projected"
	attrTakenOver      = "TakenOver"
	attrSnapshotType   = "SnapshotType" // … and run
	attrExportDate     = "ExportDate"
	attrShutdownFlag   = "ShutdownFlag"
	attrReprocessFiles = "ReprocessFiles"
	attrSuccessAttempt = "SuccessAttempt"
	attrIdentity       = "Identity" // marker …
	attrDigest         = "Digest"
	attrFilename       = "Filename"
	attrKind           = "Kind"
	attrExecution      = "ExecutionId"
	attrRegisteredAt   = "RegisteredAt" // run …
	attrWatch          = "Watch"
	attrReader         = "Reader"
	attrReaderUntil    = "ReaderUntil" // epoch seconds
	attrTurns          = "Turns"
	attrAsked          = "Asked"
	attrProgress       = "Progress"
	attrProgressSince  = "ProgressSince"
	attrSettled        = "Settled"
	attrLetGo          = "LetGo"
	attrCorrelationID  = "CorrelationId"
	attrCollectionName = "CollectionName"
)

// Kinds of marker.
const (
	kindFile    = "FILE"
	kindSuccess = "SUCCESS_FILE"
)

// The items of a collection stand together under its run and name: the collection itself and a marker for
// each message. The runs stand together, so that the open ones are found without a scan.
func (t Tables) collectionRef(key snapshot.CollectionKey) table.Ref {
	return t.Ledger.At(collectionPartition(key), "collection")
}

func (t Tables) markerRef(key snapshot.CollectionKey, identity string) table.Ref {
	return t.Ledger.At(collectionPartition(key), markerPrefix+part(identity))
}

func (t Tables) runRef(correlationID string) table.Ref {
	return t.Ledger.At(runPartition, part(correlationID))
}

const (
	runPartition = "run"
	markerPrefix = "marker#" // sorts behind the collection itself
)

// itemExists keeps an update from making an item of the ledger anew after its time.
func (t Tables) itemExists() []table.Condition {
	return []table.Condition{{Attribute: t.Ledger.PartitionKey, Operator: table.Exists}}
}

func (t Tables) rowRef(key snapshot.CollectionKey) table.Ref {
	return t.Status.At(key.CorrelationID, key.CollectionName)
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

func expires(now time.Time, ttl time.Duration) int64 { return now.Add(ttl).Unix() }
