// Package increment is the state machine's first task. It counts the files of an execution's messages and returns the
// collections to reconcile.
package increment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"

	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// Rejecter sends a message that cannot be counted to the rejected-messages queue. See delivery.Rejected.
type Rejecter interface {
	Reject(context.Context, snapshot.Receipt) error
}

// Input is what the state machine passes in.
type Input struct {
	ExecutionID string          `json:"execution_id"`
	Event       json.RawMessage `json:"event"` // the execution's input: see snapshot.Reconcilable and snapshot.Unwrap
}

// Output is the task's result for the state machine.
type Output struct {
	Collections []snapshot.CollectionKey `json:"collections"` // to reconcile now; usually none
	Counted     int                      `json:"counted"`
	Repeated    int                      `json:"repeated"` // files that came again: see snapshot.ByFile
	Duplicates  int                      `json:"duplicates"`
	Rejected    int                      `json:"rejected"`
	Left        int                      `json:"left_to_the_sweep"` // collections beyond the limit of an execution
}

// Task handles one invocation at a time, as the Lambda runtime passes them to a process.
type Task struct {
	store    *store.Store
	rejected Rejecter
	most     int
	each     Each
	log      *slog.Logger

	registered *lru.Cache[string, bool] // runs that this process registered
}

// registeredRuns bounds the memory for correlation ids.
const registeredRuns = 1000

// New makes the task. most is the number of collections that an execution may reconcile, 0 for no limit. each schedules
// the work on a batch's collections and the sending of its rejected messages.
func New(store *store.Store, rejected Rejecter, most int, each Each, log *slog.Logger) *Task {
	registered, err := lru.New[string, bool](registeredRuns)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Task{store: store, rejected: rejected, most: most, each: each, log: log, registered: registered}
}

// Handle counts each valid message once and rejects each invalid one, or only returns the collections that the event
// asks to reconcile. An invalid request to reconcile is a *failure.Malformed.
//
// A failure of one collection does not affect the others. It is returned at the end, and the call may be repeated: it
// finds counted messages as duplicates. If a repetition cannot help, because a collection's data is malformed, the
// collection's messages are rejected. A call that fails rejects nothing, so each message is rejected once.
func (t *Task) Handle(ctx context.Context, in Input) (Output, error) {
	logging.Execution(ctx, in.ExecutionID)
	keys, ok, err := snapshot.Reconcilable(in.Event)
	if err != nil {
		return Output{}, err
	}
	if ok {
		return t.limit(ctx, Output{Collections: keys}), nil
	}
	receipts := t.store.CountBy.Validate(snapshot.Unwrap(in.Event, in.ExecutionID))
	groups, duplicates, rejected := snapshot.GroupByCollection(receipts)
	metrics.Add(ctx, metrics.DuplicateMessages, int64(len(duplicates)))
	if run := onlyRun(groups); run != "" {
		metrics.About(ctx, logging.CorrelationID, run)
	}
	results, err := t.countAll(ctx, in.ExecutionID, groups)
	if err != nil {
		return Output{}, err
	}
	out := Output{Collections: []snapshot.CollectionKey{}, Duplicates: len(duplicates)}
	var errs []error
	for i, result := range results {
		if result.err != nil {
			group := groups[i]
			errs = append(errs, fmt.Errorf("%d messages of %s: %w", len(group.Receipts), group.CollectionName,
				result.err))
			continue
		}
		out.Counted += len(result.counts.Counted)
		out.Repeated += len(result.counts.Repeated)
		out.Duplicates += len(result.counts.Duplicates)
		rejected = append(rejected, result.rejected...)
		if mayMove(result.counts) {
			out.Collections = append(out.Collections, groups[i].CollectionKey)
		}
	}
	if out.Rejected = len(rejected); len(errs) == 0 {
		errs = make([]error, len(rejected))
		t.each(len(rejected), func(i int) { errs[i] = t.reject(ctx, rejected[i]) })
	}
	return t.limit(ctx, out), errors.Join(errs...)
}

// limit leaves the collections beyond the limit of an execution to the sweep.
func (t *Task) limit(ctx context.Context, out Output) Output {
	if t.most > 0 && len(out.Collections) > t.most {
		out.Left = len(out.Collections) - t.most
		out.Collections = out.Collections[:t.most]
		t.log.WarnContext(ctx, "left to the sweep", "collections", out.Left)
	}
	return out
}

// result is the outcome of a group. Every message is in counts or in rejected, unless there is an err.
type result struct {
	counts   store.Counts
	rejected []snapshot.Receipt
	err      error
}

// countAll registers the groups' runs and counts each group. It returns an error if the collections cannot be read.
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

