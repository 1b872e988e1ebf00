// Package increment is the first task of the state machine: it counts the files of the messages that an
// execution brought.
package increment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"snapshot-status-checker/internal/failure"
	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
)

// Counter is what the task asks of the protocol. See store.Counter.
type Counter interface {
	Read(context.Context, []snapshot.CollectionKey) (map[snapshot.CollectionKey]store.State, error)
	RegisterRun(ctx context.Context, correlationID string, said snapshot.Export) error
	Count(ctx context.Context, execution string, state store.State, receipts []snapshot.Receipt) (store.Tally, error)
}

// Keeper keeps a message that cannot be counted. See delivery.Rejected.
type Keeper interface {
	Keep(context.Context, snapshot.Receipt) error
}

// Input is what the state machine passes in.
type Input struct {
	ExecutionID string          `json:"execution_id"`
	Messages    json.RawMessage `json:"messages"` // the execution's input: see snapshot.Unwrap
}

// Output tells the state machine which collections to look at now. Usually there are none.
type Output struct {
	Collections []snapshot.CollectionKey `json:"collections"`
	Counted     int                      `json:"counted"`
	Duplicates  int                      `json:"duplicates"`
	Rejected    int                      `json:"rejected"`
}

// Task handles one invocation at a time, as the Lambda runtime hands them to a process.
type Task struct {
	counter  Counter
	rejected Keeper
	each     Each
	log      *slog.Logger

	registered map[string]bool // runs that this process registered
}

// New makes the task. each orders the work on the collections of a batch, and the keeping of its rejected messages.
func New(counter Counter, rejected Keeper, each Each, log *slog.Logger) *Task {
	return &Task{counter: counter, rejected: rejected, each: each, log: log, registered: map[string]bool{}}
}

// Each calls do for every number from 0 to n-1, in any order or side by side, and returns when all are done.
type Each func(n int, do func(i int))

// OneByOne is an Each that calls in order.
func OneByOne(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}

