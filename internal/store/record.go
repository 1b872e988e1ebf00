package store

import (
	"context"
	"errors"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// recording is one call of Count on its way to transactions that take effect.
type recording struct {
	*Counter
	key       snapshot.CollectionKey
	execution string
	state     State // as last read
	files     int64 // recorded since then
	pending   []snapshot.Receipt
	tally     Tally
}

// record tries one transaction: the markers of the pending messages, and the collection's count. What turns
// out to be counted before is dropped from the pending ones, and errAgain asks for another try.
func (r *recording) record(ctx context.Context) error {
	writes := make([]table.Write, 0, len(r.pending)+1)
	for _, receipt := range r.pending {
		writes = append(writes, r.marker(receipt))
	}
	err := r.DB.Transact(ctx, append(writes, r.count()))
	var canceled *table.Canceled
	if errors.As(err, &canceled) {
		return r.sortOut(ctx, canceled)
	}
	if err != nil {
		return err
	}
	r.tally.Counted = append(r.tally.Counted, r.pending...)
	r.files += files(r.pending)
	return nil
}

// sortOut learns from the reasons of a cancelled transaction.
func (r *recording) sortOut(ctx context.Context, canceled *table.Canceled) error {
	var pending []snapshot.Receipt
	for i, receipt := range r.pending {
		reason := canceled.Reasons[i]
		if !reason.ConditionFailed {
			pending = append(pending, receipt)
			continue
		}
		digest, err := reason.Old.String(attrDigest)
		switch {
		case err != nil:
			return err
		case digest == receipt.Message.Digest:
			r.tally.Duplicates = append(r.tally.Duplicates, receipt)
		default:
			r.tally.Reused = append(r.tally.Reused, receipt.Rejected(snapshot.IdentityReused()))
		}
	}
	if r.pending = pending; len(pending) == 0 {
		return nil
	}
	if canceled.Reasons[len(canceled.Reasons)-1].ConditionFailed {
		states, err := r.Read(ctx, []snapshot.CollectionKey{r.key})
		if err != nil {
			return err
		}
		if err := states[r.key].Malformed; err != nil {
			return err
		}
		if states[r.key].Row != nil {
			r.state, r.files = states[r.key], 0
		}
	}
	return errAgain
}

func files(receipts []snapshot.Receipt) int64 {
	n := int64(0)
	for _, receipt := range receipts {
		if !receipt.Message.IsSuccessFile {
			n++
		}
	}
	return n
}

// marker records that a message was counted. It is written once and never changed.
func (r *recording) marker(receipt snapshot.Receipt) table.Write {
	now, kind := r.Now(), kindFile
	if receipt.Message.IsSuccessFile {
		kind = kindSuccess
	}
	return table.Write{
		Ref: r.markerRef(r.key, receipt.Identity),
		Set: map[string]any{
			attrIdentity:  receipt.Identity,
			attrDigest:    receipt.Message.Digest,
			attrFilename:  receipt.Message.Filename,
			attrKind:      kind,
			attrCountedAt: now.Unix(),
			attrExecution: r.execution,
			attrExpiresAt: expires(now, markerTTL),
		},
		If: []table.Condition{{Attribute: r.Ledger.PartitionKey, Operator: table.Absent}},
	}
}

// count adds the pending files to what the ledger counted, and remembers what the last message said and
// whether the success file is among them.
//
// A ledger that knows nothing of a row that was counted before (the table outlived an earlier ledger) goes
// on from the row. A row that lost FilesCounted was replaced whole: what was counted until now belongs to
// older attempts, on condition that nobody counted or noticed it since.
func (r *recording) count() table.Write {
	row, known := *r.state.Row, r.state.Collection
	latest := r.pending[len(r.pending)-1].Message.Export
	write := table.Write{
		Ref: r.collectionRef(r.key),
		Set: map[string]any{
			attrSnapshotType:   latest.SnapshotType,
			attrExportDate:     latest.ExportDate,
			attrShutdownFlag:   latest.ShutdownFlag,
			attrReprocessFiles: latest.ReprocessFiles,
			attrCountedAt:      r.Now().Unix(),
			attrExpiresAt:      expires(r.Now(), ledgerTTL),
		},
		SetOnce: map[string]any{attrCorrelationID: r.key.CorrelationID, attrCollectionName: r.key.CollectionName},
		Add:     map[string]table.Sum{attrCounted: {From: row.FilesCounted.N, N: files(r.pending)}},
	}
	if files(r.pending) < int64(len(r.pending)) {
		write.Set[attrSuccessAttempt] = known.Attempt(row)
	}
	switch {
	case row.FilesCounted.Set:
		write.Set[attrProjected] = true
	case r.state.replaced():
		write.Set[attrBase] = known.Counted
		write.Set[attrProjected] = false
		write.If = []table.Condition{
			{Attribute: attrProjected, Operator: table.Equals, Value: true},
			{Attribute: attrCounted, Operator: table.Equals, Value: known.Counted},
		}
	}
	return write
}
