// Package increment is the first task of the state machine: it counts the files of the messages that an execution
// brought, and says which collections to reconcile.
package increment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Rejecter takes the messages that cannot be counted. See delivery.Rejected.
type Rejecter interface {
	Reject(context.Context, snapshot.Receipt) error
}

// Input is what the state machine passes in.
type Input struct {
	ExecutionID string          `json:"execution_id"`
	Event       json.RawMessage `json:"event"` // the execution's input: see snapshot.Reconcilable and snapshot.Unwrap
}

// Output tells the state machine which collections to reconcile now. Usually there are none.
type Output struct {
	Collections []snapshot.CollectionKey `json:"collections"`
	Counted     int                      `json:"counted"`
	Duplicates  int                      `json:"duplicates"`
	Rejected    int                      `json:"rejected"`
	// collections beyond what an execution can reconcile
	Left int `json:"left_to_the_sweep"`
}

// Task handles one invocation at a time, as the Lambda runtime hands them to a process.
type Task struct {
	store    *store.Store
	rejected Rejecter
	most     int
	each     Each
	log      *slog.Logger

	registered *lru.Cache[string, bool] // runs that this process registered
}

// registeredRuns bounds the memory that a hostile producer of correlation ids can take.
const registeredRuns = 1000

// New makes the task. most is how many collections an execution may reconcile, 0 for any number. each orders the work
// on the collections of a batch, and the sending of its rejected messages.
func New(store *store.Store, rejected Rejecter, most int, each Each, log *slog.Logger) *Task {
	registered, err := lru.New[string, bool](registeredRuns)
	if err != nil {
		panic(err) // only of a size that is not positive
	}
	return &Task{store: store, rejected: rejected, most: most, each: each, log: log, registered: registered}
}

// Each calls do for every number from 0 to n-1, in any order or concurrently, and returns when all are done.
type Each func(n int, do func(i int))

// InOrder is an Each that calls one after the other.
func InOrder(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}

const maxConcurrent = 16

// Concurrently is an Each that calls up to maxConcurrent at a time.
func Concurrently(n int, do func(i int)) {
	if n == 1 {
		do(0)
		return
	}
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, maxConcurrent) {
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

// Handle counts each valid message once and rejects each invalid one, unless the event only asks to reconcile
// collections.
//
// Trouble with one collection does not hold back the others; it is returned at the end, and the whole call may then be
// repeated: what was counted is recognised. Where a repetition cannot help, because what is stored of the collection
// cannot be read, its messages are rejected like invalid ones. Messages are rejected only by a call that need not be
// repeated, so each is rejected once. A malformed request to reconcile is a *failure.Malformed.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	logging.Execution(ctx, in.ExecutionID)
	keys, ok, err := snapshot.Reconcilable(in.Event)
	if err != nil {
		return Output{}, err
	}
	if ok {
		return t.limit(ctx, Output{Collections: keys}), nil
	}
	groups, repeated, rejected := snapshot.GroupByCollection(snapshot.Unwrap(in.Event, in.ExecutionID))
	metrics.Add(ctx, metrics.DuplicateMessages, int64(len(repeated)))
	if run, one := onlyRun(groups); one {
		metrics.About(ctx, logging.CorrelationID, run)
	}
	results, err := t.countAll(ctx, in.ExecutionID, groups)
	if err != nil {
		return Output{}, err
	}
	out := Output{Collections: []snapshot.CollectionKey{}, Duplicates: len(repeated)}
	var errs []error
	for i, result := range results {
		if result.err != nil {
			errs = append(errs, fmt.Errorf("%d messages of %s: %w", len(groups[i].Receipts), groups[i].CollectionName,
				result.err))
			continue
		}
		out.Counted += len(result.tally.Counted)
		out.Duplicates += len(result.tally.Duplicates)
		rejected = append(rejected, result.rejected...)
		if mayMove(result.tally) {
			out.Collections = append(out.Collections, groups[i].CollectionKey)
		}
	}
	if out.Rejected = len(rejected); len(errs) == 0 {
		errs = make([]error, len(rejected))
		t.each(len(rejected), func(i int) { errs[i] = t.reject(ctx, rejected[i]) })
	}
	return t.limit(ctx, out), errors.Join(errs...)
}

// limit leaves the collections to the sweep that are more than an execution can reconcile.
func (t *Task) limit(ctx context.Context, out Output) Output {
	if t.most > 0 && len(out.Collections) > t.most {
		out.Left = len(out.Collections) - t.most
		out.Collections = out.Collections[:t.most]
		t.log.WarnContext(ctx, "left to the sweep", "collections", out.Left)
	}
	return out
}

// result is the outcome of a group: each message is in the tally, in rejected, or to be counted again because of err.
type result struct {
	tally    store.Tally
	rejected []snapshot.Receipt
	err      error
}