// SideBySide is an Each that calls up to maxSideBySide at a time.
func SideBySide(n int, do func(i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, maxSideBySide) {
		group.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

const maxSideBySide = 16

// Handle counts each valid message once and keeps each invalid one. Trouble with one collection does not
// hold back the others; it is returned at the end, and the whole call may then be repeated: what was counted
// is recognised. Where a repetition cannot help, since what is stored of the collection cannot be read, its
// messages are kept like invalid ones, and nothing is returned. Messages are kept only by a call that need not
// be repeated, so that they are kept once.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	groups, duplicates, rejected := snapshot.GroupByCollection(snapshot.Unwrap(in.Messages, in.ExecutionID))
	out := Output{Collections: []snapshot.CollectionKey{}, Duplicates: len(duplicates)}
	logging.Execution(ctx, in.ExecutionID)
	metrics.Add(ctx, metrics.DuplicateMessages, int64(len(duplicates)))
	if run, one := onlyRun(groups); one {
		metrics.About(ctx, logging.CorrelationID, run)
	}

	states, err := t.counter.Read(ctx, collections(groups))
	if err != nil {
		return out, fmt.Errorf("reading the collections: %w", err)
	}
	unregistered := t.registerRuns(ctx, groups, states)
	results := make([]result, len(groups))
	t.each(len(groups), func(i int) {
		if results[i].err = unregistered[groups[i].CorrelationID]; results[i].err == nil {
			results[i] = t.count(ctx, in.ExecutionID, states[groups[i].CollectionKey], groups[i])
		}
	})
	var errs []error
	for i, result := range results {
		if malformed := (*failure.Malformed)(nil); errors.As(result.err, &malformed) {
			rejected = append(rejected, rejectAll(groups[i].Receipts, snapshot.NotCounted(result.err))...)
			continue
		}
		if result.err != nil {
			errs = append(errs, fmt.Errorf("counting %d messages of %s: %w", len(groups[i].Receipts), groups[i].CollectionName, result.err))
			continue
		}
		out.Counted += len(result.tally.Counted)
		out.Duplicates += len(result.tally.Duplicates)
		rejected = append(append(rejected, result.unknown...), result.tally.Reused...)
		if mayMove(result.tally) {
			out.Collections = append(out.Collections, groups[i].CollectionKey)
		}
	}
	out.Rejected = len(rejected)
	if len(errs) == 0 {
		errs = make([]error, len(rejected))
		t.each(len(rejected), func(i int) { errs[i] = t.keep(ctx, rejected[i]) })
	}
	return out, errors.Join(errs...)
}

// result is what became of a group.
type result struct {
	tally   store.Tally
	unknown []snapshot.Receipt // rejected, since the collection has no row
	err     error
}

func (t *Task) count(ctx context.Context, execution string, state store.State, group snapshot.Group) result {
	switch {
	case state.Malformed != nil:
		return result{err: state.Malformed}
	case state.Row == nil:
		return result{unknown: rejectAll(group.Receipts, snapshot.UnknownCollection())}
	}
	tally, err := t.counter.Count(ctx, execution, state, group.Receipts)
	t.tell(ctx, tally)
	return result{tally: tally, err: err}
}

// message is what the log says of one that was counted. There is one line for all of a collection that came together:
// a line for each would cost more than a tenth of what a file costs in large batches.
type message struct {
	FileName string `json:"file_name"`
	Identity string `json:"identity"`
}

// tell logs and counts what became of messages.
func (t *Task) tell(ctx context.Context, tally store.Tally) {
	files := int64(0)
	var messages []message
	for _, receipt := range tally.Counted {
		messages = append(messages, message{receipt.Message.Filename, receipt.Identity})
		metrics.Processed(ctx, receipt.SentAt)
		if !receipt.Message.IsSuccessFile {
			files++
		}
	}
	if len(messages) > 0 {
		t.log.InfoContext(ctx, "counted", logging.CorrelationID, tally.Counted[0].Message.CorrelationID,
			logging.CollectionName, tally.Counted[0].Message.CollectionName, logging.Messages, messages)
	}
	for _, receipt := range tally.Duplicates {
		t.log.InfoContext(ctx, "duplicate", about(receipt)...)
	}
	metrics.Add(ctx, metrics.FilesReceived, files)
	metrics.Add(ctx, metrics.SuccessFilesReceived, int64(len(tally.Counted))-files)
	metrics.Add(ctx, metrics.DuplicateMessages, int64(len(tally.Duplicates)))
	if row := tally.Row; row != nil && row.Over() > 0 {
		t.log.WarnContext(ctx, "more files received than sent", logging.CorrelationID, row.CorrelationID,
			logging.CollectionName, row.CollectionName, "files_received", row.FilesReceived.N, "files_sent", row.FilesSent.N)
		metrics.Add(ctx, metrics.FilesOverReceived, min(files, row.Over()))
	}
}

// registerRuns makes the groups' runs known to the ledger, and returns those for which it failed. A run none of
// whose collections has a row is not one.
func (t *Task) registerRuns(ctx context.Context, groups []snapshot.Group, states map[snapshot.CollectionKey]store.State) map[string]error {
	failed := map[string]error{}
	for _, group := range groups {
		if states[group.CollectionKey].Row != nil && failed[group.CorrelationID] == nil {
			failed[group.CorrelationID] = t.register(ctx, group.CorrelationID, group.Receipts[0].Message.Export)
		}
	}
	return failed
}

// register makes a run known to the ledger before its first file is counted, once per process and run.
func (t *Task) register(ctx context.Context, correlationID string, said snapshot.Export) error {
	if t.registered[correlationID] {
		return nil
	}
	if err := t.counter.RegisterRun(ctx, correlationID, said); err != nil {
		return err
	}
	if len(t.registered) == maxRemembered {
		clear(t.registered)
	}
	t.registered[correlationID] = true
	return nil
}

// maxRemembered bounds the memory that a hostile producer of correlation ids can take.
const maxRemembered = 1000

func (t *Task) keep(ctx context.Context, receipt snapshot.Receipt) error {
	if err := t.rejected.Keep(ctx, receipt); err != nil {
		return err
	}
	metrics.Reject(ctx, string(receipt.Rejection.Reason))
	t.log.WarnContext(ctx, "rejected", append(about(receipt),
		logging.Reason, receipt.Rejection.Reason, "detail", receipt.Rejection.Detail)...)
	return nil
}

// mayMove reports whether the collection needs a look. A success file always does: its memory was written
// after the row was read, and the move that it waits for may have happened in between. Of those who counted files at
// the same time it is for the one who brought the row up to date last; when a message comes again, that one may have died.
func mayMove(tally store.Tally) bool {
	isSuccess := func(r snapshot.Receipt) bool { return r.Message.IsSuccessFile }
	if slices.ContainsFunc(tally.Counted, isSuccess) || slices.ContainsFunc(tally.Duplicates, isSuccess) {
		return tally.Row != nil
	}
	return tally.Row != nil && tally.Row.MayMove() && (tally.Last || len(tally.Duplicates) > 0)
}

func collections(groups []snapshot.Group) []snapshot.CollectionKey {
	var keys []snapshot.CollectionKey
	for _, group := range groups {
		keys = append(keys, group.CollectionKey)
	}
	return keys
}

// onlyRun is the run that all groups are of, if they are of one.
func onlyRun(groups []snapshot.Group) (correlationID string, one bool) {
	for _, group := range groups {
		if group.CorrelationID != groups[0].CorrelationID {
			return "", false
		}
		correlationID = group.CorrelationID
	}
	return correlationID, len(groups) > 0
}

func rejectAll(receipts []snapshot.Receipt, why *snapshot.Rejection) []snapshot.Receipt {
	var rejected []snapshot.Receipt
	for _, receipt := range receipts {
		rejected = append(rejected, receipt.Rejected(why))
	}
	return rejected
}

func about(receipt snapshot.Receipt) []any {
	return []any{
		logging.CorrelationID, receipt.Message.CorrelationID, logging.CollectionName, receipt.Message.CollectionName,
		logging.FileName, receipt.Message.Filename, logging.Identity, receipt.Identity,
	}
}
