package store

import (
	"errors"
	"fmt"
	"time"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// Attributes of the export status table that this system reads. It writes all but FilesSent.
const (
	attrStatus        = "CollectionStatus"
	attrFilesReceived = "FilesReceived"
	attrFilesCounted  = "FilesCounted" // our own, as is the next
	attrCountedBy     = "CountedBy"
	attrFilesSent     = "FilesSent"
)

var rowAttributes = []string{attrStatus, attrFilesReceived, attrFilesCounted, attrCountedBy, attrFilesSent}

var collectionAttributes = append([]string{attrCounted, attrBase, attrProjected, attrTakenOver, attrSnapshotType, attrExportDate,
	attrShutdownFlag, attrReprocessFiles, attrSuccessAttempt, attrCountedAt}, claimAttributes(snapshot.SuccessFileRequest)...)

// decoder reads typed attributes and keeps what is wrong with them.
type decoder struct {
	item table.Item
	errs []error
}

func (d *decoder) string(attribute string) string {
	value, err := d.item.String(attribute)
	d.errs = append(d.errs, err)
	return value
}

func (d *decoder) int(attribute string) int64 {
	value, err := d.item.Int(attribute)
	d.errs = append(d.errs, err)
	return value
}

func (d *decoder) bool(attribute string) bool {
	value, err := d.item.Bool(attribute)
	d.errs = append(d.errs, err)
	return value
}

// time reads epoch seconds; the zero time if the item lacks them.
func (d *decoder) time(attribute string) time.Time {
	if seconds := d.int(attribute); seconds != 0 {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Time{}
}

func (d *decoder) counter(attribute string) snapshot.Counter {
	return snapshot.Counter{N: d.int(attribute), Set: d.item.Has(attribute)}
}

// err returns a *failure.Malformed that names the table and key if an attribute had another type.
func (d *decoder) err(ref table.Ref) error {
	if err := errors.Join(d.errs...); err != nil {
		return &failure.Malformed{Err: fmt.Errorf("item %q / %q of table %s: %w", ref.Partition, ref.Sort, ref.Table, err)}
	}
	return nil
}

func (t Tables) decodeRow(key snapshot.CollectionKey, item table.Item) (snapshot.Row, error) {
	d := decoder{item: item}
	row := snapshot.Row{
		CollectionKey: key,
		Status:        snapshot.Status(d.string(attrStatus)),
		FilesSent:     d.counter(attrFilesSent),
		FilesReceived: d.counter(attrFilesReceived),
		FilesCounted:  d.counter(attrFilesCounted),
		CountedBy:     d.string(attrCountedBy),
	}
	return row, d.err(t.rowRef(key))
}

func (t Tables) decodeCollection(key snapshot.CollectionKey, item table.Item) (snapshot.Collection, error) {
	d := decoder{item: item}
	c := snapshot.Collection{
		Counted:   d.int(attrCounted),
		Base:      d.int(attrBase),
		Projected: d.bool(attrProjected),
		TakenOver: d.bool(attrTakenOver),
		Latest:    d.export(),
		Success:   d.counter(attrSuccessAttempt),
		CountedAt: d.time(attrCountedAt),
		Request:   d.claim(snapshot.SuccessFileRequest),
	}
	return c, d.err(t.collectionRef(key))
}

func (t Tables) decodeRun(correlationID string, item table.Item) (snapshot.Run, error) {
	d := decoder{item: item}
	run := snapshot.Run{
		CorrelationID: correlationID,
		SnapshotType:  d.string(attrSnapshotType),
		ExportDate:    d.string(attrExportDate),
		News:          map[snapshot.DebtKind]snapshot.Claim{},
		RegisteredAt:  d.time(attrRegisteredAt),
		Watch:         d.watch(),
		Progress:      snapshot.Progress{Sums: d.string(attrProgress), Since: d.time(attrProgressSince), Settled: d.bool(attrSettled)},
		LetGo:         d.bool(attrLetGo),
	}
	for _, kind := range []snapshot.DebtKind{snapshot.AllReceived, snapshot.AllSuccessful, snapshot.RunStalled, snapshot.RunLetGo} {
		run.News[kind] = d.claim(kind)
	}
	return run, d.err(t.runRef(correlationID))
}

// claimPrefix begins the names of the attributes that hold the claim for a kind of debt.
func claimPrefix(kind snapshot.DebtKind) string {
	switch kind {
	case snapshot.AllReceived:
		return "AllReceived"
	case snapshot.AllSuccessful:
		return "AllSuccessful"
	case snapshot.RunStalled:
		return "Stalled"
	case snapshot.RunLetGo:
		return "LetGo"
	default:
		return "Request"
	}
}

const (
	claimAttempt   = "Attempt"
	claimBy        = "ClaimedBy"
	claimSince     = "OwedSince"    // epoch seconds
	claimUntil     = "ClaimedUntil" // epoch seconds
	claimDelivered = "Delivered"
)

// newsAnswered stands under the same prefix, of news only.
const newsAnswered = "Answered"

func claimAttributes(kind snapshot.DebtKind) []string {
	prefix := claimPrefix(kind)
	return []string{prefix + claimAttempt, prefix + claimBy, prefix + claimSince, prefix + claimUntil, prefix + claimDelivered}
}

func (d *decoder) claim(kind snapshot.DebtKind) snapshot.Claim {
	prefix := claimPrefix(kind)
	return snapshot.Claim{
		Attempt:   d.counter(prefix + claimAttempt),
		By:        d.string(prefix + claimBy),
		Since:     d.time(prefix + claimSince),
		Until:     d.time(prefix + claimUntil),
		Delivered: d.bool(prefix + claimDelivered),
	}
}

// export is what a message said, of a collection the last and of a run the first.
func (d *decoder) export() snapshot.Export {
	return snapshot.Export{
		SnapshotType:   d.string(attrSnapshotType),
		ExportDate:     d.string(attrExportDate),
		ShutdownFlag:   d.bool(attrShutdownFlag),
		ReprocessFiles: d.bool(attrReprocessFiles),
	}
}

func (d *decoder) watch() snapshot.Watch {
	watch := snapshot.Watch{
		CollectionName: d.string(attrWatch),
		Reader:         d.string(attrReader),
		ReaderUntil:    d.time(attrReaderUntil),
		Turns:          d.int(attrTurns),
		Asked:          d.int(attrAsked),
		Answered:       map[snapshot.DebtKind]int64{},
	}
	for _, news := range snapshot.News {
		watch.Answered[news] = d.int(claimPrefix(news) + newsAnswered)
	}
	return watch
}

// asRead is the condition that a number stands as it was read, or is missing as it was.
func asRead(attribute string, counter snapshot.Counter) table.Condition {
	if !counter.Set {
		return table.Condition{Attribute: attribute, Operator: table.Absent}
	}
	return table.Condition{Attribute: attribute, Operator: table.Equals, Value: counter.N}
}

// rowExists keeps a write from making a row: rows are made by others.
func (t Tables) rowExists() table.Condition {
	return table.Condition{Attribute: t.Status.PartitionKey, Operator: table.Exists}
}
