package simulation

import (
	"context"
	"errors"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
)

var (
	errLost      = errors.New("connection reset: the answer was lost") // of a call that took effect
	errThrottled = errors.New("throttled")                             // after the SDK's own retries
)

// fault is what goes wrong with one call, in words for the history.
type fault string

const (
	none        fault = ""
	crashBefore fault = " — and dies before"
	crashAfter  fault = " — and dies after"
	lost        fault = " — and the answer is lost"
	refused     fault = " — and is refused" // throttled: nothing took effect
)

// nextFault decides what goes wrong with a call. Without a storm the SDK's retries hide throttling.
func (s *schedule) nextFault() fault {
	if !s.faulty {
		return none
	}
	switch x := s.random.Float64(); {
	case x < 0.01:
		return refused
	case x < 0.02:
		return crashBefore
	case x < 0.03:
		return crashAfter
	case x < 0.045:
		return lost
	}
	return none
}

// call is every call of a task to a table or service: it ends the turn of the actor, and then decides what goes wrong.
func call[Answer any](s *schedule, describe func() string, do func() (Answer, error)) (answer Answer, err error) {
	a := s.current
	if a.pauseAfter--; a.pauseAfter == 0 {
		a.pausedFor = longestPause
	}
	a.endTurn()
	s.steps++
	a.fault = s.nextFault()
	if s.trace != nil {
		s.log("%s %s%s", a.name, describe(), a.fault)
	}
	switch a.fault {
	case crashBefore:
		panic(death{})
	case refused:
		return answer, errThrottled
	}
	took, err := do()
	switch a.fault {
	case crashAfter:
		panic(death{})
	case lost:
		return answer, errLost
	}
	return took, err
}

// taskTables are the tables of one task, with faults and mutations.
type taskTables struct {
	*schedule
	task string
}

// on records a call.
func (t taskTables) on(operation string, ref table.Ref) {
	t.called[Call{t.task, operation, ref.Table}] = true
}

func (t taskTables) Get(ctx context.Context, read table.Read) (table.Item, error) {
	t.on("Get", read.Ref)
	item, err := call(t.schedule, func() string { return "reads " + t.describeItem(read.Ref) },
		func() (table.Item, error) {
			read.Consistent = read.Consistent && !t.mutant.staleReads
			return t.db.Get(ctx, read)
		})
	if err != nil {
		return nil, err
	}
	return t.mutant.onRead(t, read.Ref, item), nil
}

// GetMany reads one item after the other, in any order, with other calls in between: a batch is no snapshot
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
func (t taskTables) GetMany(ctx context.Context, reads []table.Read) (map[table.Ref]table.Item, error) {
	return call(t.schedule, func() string { return "reads " + t.describeReads(reads) },
		func() (map[table.Ref]table.Item, error) {
			items := map[table.Ref]table.Item{}
			for n, i := range t.random.Perm(len(reads)) {
				ref := reads[i].Ref
				if n > 0 {
					t.current.endTurn()
					t.log("%s reads on: %s", t.current.name, t.describeItem(ref))
				}
				t.on("GetMany", ref)
				some, err := t.db.GetMany(ctx, reads[i:i+1])
				if err != nil {
					return nil, err
				}
				if item, ok := some[ref]; ok {
					items[ref] = t.mutant.onRead(t, ref, item)
				}
			}
			return items, nil
		})
}

func (t taskTables) Query(ctx context.Context, query table.Query) (table.Page, error) {
	t.on("Query", table.Ref{Name: query.Name})
	page, err := call(t.schedule, func() string {
		return fmt.Sprintf("reads a page of %s %s after %q", query.Table, query.Partition, query.After)
	}, func() (table.Page, error) {
		query = t.mutant.onQuery(t, query)
		page, err := t.db.Query(ctx, query)
		if query.After == "" {
			t.noRows[t.current] = len(page.Items) == 0
		}
		return page, err
	})
	if err != nil {
		return page, err
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
	return t.mutant.onPage(t, query, page), nil
}

// Update may write twice: if its answer is lost the SDK tries again, and finds what the first try wrote.
func (t taskTables) Update(ctx context.Context, write table.Write) (table.Item, error) {
	t.on("Update", write.Ref)
	return call(t.schedule, func() string { return "writes " + t.describeWrite(write) }, func() (table.Item, error) {
		item, err := t.update(ctx, write)
		if a := t.current; a.fault == lost && t.chance(0.5) {
			a.fault = none
			t.log("    … and the SDK tries again")
			a.endTurn()
			return t.update(ctx, write)
		}
		return item, err
	})
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

func (o senders) effect(describe func() string, do func()) error {
	_, err := call(o.schedule, describe, func() (struct{}, error) { do(); return struct{}{}, nil })
	return err
}

func (o senders) send(out snapshot.Outgoing) error {
	return o.effect(func() string {
		return fmt.Sprintf("sends %s, version %d, of %q", out.Kind, out.Version, out.CollectionName)
	}, func() {
		o.sent[out]++
		o.checkSend(out)
	})
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
	return o.effect(func() string { return fmt.Sprintf("starts an execution for %v", keys) }, func() {
		o.start("reconcile", "a request of the sweep", encode(map[string]any{"reconcile": keys}))
	})
}

func (o senders) Reject(_ context.Context, receipt snapshot.Receipt) error {
	return o.effect(func() string { return fmt.Sprintf("rejects %s: %v", receipt.Identity, receipt.Rejection) }, func() {
		c := o.find(receipt.Message.CollectionName)
		if receipt.Rejection.Reason == snapshot.ReasonUnknownCollection && !c.mayBeGone &&
			o.item(o.tables.Status.At(run, c.name)) != nil {
			o.violated("%s was rejected although there is a row for %s", receipt.Identity, c.name)
		}
		o.reject(rejected{identity: receipt.Identity, raw: receipt.Raw, reason: receipt.Rejection.Reason})
	})
}
