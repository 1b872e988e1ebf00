package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// CountingDB is what counting asks of the tables.
type CountingDB interface {
	GetMany(context.Context, []table.Read) (map[table.Ref]table.Item, error)
	Update(context.Context, table.Write) (table.Item, error)
	Transact(context.Context, []table.Write) error
}

// Counter counts files: each distinct message once, in the ledger first and then in the row.
type Counter struct {
	DB CountingDB
	Tables
	Now   func() time.Time
	Pause Pause
}

// State is what is stored of a collection, as it was read.
type State struct {
	Row        *snapshot.Row // nil if the export status table has none
	Collection snapshot.Collection
	Malformed  error // a *failure.Malformed, if what is stored cannot be read: then nothing else is sure
}

// agreed reports whether the row held all that was counted when both were read.
func (s State) agreed() bool { return s.Collection.Counted == s.Collection.Before(*s.Row) }

// after is the state that a transaction which counts so many files leaves behind.
func (s State) after(files int64) State {
	if s.replaced() {
		s.Collection.Base = s.Collection.Counted
	}
	s.Collection.Counted += files
	s.Collection.Projected = s.Row.FilesCounted.Set
	return s
}

// replaced reports whether the row lost FilesCounted and nobody counted since. Of a row that was read before the ledger it
// proves nothing: FilesCounted may have come in between.
func (s State) replaced() bool { return !s.Row.FilesCounted.Set && s.Collection.Projected }

// Tally is what became of the messages of one collection.
type Tally struct {
	Counted    []snapshot.Receipt // counted by this call; success files are among them although they add nothing
	Duplicates []snapshot.Receipt // counted before
	Reused     []snapshot.Receipt // identity seen before with another body: to be kept
	Row        *snapshot.Row      // as brought up to date; nil if it went away meanwhile
	Last       bool               // nobody has brought the row up to date since this call did; false if it had nothing to do
}

// Read reads the rows and the ledger's collections, strongly consistent, up to table.MaxBatch items a call.
// One that cannot be read keeps none of the others from being read.
func (c *Counter) Read(ctx context.Context, keys []snapshot.CollectionKey) (map[snapshot.CollectionKey]State, error) {
	states := map[snapshot.CollectionKey]State{}
	for chunk := range slices.Chunk(keys, table.MaxBatch/2) {
		err := c.Pause.tries(ctx, "reading collections", func() error { return c.readInto(ctx, states, chunk) })
		if err != nil {
			return nil, err
		}
	}
	return states, nil
}

func (c *Counter) readInto(ctx context.Context, states map[snapshot.CollectionKey]State, keys []snapshot.CollectionKey) error {
	var reads []table.Read
	for _, key := range keys {
		reads = append(reads,
			table.Read{Ref: c.rowRef(key), Attributes: rowAttributes, Consistent: true},
			table.Read{Ref: c.collectionRef(key), Attributes: collectionAttributes, Consistent: true})
	}
	items, err := c.DB.GetMany(ctx, reads)
	if err != nil {
		return err
	}
	for _, key := range keys {
		state := c.decode(key, items)
		if state.Row != nil && state.replaced() {
			if state, err = c.readInOrder(ctx, key); err != nil {
				return err
			}
		}
		states[key] = state
	}
	return nil
}

// readInOrder reads a row and then the ledger's collection, which a batch reads in any order. What somebody who counted
// less adds to the row after it was read here makes an update on condition of its FilesCounted fail. It returns errAgain if
// the row only seems to be replaced.
func (c *Counter) readInOrder(ctx context.Context, key snapshot.CollectionKey) (State, error) {
	row := table.Read{Ref: c.rowRef(key), Attributes: rowAttributes, Consistent: true}
	items := map[table.Ref]table.Item{}
	for _, read := range []table.Read{row, {Ref: c.collectionRef(key), Attributes: collectionAttributes, Consistent: true}} {
		one, err := c.DB.GetMany(ctx, []table.Read{read})
		if err != nil {
			return State{}, err
		}
		maps.Copy(items, one)
	}
	state := c.decode(key, items)
	if state.Row == nil || !state.replaced() {
		return state, nil
	}
	later, err := c.DB.GetMany(ctx, []table.Read{row})
	if err == nil && later[row.Ref].Has(attrFilesCounted) {
		err = errAgain
	}
	return state, err
}

func (c *Counter) decode(key snapshot.CollectionKey, items map[table.Ref]table.Item) State {
	var state State
	if item := items[c.rowRef(key)]; item != nil {
		row, err := c.decodeRow(key, item)
		if err != nil {
			return State{Malformed: err}
		}
		state.Row = &row
	}
	var err error
	if state.Collection, err = c.decodeCollection(key, items[c.collectionRef(key)]); err != nil {
		return State{Malformed: err}
	}
	return state
}

// mostMarkers is how many messages a transaction counts: the collection's own item takes one of its places.
const mostMarkers = table.MaxTransaction - 1

// Count counts messages of one collection, and then brings its row up to date, once. The state must come from Read
// and must have a row. execution names who counts, for the markers.
//
// Calling it again with the same messages adds nothing, brings the row up to date if an earlier call did not
// come to that, and reports them as duplicates. A tally that comes with an error says what was counted before it.
func (c *Counter) Count(ctx context.Context, execution string, state State, receipts []snapshot.Receipt) (Tally, error) {
	r := &recording{Counter: c, key: state.Row.CollectionKey, execution: execution, state: state}
	for some := range slices.Chunk(receipts, mostMarkers) { // one after the other: they write the same item
		r.pending = some
		if err := c.Pause.tries(ctx, "counting", func() error { return r.record(ctx) }); err != nil {
			return r.tally, err
		}
	}
	row, err := c.bringUpToDate(ctx, r)
	r.tally.Row = row
	r.tally.Last = row != nil && row.CountedBy == by(execution)
	return r.tally, err
}

// bringUpToDate makes the row hold at least what was counted when the recording ended.
//
// If nothing came in between and the row agreed with the ledger before, the recorded files are added to the
// row as it was read, without reading again. Should that leave out somebody's files that were recorded at the
// same time, it changes FilesCounted after that somebody read it; so their own update fails its condition,
// and they read again: the row first, or the same could happen between the two.
func (c *Counter) bringUpToDate(ctx context.Context, r *recording) (*snapshot.Row, error) {
	undisturbed := len(r.tally.Duplicates)+len(r.tally.Reused) == 0
	state, known := r.state.after(r.files), undisturbed && r.state.agreed()
	var row *snapshot.Row
	err := c.Pause.tries(ctx, "bringing the row up to date", func() error {
		if !known {
			var err error
			if state, err = c.readInOrder(ctx, r.key); err != nil {
				return err
			}
			if state.Malformed != nil {
				return state.Malformed
			}
		}
		known = false
		if row = state.Row; row == nil {
			return nil // gone; whoever makes it anew finds it brought up to date by the next look
		}
		updated, err := c.project(ctx, c.DB, *row, state.Collection, by(r.execution))
		row = &updated
		return err
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}
