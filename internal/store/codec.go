package store

import (
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Attributes of the export status table that this system reads. It writes all of them but FilesSent.
const (
	attrStatus        = "CollectionStatus"
	attrFilesReceived = "FilesReceived"
	attrFilesSent     = "FilesSent"
	attrEpochStart    = "EpochStart"  // only this system's
	attrSyncedFiles   = "SyncedFiles" // only this system's
)

var rowAttributes = []string{attrStatus, attrFilesReceived, attrFilesSent, attrEpochStart, attrSyncedFiles}

// Attributes of the ledger's items. Times are epoch seconds.
const (
	attrExpiresAt = "ExpiresAt" // of all items, for DynamoDB's TTL

	attrCounted        = "Counted" // of a collection
	attrCountedAt      = "CountedAt"
	attrRecent         = "Recent"
	attrPages          = "Pages"
	attrInstance       = "Instance"
	attrSuccessEpochs  = "SuccessEpochs"
	attrSnapshotType   = "SnapshotType" // of a collection and of a run
	attrExportDate     = "ExportDate"
	attrShutdownFlag   = "ShutdownFlag"
	attrReprocessFiles = "ReprocessFiles"

	attrDigests = "Digests" // of a page

	attrMessages   = "Messages" // of receipts
	attrReceivedAt = "ReceivedAt"
	attrExecution  = "ExecutionId"

	attrCorrelationID = "CorrelationId" // of a run
	attrRegisteredAt  = "RegisteredAt"
	attrGeneration    = "Generation"
	attrReopened      = "Reopened"
	attrReopenedAt    = "ReopenedAt"
	attrProgress      = "Progress"
	attrProgressSince = "ProgressSince"
	attrSettled       = "Settled"
	attrAbandoned     = "Abandoned"
	attrByHandAt      = "ByHandAt" // 0 if the run was taken up again
	attrByHandReason  = "ByHandReason"
	attrByHandSums    = "ByHandSums"
)

// Suffixes of the attributes of an outbox entry and of a hint; see prefix.
const (
	entryVersion   = "Version"
	entryOwner     = "Owner"
	entrySince     = "Since"
	entryUntil     = "LeaseUntil"
	entryDelivered = "Delivered"

	hintCollection = "Blocker"
	hintBy         = "BlockerSetBy"
	hintNotified   = "Notified"
)

// prefix is the prefix of a kind's attributes.
func prefix(kind snapshot.Kind) string {
	switch kind {
	case snapshot.AllReceived:
		return "AllReceived"
	case snapshot.AllSuccessful:
		return "AllSuccessful"
	case snapshot.RunStalled:
		return "Stalled"
	case snapshot.RunAbandoned:
		return "Abandoned"
	case snapshot.RunLate:
		return "Late"
	default:
		return "Request"
	}
}

// decoder reads typed attributes and collects the errors.
type decoder struct {
	item table.Item
	errs []error
}

func typed[T any](d *decoder, read func(string) (T, error), attribute string) T {
	value, err := read(attribute)
	if err != nil {
		d.errs = append(d.errs, err)
	}
	return value
}

func (d *decoder) string(attribute string) string { return typed(d, d.item.String, attribute) }
func (d *decoder) int(attribute string) int64     { return typed(d, d.item.Int, attribute) }
func (d *decoder) bool(attribute string) bool     { return typed(d, d.item.Bool, attribute) }
func (d *decoder) blobs(attribute string) []string {
	return typed(d, d.item.Blobs, attribute)
}

// time reads epoch seconds, the zero time if they are absent.
func (d *decoder) time(attribute string) time.Time {
	if seconds := d.int(attribute); seconds != 0 {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}

func (d *decoder) counter(attribute string) snapshot.Counter {
	return snapshot.Counter{N: d.int(attribute), Set: d.item.Has(attribute)}
}

// lenient reads a number and accepts any other value as 0.
func (d *decoder) lenient(attribute string) snapshot.Counter {
	n, err := d.item.Int(attribute)
	if err != nil {
		return snapshot.Counter{Set: true, Other: d.item[attribute]}
	}
	return snapshot.Counter{N: n, Set: d.item.Has(attribute)}
}

// synced reads SyncedFiles: a number, the mark of an adoption, or what another system wrote in its place.
func (d *decoder) synced() snapshot.Counter {
	if _, text := d.item[attrSyncedFiles].(string); text || d.unset(attrSyncedFiles) {
		return snapshot.Counter{Set: true, Other: d.item[attrSyncedFiles]}
	}
	return d.counter(attrSyncedFiles)
}

// unset reports whether another system wrote null or an empty text.
func (d *decoder) unset(attribute string) bool {
	value := d.item[attribute]
	foreign, _ := value.(table.Foreign)
	return value == "" || foreign.Type == table.Null
}

// optional reads a text, "" if it is absent or unset.
func (d *decoder) optional(attribute string) string {
	if d.unset(attribute) {
		return ""
	}
	return d.string(attribute)
}

// optionalCounter reads a number, 0 if it is absent or unset.
func (d *decoder) optionalCounter(attribute string) snapshot.Counter {
	if d.unset(attribute) {
		return d.lenient(attribute)
	}
	return d.counter(attribute)
}

// err returns a *failure.Malformed that names table and key if an attribute had a wrong type.
func (d *decoder) err(ref table.Ref) error {
	if len(d.errs) == 0 {
		return nil
	}
	return malformed(ref, errors.Join(d.errs...))
}

func malformed(ref table.Ref, err error) error {
	return &failure.Malformed{Err: fmt.Errorf("item %q / %q of table %s: %w", ref.Partition, ref.Sort, ref.Table, err)}
}

// decodeRow returns nil for no item.
func (t Tables) decodeRow(key snapshot.CollectionKey, item table.Item) (*snapshot.Row, error) {
	if item == nil {
		return nil, nil
	}
	d := decoder{item: item}
	row := snapshot.Row{
		CollectionKey: key,
		Status:        snapshot.Status(d.optional(attrStatus)),
		FilesSent:     d.optionalCounter(attrFilesSent),
		FilesReceived: d.lenient(attrFilesReceived),
		EpochStart:    d.counter(attrEpochStart),
		SyncedFiles:   d.synced(),
	}
	return &row, d.err(t.rowRef(key))
}

func (t Tables) decodeCollection(key snapshot.CollectionKey, item table.Item) (snapshot.Collection, error) {
	if item == nil {
		return snapshot.Collection{}, nil
	}
	d := decoder{item: item}
	c := snapshot.Collection{
		Known:         true,
		Counted:       d.int(attrCounted),
		CountedAt:     d.time(attrCountedAt),
		Recent:        d.blobs(attrRecent),
		Pages:         d.int(attrPages),
		Instance:      d.string(attrInstance),
		Latest:        d.export(),
		SuccessEpochs: typed(&d, d.item.Ints, attrSuccessEpochs),
		Request:       d.entry(snapshot.SuccessFileRequest),
	}
	return c, d.err(t.collectionRef(key))
}

// decodeRun returns nil for no item.
func (t Tables) decodeRun(correlationID string, item table.Item) (*snapshot.Run, error) {
	if item == nil {
		return nil, nil
	}
	d := decoder{item: item}
	run := snapshot.Run{
		CorrelationID: correlationID,
		Export:        d.export(),
		RegisteredAt:  d.time(attrRegisteredAt),
		Generation:    d.int(attrGeneration),
		Reopened:      d.blobs(attrReopened),
		ReopenedAt:    d.time(attrReopenedAt),
		Hints:         map[snapshot.Kind]snapshot.Hint{},
		Outbox:        map[snapshot.Kind]snapshot.Entry{},
		Progress: snapshot.Progress{
			Sums: d.string(attrProgress), Since: d.time(attrProgressSince), Settled: d.bool(attrSettled),
		},
		Abandoned: d.bool(attrAbandoned),
		ByHand: snapshot.Abandonment{At: d.time(attrByHandAt), Reason: d.string(attrByHandReason),
			Sums: d.string(attrByHandSums), Stored: item.Has(attrByHandAt)},
	}
	for _, kind := range snapshot.OfRun {
		run.Outbox[kind] = d.entry(kind)
	}
	for _, kind := range snapshot.Notifications {
		p := prefix(kind)
		run.Hints[kind] = snapshot.Hint{
			Collection: d.string(p + hintCollection), By: d.string(p + hintBy), Notified: d.bool(p + hintNotified),
		}
	}
	return &run, d.err(t.runRef(correlationID))
}

func (d *decoder) entry(kind snapshot.Kind) snapshot.Entry {
	p := prefix(kind)
	return snapshot.Entry{
		Version:   d.counter(p + entryVersion),
		Owner:     d.string(p + entryOwner),
		Since:     d.time(p + entrySince),
		Until:     d.time(p + entryUntil),
		Delivered: d.bool(p + entryDelivered),
	}
}

// export reads the Export of a collection or of a run.
func (d *decoder) export() snapshot.Export {
	return snapshot.Export{
		SnapshotType:   d.string(attrSnapshotType),
		ExportDate:     d.string(attrExportDate),
		ShutdownFlag:   d.bool(attrShutdownFlag),
		ReprocessFiles: d.bool(attrReprocessFiles),
	}
}

// exportAttributes returns the attributes that export reads.
func exportAttributes(export snapshot.Export) map[string]any {
	return map[string]any{
		attrSnapshotType:   export.SnapshotType,
		attrExportDate:     export.ExportDate,
		attrShutdownFlag:   export.ShutdownFlag,
		attrReprocessFiles: export.ReprocessFiles,
	}
}

// asRead is the condition that a number is unchanged since it was read, or is still absent.
func asRead(attribute string, counter snapshot.Counter) table.Condition {
	switch {
	case !counter.Set:
		return table.Condition{Attribute: attribute, Operator: table.Absent}
	case counter.Other != nil:
		return table.Condition{Attribute: attribute, Value: counter.Other}
	}
	return table.Condition{Attribute: attribute, Value: counter.N}
}

// numberIs is the condition that a ledger's counter has the value. A counter of 0 is absent.
func numberIs(attribute string, n int64) table.Condition {
	return asRead(attribute, snapshot.Counter{N: n, Set: n > 0})
}

// epochAsRead are the conditions that the numbers of the row's epoch are unchanged since they were read.
func epochAsRead(row snapshot.Row) []table.Condition {
	return []table.Condition{asRead(attrEpochStart, row.EpochStart), asRead(attrSyncedFiles, row.SyncedFiles),
		asRead(attrFilesReceived, row.FilesReceived)}
}
