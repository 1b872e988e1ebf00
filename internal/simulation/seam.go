package simulation

import (
	"context"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// errLost stands for an answer that got lost: nobody knows whether the call took effect. It did.
var errLost = errors.New("connection reset: the answer was lost")

// fault is what goes wrong with one call.
type fault int

const (
	none fault = iota
	crashBefore
	crashAfter
	lost
	refused // contention: nothing took effect
)

// call gives way, and then decides what goes wrong. Whatever a task calls comes through here.
func (w *world) call(format string, args ...any) fault {
	a := w.current
	a.giveWay()
	w.steps++
	f := w.faultNow()
	if w.trace != nil {
		w.say("%s: %s%s", a.name, fmt.Sprintf(format, args...), [...]string{"", " — dies before", " — dies after", " — the answer is lost", " — refused"}[f])
	}
	if f == crashBefore {
		panic(death{})
	}
	return f
}

func (f fault) after() error {
	switch f {
	case crashAfter:
		panic(death{})
	case lost:
		return errLost
	}
	return nil
}

// seam is the tables as the tasks see them.
type seam struct{ *world }

func (s seam) Get(ctx context.Context, read table.Read) (table.Item, error) {
	f := s.call("reads %s", read.Key)
	if f == refused {
		return nil, table.ErrContention
	}
	read.Consistent = read.Consistent && !s.sabotage.StaleReads
	item, err := s.db.Get(ctx, read)
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return s.sabotage.seen(s.world, read.Ref, item), err
}

func (s seam) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	f := s.call("reads %d items from %s", len(reads), reads[0].Key)
	if f == refused {
		return nil, table.ErrContention
	}
	items, err := s.db.GetMany(ctx, reads)
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	for ref, item := range items {
		items[ref] = s.sabotage.seen(s.world, ref, item)
	}
	return items, err
}

func (s seam) Query(ctx context.Context, query table.Query) (table.Page, error) {
	f := s.call("queries %s after %q", query.Partition, query.After)
	if f == refused {
		return table.Page{}, table.ErrContention
	}
	query.Consistent = query.Consistent && !s.sabotage.StaleReads
	page, err := s.db.Query(ctx, query)
	if lost := f.after(); lost != nil {
		return table.Page{}, lost
	}
	for i, keyed := range page.Items {
		page.Items[i].Item = s.sabotage.seen(s.world, table.Ref{Name: query.Name, Key: keyed.Key}, keyed.Item)
	}
	if s.sabotage.FirstPageOnly {
		page.Next = ""
	}
	return page, err
}

func (s seam) Update(ctx context.Context, write table.Write) (table.Item, error) {
	f := s.call("writes %s %v %v if %v", write.Key, write.Set, write.Add, write.If)
	if f == refused {
		return nil, table.ErrContention
	}
	write = s.sabotage.written(s.world, write)
	old := s.item(write.Ref)
	item, err := s.db.Update(ctx, write)
	if err == nil {
		s.observe(write, old)
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return item, err
}

func (s seam) Transact(ctx context.Context, writes []table.Write) error {
	f := s.call("transaction of %d writes: %s …, count %v", len(writes), writes[0].Key, writes[len(writes)-1].Add)
	if f == refused {
		reasons := make([]table.Reason, len(writes))
		reasons[s.random.IntN(len(writes))].Contention = true
		return &table.Canceled{Reasons: reasons}
	}
	sabotaged := make([]table.Write, len(writes))
	old := make([]table.Item, len(writes))
	for i, write := range writes {
		sabotaged[i], old[i] = s.sabotage.written(s.world, write), s.item(write.Ref)
		if write.Table == s.tables.Status.Table {
			s.broken("a transaction on a row of the shared table")
		}
	}
	err := s.db.Transact(ctx, sabotaged)
	if err == nil {
		for i, write := range sabotaged {
			s.observe(write, old[i])
		}
	}
	if lost := f.after(); lost != nil {
		return lost
	}
	return err
}

// item reads what stands in a table, unseen by the tasks.
func (w *world) item(ref table.Ref) table.Item {
	item, _ := w.db.Get(context.Background(), table.Read{Ref: ref, Consistent: true})
	return item
}

// outbox is the senders as the tasks see them.
type outbox struct{ *world }

func (o outbox) send(debt snapshot.Debt) error {
	f := o.call("sends %s for attempt %d of %q", debt.Kind, debt.Attempt, debt.CollectionName)
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	o.sent[debt]++
	o.checkSend(debt)
	return f.after()
}

func (o outbox) Request(_ context.Context, debt snapshot.Debt, _ snapshot.Export) error {
	return o.send(debt)
}

func (o outbox) News(_ context.Context, debt snapshot.Debt, _ snapshot.Run) error {
	return o.send(debt)
}

func (o outbox) Report(_ context.Context, report snapshot.Debt, _ snapshot.Run, _ snapshot.Holders) error {
	return o.send(report)
}

func (o outbox) Start(_ context.Context, keys []snapshot.CollectionKey) error {
	f := o.call("starts a look at %d collections", len(keys))
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	o.start("look", encode(map[string]any{"look": keys}))
	return f.after()
}

func (o outbox) Keep(_ context.Context, receipt snapshot.Receipt) error {
	f := o.call("keeps %s: %v", receipt.Identity, receipt.Rejection)
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	o.keep(kept{identity: receipt.Identity, raw: receipt.Raw, reason: receipt.Rejection.Reason})
	return f.after()
}
