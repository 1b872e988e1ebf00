package simulation

import (
	"context"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

// errLost is the error of a call that took effect, but whose answer was lost.
var errLost = errors.New("connection reset: the answer was lost")

// errThrottled is the error after the SDK's own retries.
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

// call is every call of a task to a table or service: it ends the turn of the actor, and then decides what goes wrong.
func (s *schedule) call(describe func() string) fault {
	a := s.current
	if a.pauseAfter--; a.pauseAfter == 0 {
		a.pausedFor = longestPause
	}
	a.endTurn()
	s.steps++
	f := s.nextFault()
	if s.trace != nil {
		s.log("%s %s%s", a.name, describe(), [...]string{"", " — and dies before", " — and dies after",
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

// taskTables are the tables of one task, with faults and mutations.
type taskTables struct {
	*schedule
	task string
}

// on records a call.
func (t taskTables) on(operation string, refs ...table.Ref) {
	for _, ref := range refs {
		t.called[Call{t.task, operation, ref.Table}] = true
	}
}

func (t taskTables) Get(ctx context.Context, read table.Read) (table.Item, error) {
	t.on("Get", read.Ref)
	f := t.call(func() string { return "reads " + t.describeItem(read.Ref) })
	if f == refused {
		return nil, errThrottled
	}
	read.Consistent = read.Consistent && !t.mutant.staleReads
	item, err := t.db.Get(ctx, read)
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return t.mutant.onRead(t, read.Ref, item), err
}

// GetMany reads one item after the other, in any order, with other calls in between: a batch is no snapshot
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
func (t taskTables) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	f := t.call(func() string { return "reads " + t.describeReads(reads) })
	if f == refused {
		return nil, errThrottled
	}
	items := map[table.Ref]table.Item{}
	for n, i := range t.random.Perm(len(reads)) {
		if n > 0 {
			t.current.endTurn()
			t.log("%s reads on: %s", t.current.name, t.describeItem(reads[i].Ref))
		}
		t.on("GetMany", reads[i].Ref)
		some, err := t.db.GetMany(ctx, reads[i:i+1])
		if err != nil {
			return nil, err
		}
		for ref, item := range some {
			items[ref] = t.mutant.onRead(t, ref, item)
		}
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return items, nil
}

func (t taskTables) Query(ctx context.Context, query table.Query) (table.Page, error) {
	t.on("Query", table.Ref{Name: query.Name})
	f := t.call(func() string {
		return fmt.Sprintf("reads a page of %s %s after %q", query.Table, query.Partition, query.After)
	})
	if f == refused {
		return table.Page{}, errThrottled
	}
	query = t.mutant.onQuery(t, query)
	page, err := t.db.Query(ctx, query)
	if query.After == "" {
		t.noRows[t.current] = len(page.Items) == 0
		if t.mutant.noRowsAreDone && t.noRows[t.current] && t.task == "check-all" {
			page.Items = []table.Keyed{{Key: table.Key{Partition: query.Partition, Sort: "none"},
				Item: table.Item{"CollectionStatus": "Success"}}}
		}
	}
	if lost := f.after(); lost != nil {
		return table.Page{}, lost
	}
	for i, keyed := range page.Items {
		ref := table.Ref{Name: query.Name, Key: keyed.Key}
		if i > 0 && t.tornPages { // a page is no snapshot either
			t.current.endTurn()
			if later, _ := t.db.Get(ctx, table.Read{Ref: ref, Attributes: query.Attributes,
				Consistent: query.Consistent}); later != nil {
				keyed.Item = later
			}
		}
		page.Items[i].Item = t.mutant.onRead(t, ref, keyed.Item)
	}
	if t.mutant.firstPageOnly {
		page.Next = ""
	}
	return page, err
}

// Update may write twice: if its answer is lost the SDK tries again, and finds what the first try wrote.
func (t taskTables) Update(ctx context.Context, write table.Write) (table.Item, error) {
	t.on("Update", write.Ref)
	f := t.call(func() string { return "writes " + t.describeWrite(write) })
	if f == refused {
		return nil, errThrottled
	}
	item, err := t.update(ctx, write)
	if f == lost && t.chance(0.5) {
		t.log("    … and the SDK tries again")
		t.current.endTurn()
		return t.update(ctx, write)
	}
	if lost := f.after(); lost != nil {
		return nil, lost
	}
	return item, err
}

func (t taskTables) update(ctx context.Context, write table.Write) (table.Item, error) {
	write, skipped := t.mutant.onWrite(t, write)
	old := t.item(write.Ref)
	if skipped {
		return old, nil
	}
	item, err := t.db.Update(ctx, write)
	if err == nil {
		t.checkWrite(write, old, item)
	} else {
		t.log("    … which is refused")
	}
	return t.mutant.onAnswer(t, write, item), err
}

// item reads an item for the checks.
func (s *schedule) item(ref table.Ref) table.Item {
	item, _ := s.db.Get(context.Background(), table.Read{Ref: ref, Consistent: true})
	return item
}

// senders are the queues, the topic and the state machine of the tasks.
type senders struct{ *schedule }

func (o senders) send(out snapshot.Outgoing) error {
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

func (o senders) Request(_ context.Context, out snapshot.Outgoing, _ snapshot.Export) error {
	return o.send(out)
}

func (o senders) Notify(_ context.Context, out snapshot.Outgoing, _ snapshot.Export) error {
	return o.send(out)
}

func (o senders) Alert(_ context.Context, out snapshot.Outgoing, _ snapshot.Export, _ snapshot.Blockers) error {
	return o.send(out)
}

func (o senders) Reconcile(_ context.Context, keys []snapshot.CollectionKey) error {
	f := o.call(func() string { return fmt.Sprintf("starts an execution for %v", keys) })
	if f == refused {
		return errThrottled
	}
	o.start("reconcile", "a request of the sweep", encode(map[string]any{"reconcile": keys}))
	return f.after()
}

func (o senders) Reject(_ context.Context, receipt snapshot.Receipt) error {
	f := o.call(func() string { return fmt.Sprintf("rejects %s: %v", receipt.Identity, receipt.Rejection) })
	if f == refused {
		return errThrottled
	}
	if receipt.Rejection.Reason == snapshot.ReasonUnknownCollection &&
		!o.find(receipt.Message.CollectionName).mayBeGone &&
		o.item(o.tables.Status.At(run, receipt.Message.CollectionName)) != nil {
		o.violated("%s was rejected although there is a row for %s", receipt.Identity, receipt.Message.CollectionName)
	}
	o.reject(rejected{identity: receipt.Identity, raw: receipt.Raw, reason: receipt.Rejection.Reason})
	return f.after()
}
