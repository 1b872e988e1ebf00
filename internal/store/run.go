package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// RegisterRun adds a run to the ledger, with the Export of its first message and that message's collection as the
// blocker hint. Repeating it only extends the run's expiry.
func (s *Store) RegisterRun(ctx context.Context, row snapshot.Row, export snapshot.Export) error {
	once := exportAttributes(export)
	once[attrCorrelationID], once[attrRegisteredAt] = row.CorrelationID, s.Now().Unix()
	for _, kind := range snapshot.Notifications {
		hint := snapshot.Hint{}
		if !row.Status.AtLeast(kind.Wanted(), s.Exempt) {
			hint.Collection = row.CollectionName
		}
		setHint(once, kind, hint)
	}
	_, err := s.db.Update(ctx, table.Write{Ref: s.runRef(row.CorrelationID),
		Set: map[string]any{attrExpiresAt: s.expires(ledgerTTL)}, SetOnce: once})
	if err != nil {
		return fmt.Errorf("registering a run: %w", err)
	}
	return nil
}

func setHint(set map[string]any, kind snapshot.Kind, hint snapshot.Hint) {
	p := prefix(kind)
	set[p+hintCollection], set[p+hintBy], set[p+hintNotified] = hint.Collection, hint.By, hint.Notified
}

func hintAsRead(kind snapshot.Kind, read snapshot.Hint) []table.Condition {
	p := prefix(kind)
	return []table.Condition{
		{Attribute: p + hintCollection, Value: read.Collection},
		{Attribute: p + hintBy, Value: read.By},
		{Attribute: p + hintNotified, Value: read.Notified},
	}
}

// Checked is the result of a run's check.
type Checked struct {
	Pending []snapshot.Outgoing // notifications that the owner must deliver now
	Blocker string              // a collection that the run waits for; "" if none was found
}

// Check decides whether the notifications of these kinds are due, and enqueues them. key is the collection that was
// reconciled; moved reports whether that reconciliation moved it. Repeated by the same owner, it returns the
// notifications that the owner enqueued and has not delivered.
//
// While the hint's collection blocks, Check reads nothing else. It enqueues a notification only after reading every row
// of the run, strongly consistent, over all pages, in the wanted status or further.
func (s *Store) Check(
	ctx context.Context, key snapshot.CollectionKey, owner string, moved bool, kinds []snapshot.Kind,
) (Checked, error) {
	c := checking{Store: s, key: key, owner: owner, moved: moved}
	run, err := s.getRun(ctx, key.CorrelationID)
	if err != nil || run == nil {
		return Checked{}, err
	}
	for _, kind := range kinds {
		if err := c.check(ctx, run, kind); err != nil {
			return Checked{}, fmt.Errorf("checking a run for %s: %w", kind, err)
		}
	}
	return c.checked, nil
}

// checking is one call of Check.
type checking struct {
	*Store
	key     snapshot.CollectionKey
	owner   string
	moved   bool
	checked Checked
}

