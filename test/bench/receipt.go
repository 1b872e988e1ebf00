package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// receipt is what one receipt that completes nothing costs, when messages come one at a time: the calls of its one
// function call, one after the other.
type receipt struct {
	Name     string
	Messages int
	Calls    calls // of the functions, for all messages together
	// Seconds is how long the calls of DynamoDB of one receipt take, one after the other: the median.
	Seconds float64
}

// perReceipt is how many calls of this kind a receipt makes.
func (r receipt) perReceipt(kind string) float64 {
	return float64(r.Calls.Kinds["DynamoDB."+kind]) / float64(r.Messages)
}

// tableCalls is how many calls of DynamoDB a receipt makes.
func (r receipt) tableCalls() float64 {
	sum := 0.0
	for _, kind := range tableKinds {
		sum += r.perReceipt(kind)
	}
	return sum
}

func receiptOf(receipts []receipt, name string) receipt {
	for _, r := range receipts {
		if r.Name == name {
			return r
		}
	}
	return receipt{Messages: 1}
}

// tableKinds are the calls of DynamoDB that the report shows.
var tableKinds = []string{"BatchGetItem", "GetItem", "Query", "TransactWriteItems", "UpdateItem", "PutItem",
	"DeleteItem", "BatchWriteItem"}

// receiptMessages are sent after a first one that registers the run and starts the processes.
const receiptMessages = 20

// receipts sends messages of one collection one at a time, the next when no execution runs.
func (w *testbed) receipts(ctx context.Context, s *system, r run) (found receipt, err error) {
	r.shape = shape{Collections: 1, Files: receiptMessages + 2} // one file is missing
	if err := errors.Join(w.putRows(ctx, s, r), w.settle(ctx, s)); err != nil {
		return receipt{}, err
	}
	w.runner.take()
	stop, err := w.feed(ctx, s, feeding{Batch: 1, Concurrent: 1})
	if err != nil {
		return receipt{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	found = receipt{Messages: receiptMessages, Calls: newCalls()}
	var seconds []float64
	for i := range receiptMessages + 1 {
		if err := w.send(ctx, s.inURL, []string{r.message(0, i, false)}); err != nil {
			return receipt{}, err
		}
		if err := w.untilCounted(ctx, s, r, int64(i+1)); err != nil {
			return receipt{}, err
		}
		if seen := w.functions.take(); i > 0 {
			found.Calls = found.Calls.plus(seen)
			seconds = append(seconds, seen.tableSeconds())
		}
	}
	slices.Sort(seconds)
	found.Seconds = seconds[len(seconds)/2]
	return found, nil
}

// untilCounted waits until the run's rows hold so many files, the runner has deleted as many messages, and no execution
// runs. (A function that the runner calls has ended when its message is deleted.)
func (w *testbed) untilCounted(ctx context.Context, s *system, r run, files int64) error {
	for begun := time.Now(); time.Since(begun) < stuckAfter; {
		seen, err := w.rows(ctx, s, r, "Sent")
		if err != nil {
			return err
		}
		if seen.Files == files && w.runner.soFar("SQS.DeleteMessageBatch") == int(files) {
			return w.idle(ctx, s)
		}
		if err := sleep(ctx, poll/10); err != nil {
			return err
		}
	}
	return fmt.Errorf("run %s: %d files are not counted within %s", r.ID, files, stuckAfter)
}