// countAll counts each group, after its run was registered. It returns an error if the collections could not be read.
func (t *Task) countAll(ctx context.Context, execution string, groups []snapshot.Group) ([]result, error) {
	keys := make([]snapshot.CollectionKey, len(groups))
	for i, group := range groups {
		keys[i] = group.CollectionKey
	}
	states, err := t.store.Read(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading the collections: %w", err)
	}
	results := make([]result, len(groups))
	failed := map[string]error{} // runs that could not be registered
	for i, group := range groups {
		row := states[group.CollectionKey].Row
		if _, known := failed[group.CorrelationID]; row != nil && !known {
			failed[group.CorrelationID] = t.register(ctx, *row, group.Receipts[0].Message.Export)
		}
		results[i].err = failed[group.CorrelationID]
	}
	t.each(len(groups), func(i int) {
		if results[i].err == nil {
			results[i] = t.count(ctx, execution, states[groups[i].CollectionKey], groups[i])
		}
	})
	return results, nil
}

// register makes a run known to the ledger before its first file is counted, once per process and run.
func (t *Task) register(ctx context.Context, row snapshot.Row, export snapshot.Export) error {
	if t.registered.Contains(row.CorrelationID) {
		return nil
	}
	if err := t.store.RegisterRun(ctx, row, export); err != nil {
		return err
	}
	t.registered.Add(row.CorrelationID, true)
	return nil
}

// count counts a group. If a retry cannot help, it rejects the messages that are not counted; every other failure is
// returned as an error.
func (t *Task) count(ctx context.Context, execution string, state store.State, group snapshot.Group) result {
	var tally store.Tally
	err := state.Malformed
	switch {
	case err != nil:
	case state.Row == nil:
		err = store.ErrNoRow
	default:
		tally, err = t.store.Count(ctx, execution, state, group.Receipts)
		t.report(ctx, tally)
	}
	var malformed *failure.Malformed
	switch {
	case errors.Is(err, store.ErrNoRow):
		return result{tally: tally, rejected: reject(group.Receipts, tally, snapshot.UnknownCollection())}
	case errors.As(err, &malformed):
		t.log.WarnContext(ctx, "counting failed", logging.CorrelationID, group.CorrelationID, logging.CollectionName,
			group.CollectionName, logging.Error, err)
		return result{tally: tally, rejected: reject(group.Receipts, tally, snapshot.NotCounted(err))}
	}
	return result{tally: tally, err: err}
}

// reject rejects the receipts that are not in the tally.
func reject(receipts []snapshot.Receipt, tally store.Tally, why *snapshot.Rejection) (rejected []snapshot.Receipt) {
	counted := map[string]bool{}
	for _, receipt := range slices.Concat(tally.Counted, tally.Duplicates) {
		counted[receipt.Digest] = true
	}
	for _, receipt := range receipts {
		if !counted[receipt.Digest] {
			rejected = append(rejected, receipt.Rejected(why))
		}
	}
	return rejected
}

// message is what the log says of one that was counted. There is one line for all of a collection that came together: a
// line for each would cost more than a tenth of what a file costs in large batches.
type message struct {
	FileName string `json:"file_name"`
	Identity string `json:"identity"`
}

// report logs and measures what became of messages.
func (t *Task) report(ctx context.Context, tally store.Tally) {
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
			logging.CollectionName, row.CollectionName, "files_received", row.FilesReceived.N, "files_sent",
			row.FilesSent.N)
		metrics.Add(ctx, metrics.FilesOverReceived, min(files, row.Over()))
	}
}

func (t *Task) reject(ctx context.Context, receipt snapshot.Receipt) error {
	if err := t.rejected.Reject(ctx, receipt); err != nil {
		return err
	}
	metrics.Reject(ctx, string(receipt.Rejection.Reason))
	t.log.WarnContext(ctx, "rejected", append(about(receipt),
		logging.Reason, receipt.Rejection.Reason, "detail", receipt.Rejection.Detail)...)
	return nil
}

// mayMove reports whether to reconcile the collection. A success file always asks for it: its epoch was written after
// the row was read, and the move that it waits for may have happened in between. Of those who counted files at the same
// time it is for the one who wrote the row; when a message comes again, that one may have died.
func mayMove(tally store.Tally) bool {
	isSuccess := func(r snapshot.Receipt) bool { return r.Message.IsSuccessFile }
	if slices.ContainsFunc(tally.Counted, isSuccess) || slices.ContainsFunc(tally.Duplicates, isSuccess) {
		return tally.Row != nil
	}
	return tally.Row != nil && tally.Row.MayMove() && (tally.Synced || len(tally.Duplicates) > 0)
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

func about(receipt snapshot.Receipt) []any {
	return []any{
		logging.CorrelationID, receipt.Message.CorrelationID, logging.CollectionName, receipt.Message.CollectionName,
		logging.FileName, receipt.Message.Filename, logging.Identity, receipt.Identity,
	}
}
