package chaos

import (
	"context"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

// check holds what is there when all has come to rest against the guarantees, or when something is still missing.
func (w *world) check(ctx context.Context, missing string) (*Report, error) {
	r := &Report{world: w}
	switch {
	case missing != "" && w.busy.mean() >= tooBusy:
		r.Unfinished = missing
	case missing != "":
		r.broken("not at rest after %v without progress, or %v of all: %s", w.Patience, w.Longest, missing)
	}
	var err error
	if r.history, err = w.readHistory(ctx); err != nil {
		return nil, err
	}
	rows, err := w.readRows(ctx)
	if err != nil {
		return nil, err
	}
	r.checkRows(rows)
	receipts, err := w.readReceipts(ctx)
	if err != nil {
		return nil, err
	}
	r.checkCounting(receipts)
	r.checkRequests()
	r.checkNews()
	for reason, identities := range w.seen.rejected.by {
		if reason != string(snapshot.ReasonNotCounted) {
			r.broken("%d messages were rejected as %s", len(identities), reason)
		}
	}
	for code, n := range w.seen.writeErrors.counts() {
		r.broken("the rows' other writer met %s %d times", code, n)
	}
	if n := w.faults.transactions.Load(); n > 0 {
		r.broken("%d transactions on the shared table", n)
	}
	r.checkChaos()
	return r, nil
}

func (r *Report) checkRows(rows map[string]row) {
	if len(rows) != len(r.plan.collections) {
		r.broken("there are %d rows, want %d", len(rows), len(r.plan.collections))
	}
	for _, c := range r.plan.collections {
		got := rows[c.name]
		if !got.is(snapshot.Success) {
			r.missing("%s is %s, want Success", c.name, got.CollectionStatus)
		}
		twice := max(0, got.FilesReceived-c.files)
		r.twice += twice
		if got.FilesReceived != c.files || got.held() != c.files {
			r.tooFew(twice == 0 && got.held() <= c.files,
				"%s: FilesReceived %d, EpochStart and SyncedFiles %d, want %d",
				c.name, got.FilesReceived, got.held(), c.files)
		}
		if got.FilesSent != c.files {
			r.tooFew(got.FilesSent < c.files, "%s: FilesSent %d, but its writer added %d", c.name, got.FilesSent,
				c.files)
		}
	}
}

// readReceipts returns the identities of the files' messages that the ledger knows as counted.
func (w *world) readReceipts(ctx context.Context) (map[string]bool, error) {
	tables := store.NewTables(w.outputs.ExportStatusTableName, w.outputs.LedgerTableName)
	ledger, files := store.New(dynamo.New(w.table), tables, store.Settings{}), map[string]bool{}
	for _, c := range w.plan.collections {
		key := snapshot.CollectionKey{CorrelationID: w.plan.correlationID, CollectionName: c.name}
		err := ledger.Receipts(ctx, key, func(receipt store.Receipt) error {
			if !receipt.Success {
				files[receipt.Identity] = true
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading the ledger: %w", err)
		}
	}
	return files, nil
}

// checkCounting holds each message that was sent against the ledger, so that one that was lost cannot hide behind one
// that was counted twice.
func (r *Report) checkCounting(receipts map[string]bool) {
	sent := r.seen.files.counts()
	for identity := range sent {
		if !receipts[identity] {
			r.lost++
		}
	}
	for identity := range receipts {
		if sent[identity] == 0 {
			r.broken("counted message %s, which nobody sent", identity)
		}
	}
	if len(sent) != r.Messages || r.lost > 0 {
		r.missing("of %d messages, want %d, %d were lost", len(sent), r.Messages, r.lost)
	}
}

func (r *Report) checkRequests() {
	for _, c := range r.plan.collections {
		ids := r.seen.requests.by[c.name]
		if len(ids) != 1 || ids[""] != 0 {
			r.tooFew(len(ids) == 0, "%s was asked for by the event ids %v, want one", c.name, ids)
		}
	}
	if n := len(r.seen.requests.by); n != len(r.plan.collections) {
		r.tooFew(n < len(r.plan.collections), "%d collections were asked for, want %d", n, len(r.plan.collections))
	}
}

func (r *Report) checkNews() {
	for _, title := range []string{"Full - All collections received by NiFi", "Full - All collections successful"} {
		if ids := r.seen.news.by[title]; len(ids) != 1 || ids[""] != 0 {
			r.tooFew(len(ids) == 0, "%q was told under the event ids %v, want one", title, ids)
		}
	}
	if n := len(r.seen.news.by); n != 2 {
		r.tooFew(n < 2, "told %d kinds of news, want 2: %q", n, r.seen.news.labels())
	}
}

// checkChaos makes sure that there was any. A busy machine may do everything too late for some of it.
func (r *Report) checkChaos() {
	for what, n := range map[string]int64{
		"requests cut": r.faults.requestsCut.Load(), "answers cut": r.faults.answersCut.Load(),
		"answers late": r.faults.answersLate.Load(), "processes killed": r.seen.killed.Load(),
		"Sent written late": r.seen.sentLate.Load(),
	} {
		if n == 0 {
			r.missing("no chaos: no %s", what)
		}
	}
	if r.seen.sentLate.Load() == int64(len(r.plan.collections)) {
		r.missing("no chaos: Sent was never written before the last receipt")
	}
	if got := int(r.seen.duplicates.Load()); got != r.plan.duplicates {
		r.missing("no chaos: %d duplicates sent, want %d", got, r.plan.duplicates)
	}
}
