package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

type updater interface {
	Update(context.Context, table.Write) (table.Item, error)
}

// project adds to a row what the ledger counted and the row lacks, on condition that FilesCounted is as it
// was read: run twice it changes nothing, and if another was faster it returns table.ErrConditionFailed. The
// files are added to whatever FilesReceived is by then, since others set it back without looking.
func (t Tables) project(ctx context.Context, db updater, row snapshot.Row, c snapshot.Collection, by string) (snapshot.Row, error) {
	if missing := c.Missing(row); missing > 0 {
		item, err := db.Update(ctx, table.Write{
			Ref: t.rowRef(row.CollectionKey),
			Set: map[string]any{attrFilesCounted: c.Counted, attrCountedBy: by},
			Add: map[string]table.Sum{attrFilesReceived: {N: missing}},
			If:  []table.Condition{t.rowExists(), asRead(attrFilesCounted, row.FilesCounted)},
		})
		if err != nil {
			return row, err
		}
		if row, err = t.decodeRow(row.CollectionKey, item); err != nil {
			return row, err
		}
	}
	if c.Behind(row) {
		return row, t.rememberProjected(ctx, db, row.CollectionKey, c)
	}
	return row, nil
}

// by makes the name under which a row says who brought it up to date: short, since every read of a run reads it.
func by(who string) string {
	sum := sha256.Sum256([]byte(who))
	return hex.EncodeToString(sum[:4])
}

// rememberProjected notes, once per row, that it carries FilesCounted from now on. If we die before this, the
// next count or look notes it. It is void if the row was meanwhile found to be replaced.
func (t Tables) rememberProjected(ctx context.Context, db updater, key snapshot.CollectionKey, c snapshot.Collection) error {
	base := table.Condition{Attribute: attrBase, Operator: table.Absent}
	if c.Base != 0 {
		base = table.Condition{Attribute: attrBase, Operator: table.Equals, Value: c.Base}
	}
	_, err := db.Update(ctx, table.Write{
		Ref: t.collectionRef(key),
		Set: map[string]any{attrProjected: true},
		If:  append(t.itemExists(), base),
	})
	return unlessOvertaken(err)
}