// check decides about one notification. run was read after the collection moved.
func (c *checking) check(ctx context.Context, run *snapshot.Run, kind snapshot.Kind) (err error) {
	done := map[string]bool{c.key.CollectionName: true} // found done; a stale read may show them as blockers
	for range maxTries {
		if run == nil {
			run, err = c.getRun(ctx, c.key.CorrelationID)
		}
		if err != nil || run == nil {
			return err
		}
		if entry := run.Outbox[kind]; entry.PendingOf(c.owner, entry.Version.N) {
			c.checked.Pending = append(c.checked.Pending, run.Outgoing(kind, entry.Version.N))
			return nil
		}
		hint := run.Hints[kind]
		if hint.Notified {
			return nil
		}
		if c.anothers(hint, done) {
			// The reconciliation that moves the hint's collection continues from there, so one that moved its own
			// collection stops. One that moved nothing reads the hint's row: that reconciliation may have failed.
			blocks := c.moved
			if !blocks {
				if blocks, err = c.blocks(ctx, hint.Collection, kind); err != nil {
					return err
				}
			}
			if blocks {
				c.checked.Blocker = hint.Collection
				return nil
			}
			done[hint.Collection] = true
		}
		again, err := c.nextBlocker(ctx, *run, kind, done)
		if err != nil && !errors.Is(err, table.ErrConditionFailed) {
			return err
		}
		if err == nil && !again {
			return nil
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		run = nil
	}
	return fmt.Errorf("other writers interfered %d times", maxTries)
}

// anothers reports whether the hint is a collection that this reconciliation neither set as the hint nor found done.
func (c *checking) anothers(hint snapshot.Hint, done map[string]bool) bool {
	return hint.Collection != "" && hint.By != c.owner && !done[hint.Collection]
}

// nextBlocker finds another blocker, from the hint on, and makes it the hint. Without one it reads the whole run, and
// enqueues the notification if no row blocks it. again reports that the new blocker moved meanwhile. It fails with
// table.ErrConditionFailed if the run has changed since it was read.
func (c *checking) nextBlocker(
	ctx context.Context, run snapshot.Run, kind snapshot.Kind, done map[string]bool,
) (again bool, err error) {
	hint := run.Hints[kind]
	blocker, rows, err := c.firstBlocker(ctx, kind, c.walk(hint.Collection, false), done)
	if err == nil && blocker == "" {
		blocker, rows, err = c.firstBlocker(ctx, kind, c.walk("", true), nil)
	}
	switch {
	case err != nil:
		return false, err
	case blocker == "" && rows > 0:
		return false, c.notify(ctx, run, kind)
	case blocker == "" && hint.Collection == "": // a run without rows notifies nothing
		return false, nil
	}
	// A reconciliation that moves the blocker after this write finds the hint. The read below finds an earlier move. In
	// the same way, the next round finds rows that were added before the hint of a run without rows was cleared.
	write := table.Write{Ref: c.runRef(run.CorrelationID), Set: map[string]any{}, If: hintAsRead(kind, hint)}
	setHint(write.Set, kind, snapshot.Hint{Collection: blocker, By: c.owner})
	if _, err := c.db.Update(ctx, write); err != nil || blocker == "" {
		return true, err
	}
	blocks, err := c.blocks(ctx, blocker, kind)
	c.checked.Blocker, done[blocker] = blocker, !blocks
	return !blocks, err
}

// notify enqueues the notification for the run's generation, unless it is delivered or leased by another owner.
func (c *checking) notify(ctx context.Context, run snapshot.Run, kind snapshot.Kind) error {
	entry := run.Outbox[kind]
	if entry.For(run.Generation) && !entry.Free(c.owner, run.Generation, c.Now()) {
		return nil
	}
	write := table.Write{Ref: c.runRef(run.CorrelationID), If: []table.Condition{generationIs(run.Generation)}}
	err := c.enqueue(ctx, write, kind, entry, entry.Take(run.Generation, c.owner, c.Now(), c.Lease))
	if err == nil {
		c.checked.Blocker = ""
		c.checked.Pending = append(c.checked.Pending, run.Outgoing(kind, run.Generation))
	}
	return err
}

// blocks reports whether a collection of the run blocks the notification.
func (c *checking) blocks(ctx context.Context, collection string, kind snapshot.Kind) (bool, error) {
	row, err := c.getRow(ctx, snapshot.CollectionKey{CorrelationID: c.key.CorrelationID, CollectionName: collection})
	return row != nil && !row.Status.AtLeast(kind.Wanted(), c.Exempt), err
}

// walkRows is the length of the first page of a walk: the rows that fit into one read unit (4 KB), at about 220 bytes a
// row. Each further page is twice as long, so the rows read beyond the blocker stay in proportion.
const walkRows = 16

// walk is the query for the rows from one on. Only the reading of the whole run must be consistent; a blocker that is
// found is read again. The whole reading begins with a short page too: its blocker is then among the first rows, and
// few readings begin there again.
func (c *checking) walk(from string, consistent bool) table.Query {
	query := c.rowsOf(c.key.CorrelationID)
	query.From, query.Limit, query.Consistent = from, walkRows, consistent
	return query
}

// firstBlocker reads pages up to the first one with rows that block the notification. It returns the one with the
// lowest hash, so that no order of completion is a worst case, or "" without one. rows is the number of rows read. A
// malformed row is an error, unless another row of its page blocks.
func (c *checking) firstBlocker(
	ctx context.Context, kind snapshot.Kind, query table.Query, done map[string]bool,
) (blocker string, rows int, err error) {
	lowest, malformed := uint64(0), error(nil)
	for page, err := range c.pagesOf(ctx, query) {
		if err != nil {
			return "", rows, err
		}
		rows += len(page)
		for _, row := range page {
			switch {
			case row.Malformed != nil:
				malformed = errors.Join(malformed, row.Malformed)
			case row.Status.AtLeast(kind.Wanted(), c.Exempt), done[row.CollectionName]:
			default:
				if h := hash(row.CollectionName); blocker == "" || h < lowest {
					blocker, lowest = row.CollectionName, h
				}
			}
		}
		if blocker != "" {
			return blocker, rows, nil
		}
		if malformed != nil {
			break
		}
	}
	return "", rows, malformed
}

func hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// getRun reads a run. It is nil if the ledger does not have it: then nothing was counted for it.
func (s *Store) getRun(ctx context.Context, correlationID string) (*snapshot.Run, error) {
	item, err := s.db.Get(ctx, table.Read{Ref: s.runRef(correlationID), Consistent: true})
	if err != nil {
		return nil, err
	}
	return s.decodeRun(correlationID, item)
}

// rowsOf is the query for the rows of a run, strongly consistent.
func (t Tables) rowsOf(correlationID string) table.Query {
	return table.Query{Name: t.Status, Partition: correlationID, Attributes: rowAttributes, Consistent: true}
}

// pagedRow is a row of a page. A malformed one has a *failure.Malformed and its readable attributes, for people.
type pagedRow struct {
	snapshot.Row
	Malformed error
}

// blocking is the row for a tally: a malformed one blocks the run.
func (r pagedRow) blocking() snapshot.Row {
	if r.Malformed != nil {
		r.Status = "Malformed row"
	}
	return r.Row
}

// pagesOf yields the pages of a query of rows. They end with an error.
func (s *Store) pagesOf(ctx context.Context, query table.Query) iter.Seq2[[]pagedRow, error] {
	return func(yield func([]pagedRow, error) bool) {
		for page, err := range s.query(ctx, query) {
			rows := make([]pagedRow, len(page))
			for i, keyed := range page {
				key := snapshot.CollectionKey{CorrelationID: query.Partition, CollectionName: keyed.Sort}
				row, malformed := s.decodeRow(key, keyed.Item)
				rows[i] = pagedRow{Row: *row, Malformed: malformed}
			}
			if !yield(rows, err) {
				return
			}
		}
	}
}

// maxPage is more rows than fit into a page (1 MB).
const maxPage = 1 << 16

// query yields the pages of a query. They end with an error. If the query has a limit, it doubles from page to page.
func (s *Store) query(ctx context.Context, query table.Query) iter.Seq2[[]table.Keyed, error] {
	return func(yield func([]table.Keyed, error) bool) {
		for {
			page, err := s.db.Query(ctx, query)
			if !yield(page.Items, err) || err != nil || page.Next == "" {
				return
			}
			query.After, query.Limit = page.Next, min(2*query.Limit, maxPage)
		}
	}
}

// allOf is the query for the items of a partition of the ledger, strongly consistent.
func (t Tables) allOf(partition string) table.Query {
	return table.Query{Name: t.Ledger, Partition: partition, Consistent: true}
}
