package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// RegisterRun makes a run known to the ledger, with what its first message said and with that message's collection as
// the blocker hint, unless that is done. Doing it again changes nothing but how long the run is kept.
func (s *Store) RegisterRun(ctx context.Context, row snapshot.Row, export snapshot.Export) error {
	once := said(export)
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

// Checked is what a check of a run came to.
type Checked struct {
	Pending []snapshot.Outgoing // notifications that the owner has to deliver now
	Blocker string              // a collection that the run waits for; "" if none was met
}

// Check decides whether monitoring has to be notified of the kinds, and enqueues what is due. The collection is the one
// that was reconciled, moved whether that reconciliation moved it. Asked again as the same owner, it returns what that
// enqueued and has not delivered.
//
// While the hint's collection blocks, nothing else is read. A notification is enqueued only after every row of the run
// was read, strongly consistent, over all pages, in the wanted status or further.
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

// check decides about one notification, from the run as it was read after the collection moved.
func (c *checking) check(ctx context.Context, run *snapshot.Run, kind snapshot.Kind) (err error) {
	done := map[string]bool{c.key.CollectionName: true} // collections that a read which may be stale need not show
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
		if c.leftToOthers(hint, done) {
			blocks := c.moved // then whoever moves the hint's collection goes on; else that one may have died
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
		again, err := c.goOn(ctx, *run, kind, done)
		if err != nil && !errors.Is(err, table.ErrConditionFailed) {
			return err
		}
		if err == nil && !again {
			return nil
		}
		metrics.Add(ctx, metrics.ContentionRetries, 1)
		run = nil
	}
	return fmt.Errorf("given up after %d tries", maxTries)
}

// leftToOthers reports whether the hint is another collection, which this reconciliation neither set nor found done.
func (c *checking) leftToOthers(hint snapshot.Hint, done map[string]bool) bool {
	return hint.Collection != "" && hint.By != c.owner && !done[hint.Collection]
}

// goOn looks for another blocker from the hint on. If there is none it reads the whole run, and enqueues the
// notification if no row blocks it. again says that the blocker was moved meanwhile. An error that is
// table.ErrConditionFailed says that the run changed since it was read.
func (c *checking) goOn(
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
	case blocker == "" && hint.Collection == "": // a run without rows notifies nobody
		return false, nil
	}
	// Whoever moves the blocker from now on sees the hint; whoever moved it before is seen by the next read. So it is
	// for a run without rows, whose hint is none: rows that were added before are seen by the next round.
	write := table.Write{Ref: c.runRef(run.CorrelationID), Set: map[string]any{}, If: hintAsRead(kind, hint)}
	setHint(write.Set, kind, snapshot.Hint{Collection: blocker, By: c.owner})
	if _, err := c.db.Update(ctx, write); err != nil || blocker == "" {
		return true, err
	}
	blocks, err := c.blocks(ctx, blocker, kind)
	c.checked.Blocker, done[blocker] = blocker, !blocks
	return !blocks, err
}

// notify enqueues the notification for the run's generation, unless it was enqueued and is delivered or another's.
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

// walkRows is how many rows the first page of a walk has: as many as fit into one read unit (4 KB), at about 220 bytes
// a row. Each further page is twice as long, so what is read too far stays in proportion.
const walkRows = 16

// walk asks for the rows from one on. Only a whole reading, after which monitoring is notified, has to be consistent: a
// blocker that is found is read again. The whole reading begins with a short page too, so that its blocker is among the
// first rows: in whatever order collections are completed, few readings then begin there anew.
func (c *checking) walk(from string, consistent bool) table.Query {
	query := c.rowsOf(c.key.CorrelationID)
	query.From, query.Limit, query.Consistent = from, walkRows, consistent
	return query
}

// firstBlocker reads rows up to the first page with rows that block the notification, and returns the one of them whose
// name hashes lowest, so that no order in which collections are completed is a bad one; "" if none does. rows is how
// many were read. A row that cannot be read is an error, unless another one blocks.
func (c *checking) firstBlocker(
	ctx context.Context, kind snapshot.Kind, query table.Query, done map[string]bool,
) (blocker string, rows int, err error) {
	lowest, malformed := uint64(0), error(nil)
	err = c.eachPage(ctx, query, func(page []pagedRow) (goOn bool) {
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
		return blocker == "" && malformed == nil
	})
	if err == nil && blocker == "" {
		err = malformed
	}
	return blocker, rows, err
}

func hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// getRun reads a run, nil if the ledger does not know it: then nothing was counted for it.
func (s *Store) getRun(ctx context.Context, correlationID string) (*snapshot.Run, error) {
	item, err := s.db.Get(ctx, table.Read{Ref: s.runRef(correlationID), Consistent: true})
	if err != nil {
		return nil, err
	}
	return s.decodeRun(correlationID, item)
}

// rowsOf asks for the rows of a run, strongly consistent.
func (t Tables) rowsOf(correlationID string) table.Query {
	return table.Query{Name: t.Status, Partition: correlationID, Attributes: rowAttributes, Consistent: true}
}

// pagedRow is a row of a page. One that breaks the table's contract has a *failure.Malformed, and of its
// attributes those that can be read: for people.
type pagedRow struct {
	snapshot.Row
	Malformed error
}

// eachPage reads rows over all pages until visit says not to go on. If the query has a limit, every page may hold twice
// as many as the one before.
func (s *Store) eachPage(ctx context.Context, query table.Query, visit func([]pagedRow) (goOn bool)) error {
	for {
		page, err := s.db.Query(ctx, query)
		if err != nil {
			return err
		}
		rows := make([]pagedRow, len(page.Items))
		for i, keyed := range page.Items {
			key := snapshot.CollectionKey{CorrelationID: query.Partition, CollectionName: keyed.Sort}
			row, err := s.decodeRow(key, keyed.Item)
			rows[i] = pagedRow{Row: *row, Malformed: err}
		}
		if !visit(rows) || page.Next == "" {
			return nil
		}
		query.After, query.Limit = page.Next, min(2*query.Limit, maxPage)
	}
}

// maxPage is more rows than a page can hold (1 MB).
const maxPage = 1 << 16
