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

// call gives way, and then decides what goes wrong. Whatever a task calls comes through here; words say what.
func (w *world) call(words func() string) fault {
	a := w.current
	a.giveWay()
	w.steps++
	f := w.faultNow()
	if w.trace != nil {
		w.say("%s %s%s", a.name, words(), [...]string{"", " — and dies before", " — and dies after", " — and the answer is lost", " — and is refused"}[f])
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

// seam is the tables as a task sees them.
type seam struct {
	*world
	task string
}

// on notes that the task makes a call on tables.
func (s seam) on(operation string, refs ...table.Ref) {
	for _, ref := range refs {
		s.called[Call{s.task, operation, ref.Table}] = true
	}
}

func (s seam) Get(ctx context.Context, read table.Read) (table.Item, error) {
	s.on("Get", read.Ref)
	f := s.call(func() string { return "reads " + s.itemInWords(read.Ref) })
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

// GetMany reads one item after the other, in any order, and others go between: a batch is no snapshot
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
func (s seam) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	f := s.call(func() string { return "reads " + s.readsInWords(reads) })
	if f == refused {
		return nil, table.ErrContention
	}
	items := map[table.Ref]table.Item{}
	for n, i := range s.random.Perm(len(reads)) {
		if n > 0 {
			s.current.giveWay()
			s.say("%s reads on: %s", s.current.name, s.itemInWords(reads[i].Ref))
		}
		s.on("GetMany", reads[i].Ref)
		some, err := s.db.GetMany(ctx, reads[i:i+1])
		if err != nil {
			return nil, err
		}
		for ref, item := range some {
			items[ref] = s.sabotage.seen(s.world, ref, item)
		}
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return items, nil
}

func (s seam) Query(ctx context.Context, query table.Query) (table.Page, error) {
	s.on("Query", table.Ref{Name: query.Name})
	f := s.call(func() string {
		return fmt.Sprintf("reads a page of %s %s after %q", query.Table, query.Partition, query.After)
	})
	if f == refused {
		return table.Page{}, table.ErrContention
	}
	query = s.sabotage.queried(query)
	page, err := s.db.Query(ctx, query)
	if lost := f.after(); lost != nil {
		return table.Page{}, lost
	}
	for i, keyed := range page.Items {
		ref := table.Ref{Name: query.Name, Key: keyed.Key}
		if i > 0 && s.torn { // a page is no snapshot either
			s.current.giveWay()
			if later, _ := s.db.Get(ctx, table.Read{Ref: ref, Attributes: query.Attributes, Consistent: query.Consistent}); later != nil {
				keyed.Item = later
			}
		}
		page.Items[i].Item = s.sabotage.seen(s.world, ref, keyed.Item)
	}
	if s.sabotage.FirstPageOnly {
		page.Next = ""
	}
	return page, err
}

func (s seam) Update(ctx context.Context, write table.Write) (table.Item, error) {
	s.on("Update", write.Ref)
	f := s.call(func() string { return "writes " + s.writeInWords(write) })
	if f == refused {
		return nil, table.ErrContention
	}
	write = s.sabotage.written(s.world, write)
	old := s.item(write.Ref)
	item, err := s.db.Update(ctx, write)
	if err == nil {
		s.observe(write, old)
	} else {
		s.say("    … which fails: %v", err)
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return item, err
}

func (s seam) Transact(ctx context.Context, writes []table.Write) error {
	f := s.call(func() string { return "writes together " + s.transactionInWords(writes) })
	if f == refused {
		reasons := make([]table.Reason, len(writes))
		reasons[s.random.IntN(len(writes))].Contention = true
		return &table.Canceled{Reasons: reasons}
	}
	sabotaged := make([]table.Write, len(writes))
	old := make([]table.Item, len(writes))
	for i, write := range writes {
		s.on("Transact", write.Ref)
		sabotaged[i], old[i] = s.sabotage.written(s.world, write), s.item(write.Ref)
		if write.Table == s.tables.Status.Table {
			s.broken("a transaction on a row of the shared table")
		}
	}
	err := s.db.Transact(ctx, sabotaged)
	var canceled *table.Canceled
	if errors.As(err, &canceled) {
		s.say("    … which is cancelled")
		for i, reason := range canceled.Reasons {
			if s.sabotage.IgnoreDigest && reason.Old.Has("Digest") {
				reason.Old["Digest"] = writes[i].Set["Digest"]
			}
		}
	} else if err == nil {
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
	f := o.call(func() string {
		return fmt.Sprintf("sends %s for attempt %d of %q", debt.Kind, debt.Attempt, debt.CollectionName)
	})
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	o.sent[debt]++
	if debt.Kind != snapshot.RunStalled {
		o.sends++
	}
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
	f := o.call(func() string { return fmt.Sprintf("starts a look at %v", keys) })
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	o.start("look", "a look that the sweep asks for", encode(map[string]any{"look": keys}))
	return f.after()
}

func (o outbox) Keep(_ context.Context, receipt snapshot.Receipt) error {
	f := o.call(func() string { return fmt.Sprintf("keeps %s: %v", receipt.Identity, receipt.Rejection) })
	if f == refused && o.faulty {
		return errors.New("throttled")
	}
	if receipt.Rejection.Reason == snapshot.ReasonUnknownCollection && o.item(o.tables.Status.At(run, receipt.Message.CollectionName)) != nil {
		o.broken("%s was rejected although there is a row for %s", receipt.Identity, receipt.Message.CollectionName)
	}
	o.keep(kept{identity: receipt.Identity, raw: receipt.Raw, reason: receipt.Rejection.Reason})
	return f.after()
}
