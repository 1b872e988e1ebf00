package store

import (
	"context"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// adopt makes the row carry our attributes, with an epoch that begins at the ledger's present count: a row that is new,
// was replaced whole, or was counted by another system or under a ledger that is lost. FilesReceived stays as it is, or
// becomes 0 if it is missing or no number.
//
// A row without our attributes is marked first. The ledger is read after the mark and the row is adopted only if it
// still bears it: a row that was replaced whole in between looks the same, but belongs to another export. It returns
// the row as it then is, nil if it is gone; a row that needs no adoption is returned as it is.
func (s *Store) adopt(ctx context.Context, row *snapshot.Row) (*snapshot.Row, error) {
	for range maxTries {
		var err error
		if row, err = s.mark(ctx, row); err != nil || row == nil {
			return nil, err
		}
		if !row.Adopted() && !row.Marked() {
			continue // it was replaced
		}
		collection, err := s.getCollection(ctx, row.CollectionKey)
		if err != nil {
			return nil, fmt.Errorf("adopting a row: %w", err)
		}
		if row.Adopted() && row.Held() <= collection.Counted {
			return row, nil
		}
		received := row.FilesReceived.N
		set := map[string]any{attrEpochStart: collection.Counted - received, attrSyncedFiles: received}
		if !row.FilesReceived.Is(received) {
			set[attrFilesReceived] = received
		}
		row, err = s.writeRow(ctx, row.CollectionKey, set, numbersAsRead(*row)...)
		switch {
		case err == nil, row == nil && errors.Is(err, table.ErrConditionFailed):
			return row, nil
		case !errors.Is(err, table.ErrConditionFailed):
			return nil, err
		}
	}
	return nil, fmt.Errorf("adopting a row: given up after %d tries", maxTries)
}

// mark marks a row that is neither adopted nor marked. A row that another marked is read again: by then it is usually
// adopted, and a read costs less than an adoption that is refused. It returns the row as it then is, nil if it is gone.
func (s *Store) mark(ctx context.Context, row *snapshot.Row) (*snapshot.Row, error) {
	if row.Adopted() {
		return row, nil
	}
	if !row.Marked() {
		set := map[string]any{attrSyncedFiles: "adopting " + s.Nonce()}
		marked, err := s.writeRow(ctx, row.CollectionKey, set, numbersAsRead(*row)...)
		if err == nil || !errors.Is(err, table.ErrConditionFailed) {
			return marked, err
		}
	}
	return s.getRow(ctx, row.CollectionKey)
}

// adopt is as Store's, for a row that has to be there.
func (c *counting) adopt(ctx context.Context) error {
	row, err := c.Store.adopt(ctx, c.row)
	if err == nil && row == nil {
		err = ErrNoRow
	}
	if err == nil {
		c.row = row
	}
	return err
}

// sync makes an adopted row hold at least what the ledger counted. wrote says whether this call did it: if somebody who
// counted later has already carried this count along, nothing is written, so however many count at once, each tries
// once. A row that a refused write finds exactly as it wanted it may be its own, by an earlier try whose answer was
// lost: then wrote is true, too.
//
// It returns the row as it then is, nil if it is gone. A row that was replaced meanwhile is left to the next message.
func (s *Store) sync(
	ctx context.Context, row snapshot.Row, counted int64,
) (synced *snapshot.Row, wrote bool, err error) {
	for try := range maxTries {
		if !row.Adopted() {
			return &row, false, nil
		}
		var set map[string]any
		var conditions []table.Condition
		if row.SetByOthers() { // another export has begun
			epoch := row.Epoch()
			received := max(counted-epoch, row.FilesReceived.N)
			set = map[string]any{attrEpochStart: epoch, attrFilesReceived: received, attrSyncedFiles: received}
			conditions = numbersAsRead(row)
		} else {
			received := counted - row.EpochStart.N
			if row.SyncedFiles.N >= received {
				return &row, try > 0 && row.SyncedFiles.N == received, nil
			}
			set = map[string]any{attrFilesReceived: received, attrSyncedFiles: received}
			conditions = []table.Condition{
				{Attribute: attrEpochStart, Value: row.EpochStart.N},
				{Attribute: attrFilesReceived, Operator: table.EqualsAttribute, Value: attrSyncedFiles},
				{Attribute: attrSyncedFiles, Operator: table.Below, Value: received},
			}
		}
		now, err := s.writeRow(ctx, row.CollectionKey, set, conditions...)
		if err == nil {
			return now, true, nil
		}
		if !errors.Is(err, table.ErrConditionFailed) {
			return nil, false, err
		}
		if now == nil {
			return nil, false, nil
		}
		row = *now
	}
	return nil, false, fmt.Errorf("syncing a row: given up after %d tries", maxTries)
}

// move is the only write of CollectionStatus: from the row as it was read, and from nothing else.
func (s *Store) move(ctx context.Context, row snapshot.Row, to snapshot.Status) error {
	conditions := append(numbersAsRead(row),
		table.Condition{Attribute: attrStatus, Value: string(row.Status)}, asRead(attrFilesSent, row.FilesSent))
	_, err := s.writeRow(ctx, row.CollectionKey, map[string]any{attrStatus: string(to.As(row.Status))}, conditions...)
	return err
}

// writeRow is the only write of the export status table: one row, conditional, and never a new one. It returns the row
// as it then is; with table.ErrConditionFailed as it is, nil if it is gone.
func (s *Store) writeRow(
	ctx context.Context, key snapshot.CollectionKey, set map[string]any, conditions ...table.Condition,
) (*snapshot.Row, error) {
	ref := s.rowRef(key)
	item, failed := s.db.Update(ctx, table.Write{Ref: ref, Set: set, If: append(conditions, exists(ref))})
	if failed != nil && !errors.Is(failed, table.ErrConditionFailed) {
		return nil, failed
	}
	if failed != nil {
		metrics.Add(ctx, metrics.ContentionRetries, 1)
	}
	row, err := s.decodeRow(key, item)
	if err != nil {
		return nil, err
	}
	return row, failed
}

func (s *Store) getRow(ctx context.Context, key snapshot.CollectionKey) (*snapshot.Row, error) {
	item, err := s.db.Get(ctx, table.Read{Ref: s.rowRef(key), Attributes: rowAttributes, Consistent: true})
	if err != nil {
		return nil, err
	}
	return s.decodeRow(key, item)
}

func (s *Store) getCollection(ctx context.Context, key snapshot.CollectionKey) (snapshot.Collection, error) {
	item, err := s.db.Get(ctx, table.Read{Ref: s.collectionRef(key), Consistent: true})
	if err != nil {
		return snapshot.Collection{}, err
	}
	return s.decodeCollection(key, item)
}
