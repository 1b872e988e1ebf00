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

// errThrottled is what the SDK's own retries end with.
var errThrottled = errors.New("throttled")

// fault is what goes wrong with one call.
type fault int

const (
	none fault = iota
	crashBefore
	crashAfter
	lost
	refused // throttled: nothing took effect
)

// call gives way, and then decides what goes wrong. Whatever a task calls comes through here; words say what.
func (w *world) call(words func() string) fault {
	a := w.current
	if a.stands--; a.stands == 0 {
		a.still = longest
	}
	a.giveWay()
	w.steps++
	f := w.faultNow()
	if w.trace != nil {
		w.say("%s %s%s", a.name, words(), [...]string{"", " — and dies before", " — and dies after",
			" — and the answer is lost", " — and is refused"}[f])
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
		return nil, errThrottled
	}
	read.Consistent = read.Consistent && !s.sabotage.StaleReads
	item, err := s.db.Get(ctx, read)
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return s.sabotage.seen(s, read.Ref, item), err
}

// GetMany reads one item after the other, in any order, and others go between: a batch is no snapshot
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
func (s seam) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	f := s.call(func() string { return "reads " + s.readsInWords(reads) })
	if f == refused {
		return nil, errThrottled
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
			items[ref] = s.sabotage.seen(s, ref, item)
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
		return table.Page{}, errThrottled
	}
	query = s.sabotage.queried(s, query)
	page, err := s.db.Query(ctx, query)
	if query.After == "" {
		s.noRows[s.current] = len(page.Items) == 0
		if s.sabotage.NoRowsAreDone && s.noRows[s.current] && s.task == "check-all" {
			page.Items = []table.Keyed{{Key: table.Key{Partition: query.Partition, Sort: "none"},
				Item: table.Item{"CollectionStatus": "Success"}}}
		}
	}
	if lost := f.after(); lost != nil {
		return table.Page{}, lost
	}
	for i, keyed := range page.Items {
		ref := table.Ref{Name: query.Name, Key: keyed.Key}
		if i > 0 && s.torn { // a page is no snapshot either
			s.current.giveWay()
			if later, _ := s.db.Get(ctx, table.Read{Ref: ref, Attributes: query.Attributes,
				Consistent: query.Consistent}); later != nil {
				keyed.Item = later
			}
		}
		page.Items[i].Item = s.sabotage.seen(s, ref, keyed.Item)
	}
	if s.sabotage.FirstPageOnly {
		page.Next = ""
	}
	return page, err
}

// Update may be made twice: if its answer is lost the SDK tries again by itself, and finds what the first try wrote.
func (s seam) Update(ctx context.Context, write table.Write) (table.Item, error) {
	s.on("Update", write.Ref)
	f := s.call(func() string { return "writes " + s.writeInWords(write) })
	if f == refused {
		return nil, errThrottled
	}
	item, err := s.update(ctx, write)
	if f == lost && s.chance(0.5) {
		s.say("    … and the SDK tries again")
		s.current.giveWay()
		return s.update(ctx, write)
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return item, err
}

func (s seam) update(ctx context.Context, write table.Write) (table.Item, error) {
	write, dropped := s.sabotage.written(s, write)
	old := s.item(write.Ref)
	if dropped {
		return old, nil
	}
	item, err := s.db.Update(ctx, write)
	if err == nil {
		s.observe(write, old, item)
	} else {
		s.say("    … which is refused")
	}
	return s.sabotage.answered(s, write, item), err
}

// item reads what stands in a table, unseen by the tasks.
func (w *world) item(ref table.Ref) table.Item {
	item, _ := w.db.Get(context.Background(), table.Read{Ref: ref, Consistent: true})
	return item
}

// services are the queues, the topic and the state machine as the tasks see them.
type services struct{ *world }

func (o services) send(out snapshot.Outgoing) error {
	f := o.call(func() string {
		return fmt.Sprintf("sends %s, version %d, of %q", out.Kind, out.Version, out.CollectionName)
	})
	if f == refused {
		return errThrottled
	}
	o.sent[out]++
	o.checkSend(out)
	return f.after()
}

func (o services) Request(_ context.Context, out snapshot.Outgoing, _ snapshot.Export) error {
	return o.send(out)
}

func (o services) Notify(_ context.Context, out snapshot.Outgoing, _ snapshot.Export) error {
	return o.send(out)
}

func (o services) Alert(_ context.Context, out snapshot.Outgoing, _ snapshot.Export, _ snapshot.Blockers) error {
	return o.send(out)
}

func (o services) Reconcile(_ context.Context, keys []snapshot.CollectionKey) error {
	f := o.call(func() string { return fmt.Sprintf("starts an execution for %v", keys) })
	if f == refused {
		return errThrottled
	}
	o.start("reconcile", "collections that the sweep asks for", encode(map[string]any{"reconcile": keys}))
	return f.after()
}

func (o services) Reject(_ context.Context, receipt snapshot.Receipt) error {
	f := o.call(func() string { return fmt.Sprintf("rejects %s: %v", receipt.Identity, receipt.Rejection) })
	if f == refused {
		return errThrottled
	}
	if receipt.Rejection.Reason == snapshot.ReasonUnknownCollection &&
		!o.find(receipt.Message.CollectionName).mayBeGone &&
		o.item(o.tables.Status.At(run, receipt.Message.CollectionName)) != nil {
		o.broken("%s was rejected although there is a row for %s", receipt.Identity, receipt.Message.CollectionName)
	}
	o.reject(rejected{identity: receipt.Identity, raw: receipt.Raw, reason: receipt.Rejection.Reason})
	return f.after()
}
