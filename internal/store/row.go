package store

import (
	"context"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// adopt gives the row an epoch that begins at the ledger's present count. It adopts a row that is new, that was
// replaced whole, that another system counted, or that was counted under a lost ledger; any other row is left
// unchanged. FilesReceived keeps its value, or becomes 0 if it is absent or not a number.
//
// A row without EpochStart and SyncedFiles is marked first; one of a lost ledger has both, and is adopted as read. The
// ledger is read after the mark, and the row is adopted only if it still has the mark: a row that was replaced in
// between looks the same, but belongs to another export.
//
// It returns the row after the write, nil if the row is gone. Repeating it changes nothing.
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
		row, err = s.writeRow(ctx, row.CollectionKey, set, epochAsRead(*row)...)
		switch {
		case err == nil, row == nil && errors.Is(err, table.ErrConditionFailed):
			return row, nil
		case !errors.Is(err, table.ErrConditionFailed):
			return nil, err
		}
	}
	return nil, fmt.Errorf("adopting a row: other writers interfered %d times", maxTries)
}

// mark marks a row that is neither adopted nor marked. A row that another marked is read again: by then it is usually
// adopted, and a read costs less than an adoption that is refused. It returns the row as it then is, nil if it is gone.
func (s *Store) mark(ctx context.Context, row *snapshot.Row) (*snapshot.Row, error) {
	if row.Adopted() {
		return row, nil
	}
	if !row.Marked() {
		set := map[string]any{attrSyncedFiles: snapshot.AdoptionMark + s.Nonce()}
		marked, err := s.writeRow(ctx, row.CollectionKey, set, epochAsRead(*row)...)
		if err == nil || !errors.Is(err, table.ErrConditionFailed) {
			return marked, err
		}
	}
	return s.getRow(ctx, row.CollectionKey)
}

// adopt adopts the row like Store.adopt, and returns ErrNoRow if it is gone.
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

// sync brings an adopted row up to the ledger's count. wrote reports whether this call wrote it. If a later count
// already included this one, sync writes nothing, so each of many concurrent calls tries once. If a refused write finds
// exactly the values that it would have written, they may be its own from a try whose answer was lost: wrote is true.
//
// It returns the row after the write, nil if the row is gone. A row that was replaced meanwhile is left to the next
// message.
func (s *Store) sync(
	ctx context.Context, row snapshot.Row, counted int64,
) (synced *snapshot.Row, wrote bool, err error) {
	for try := range maxTries {
		if !row.Adopted() {
			return &row, false, nil
		}
		var set map[string]any
		var conditions []table.Condition
		if row.SetByOthers() { // a new export has begun
			epoch := row.Epoch()
			received := max(counted-epoch, row.FilesReceived.N)
			set = map[string]any{attrEpochStart: epoch, attrFilesReceived: received, attrSyncedFiles: received}
			conditions = epochAsRead(row)
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
	return nil, false, fmt.Errorf("syncing a row: other writers interfered %d times", maxTries)
}

// move writes CollectionStatus, and nothing else does. It fails with table.ErrConditionFailed if the row has changed
// since it was read.
func (s *Store) move(ctx context.Context, row snapshot.Row, to snapshot.Status) error {
	conditions := append(epochAsRead(row),
		table.Condition{Attribute: attrStatus, Value: string(row.Status)}, asRead(attrFilesSent, row.FilesSent))
	_, err := s.writeRow(ctx, row.CollectionKey, map[string]any{attrStatus: string(to.As(row.Status))}, conditions...)
	return err
}

// writeRow is the only write of the export status table. It is conditional and makes no row. It returns the row after
// the write or, with table.ErrConditionFailed, as it is now: nil if it is gone.
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
