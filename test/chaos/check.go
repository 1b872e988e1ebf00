package chaos

import (
	"context"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

// check checks the guarantees when nothing is left to do, or when the run was ended with something missing.
func (s *system) check(ctx context.Context, missing string) (*Report, error) {
	r := &Report{system: s}
	switch {
	case missing != "" && s.busy.mean() >= tooBusy:
		r.Unfinished = missing
	case missing != "":
		r.broken("not finished after %v without progress, or %v in total: %s", s.Timeout, s.MaxDuration, missing)
	}
	var err error
	if r.history, err = s.readHistory(ctx); err != nil {
		return nil, err
	}
	rows, err := s.readRows(ctx)
	if err != nil {
		return nil, err
	}
	r.checkRows(rows)
	receipts, repeated, err := s.readReceipts(ctx)
	if err != nil {
		return nil, err
	}
	r.checkCounting(receipts)
	if repeated != s.plan.again {
		r.problem(repeated < s.plan.again, "%d messages repeat a file, want %d", repeated, s.plan.again)
	}
	r.checkRequests()
	r.checkNotifications()
	if err := r.checkLines(ctx); err != nil {
		return nil, err
	}
	for reason, identities := range s.seen.rejected.by {
		if reason != string(snapshot.ReasonNotCounted) {
			r.broken("%d messages were rejected as %s", len(identities), reason)
		}
	}
	for code, n := range s.seen.writeErrors.counts() {
		r.broken("the other writer got %s %d times", code, n)
	}
	if n := s.faults.transactions.Load(); n > 0 {
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
			r.problem(twice == 0 && got.held() <= c.files,
				"%s: FilesReceived %d, EpochStart and SyncedFiles %d, want %d",
				c.name, got.FilesReceived, got.held(), c.files)
		}
		if got.FilesSent != c.files {
			r.problem(got.FilesSent < c.files, "%s: FilesSent %d, but its writer added %d", c.name, got.FilesSent,
				c.files)
		}
	}
}

// readReceipts returns the identities of the files' messages that the ledger has, and how many repeat a file.
func (s *system) readReceipts(ctx context.Context) (files map[string]bool, repeated int, err error) {
	tables := store.NewTables(s.outputs.ExportStatusTableName, s.outputs.LedgerTableName)
	ledger := store.New(dynamo.New(s.table), tables, store.Settings{})
	files = map[string]bool{}
	for _, c := range s.plan.collections {
		key := snapshot.CollectionKey{CorrelationID: s.plan.correlationID, CollectionName: c.name}
		err := ledger.Receipts(ctx, key, func(receipt store.Receipt) error {
			if !receipt.Success {
				files[receipt.Identity] = true
			}
			if receipt.Repeated {
				repeated++
			}
			return nil
		})
		if err != nil {
			return nil, 0, fmt.Errorf("reading the ledger: %w", err)
		}
	}
	return files, repeated, nil
}

// checkCounting compares each message with the ledger, so that a message counted twice does not hide a lost one.
func (r *Report) checkCounting(receipts map[string]bool) {
	sent := r.seen.files.counts()
	for identity := range sent {
		if !receipts[identity] {
			r.lost++
		}
	}
	for identity := range receipts {
		if sent[identity] == 0 {
			r.broken("message %s was counted, but never sent", identity)
		}
	}
	if want := r.Messages + r.plan.again; len(sent) != want || r.lost > 0 {
		r.missing("%d messages sent, want %d; %d were lost", len(sent), want, r.lost)
	}
}

func (r *Report) checkRequests() {
	for _, c := range r.plan.collections {
		ids := r.seen.requests.by[c.name]
		if len(ids) != 1 || ids[""] != 0 {
			r.problem(len(ids) == 0, "requests for %s have the event ids %v, want one", c.name, ids)
		}
	}
	if n := len(r.seen.requests.by); n != len(r.plan.collections) {
		r.problem(n < len(r.plan.collections), "%d collections have requests, want %d", n, len(r.plan.collections))
	}
}

func (r *Report) checkNotifications() {
	for _, title := range []string{"Full - All collections received by NiFi", "Full - All collections successful"} {
		if ids := r.seen.notifications.by[title]; len(ids) != 1 || ids[""] != 0 {
			r.problem(len(ids) == 0, "notifications %q have the event ids %v, want one", title, ids)
		}
	}
	if n := len(r.seen.notifications.by); n != 2 {
		r.problem(n < 2, "%d kinds of notifications, want 2: %q", n, r.seen.notifications.labels())
	}
}

// checkChaos checks that faults were injected. A busy machine may be too late for some.
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