// register adds a run to the ledger before its first file is counted, once per process and run.
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
	var counts store.Counts
	err := state.Malformed
	switch {
	case err != nil:
	case state.Row == nil:
		err = store.ErrNoRow
	default:
		counts, err = t.store.Count(ctx, execution, state, group.Receipts)
		t.record(ctx, counts)
	}
	var malformed *failure.Malformed
	switch {
	case errors.Is(err, store.ErrNoRow):
		return result{counts: counts, rejected: reject(group.Receipts, counts, snapshot.UnknownCollection())}
	case errors.As(err, &malformed):
		rejected := reject(group.Receipts, counts, snapshot.NotCounted(err))
		outcome := "counting failed"
		if len(rejected) == 0 {
			outcome = "syncing the row failed" // the sweep reports the row
		}
		t.log.WarnContext(ctx, outcome, logging.CorrelationID, group.CorrelationID, logging.CollectionName,
			group.CollectionName, logging.Error, err)
		return result{counts: counts, rejected: rejected}
	}
	return result{counts: counts, err: err}
}

// reject rejects the receipts that are not in the counts.
func reject(receipts []snapshot.Receipt, counts store.Counts, why *snapshot.Rejection) (rejected []snapshot.Receipt) {
	counted := map[string]bool{}
	for _, receipt := range slices.Concat(counts.Counted, counts.Repeated, counts.Duplicates) {
		counted[receipt.Digest] = true
	}
	for _, receipt := range receipts {
		if !counted[receipt.Digest] {
			rejected = append(rejected, receipt.Rejected(why))
		}
	}
	return rejected
}

// message is a counted message in the log. A group has one line: in large batches a line for each message would add
// more than a tenth to the cost of a file.
type message struct {
	FileName string `json:"file_name"`
	Identity string `json:"identity"`
	Digest   []byte `json:"digest"` // tells it from another message with the same identity
}

// record logs and measures the outcome of a group.
func (t *Task) record(ctx context.Context, counts store.Counts) {
	files := int64(0)
	var messages []message
	for _, receipt := range counts.Counted {
		messages = append(messages, message{snapshot.StoredFilename(receipt.Message.Filename), receipt.Identity,
			[]byte(receipt.Digest)})
		metrics.Processed(ctx, receipt.SentAt)
		if !receipt.Message.IsSuccessFile {
			files++
		}
	}
	if len(messages) > 0 {
		line := []any{logging.CorrelationID, counts.Counted[0].Message.CorrelationID,
			logging.CollectionName, counts.Counted[0].Message.CollectionName, logging.Messages, messages}
		if row := counts.Row; row != nil && row.Adopted() {
			line = append(line, logging.Epoch, row.Epoch())
		}
		t.log.InfoContext(ctx, logging.Counted, line...)
	}
	for _, receipt := range counts.Repeated {
		t.log.InfoContext(ctx, "repeated file", about(receipt)...)
		metrics.Processed(ctx, receipt.SentAt)
	}
	for _, receipt := range counts.Duplicates {
		t.log.InfoContext(ctx, "duplicate", about(receipt)...)
	}
	metrics.Add(ctx, metrics.FilesReceived, files)
	metrics.Add(ctx, metrics.SuccessFilesReceived, int64(len(counts.Counted))-files)
	metrics.Add(ctx, metrics.RepeatedFiles, int64(len(counts.Repeated)))
	metrics.Add(ctx, metrics.DuplicateMessages, int64(len(counts.Duplicates)))
	if row := counts.Row; row != nil && row.Over() > 0 {
		t.log.WarnContext(ctx, "more files received than sent", logging.CorrelationID, row.CorrelationID,
			logging.CollectionName, row.CollectionName,
			"files_received", row.FilesReceived.N, "files_sent", row.FilesSent.N)
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

// mayMove reports whether to reconcile the collection. After a success file it always is: the move to Received may have
// happened between reading the row and storing the file's epoch. Of concurrent counts, the one that wrote the row
// reconciles. A duplicate or a repeated file reconciles too, because the execution that counted may have ended before
// that.
func mayMove(counts store.Counts) bool {
	isSuccess := func(r snapshot.Receipt) bool { return r.Message.IsSuccessFile }
	if slices.ContainsFunc(counts.Counted, isSuccess) || slices.ContainsFunc(counts.Duplicates, isSuccess) {
		return counts.Row != nil
	}
	again := len(counts.Duplicates) + len(counts.Repeated)
	return counts.Row != nil && counts.Row.MayMove() && (counts.Synced || again > 0)
}

// onlyRun is the run of all groups, "" if they have several.
func onlyRun(groups []snapshot.Group) (correlationID string) {
	for _, group := range groups {
		if correlationID = group.CorrelationID; correlationID != groups[0].CorrelationID {
			return ""
		}
	}
	return correlationID
}

func about(receipt snapshot.Receipt) []any {
	return []any{
		logging.CorrelationID, receipt.Message.CorrelationID, logging.CollectionName, receipt.Message.CollectionName,
		logging.FileName, snapshot.StoredFilename(receipt.Message.Filename), logging.Identity, receipt.Identity,
	}
}
