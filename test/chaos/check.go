package chaos

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table/dynamo"
)

// check checks the guarantees when nothing is left to do, or when the run was ended with something missing.
func (s *system) check(ctx context.Context, missing string) (*Report, error) {
	r := &Report{system: s}
	if missing != "" {
		r.broken("not finished after %v without progress: %s", s.Timeout, missing)
	}
	var err error
	if r.executions, err = s.countExecutions(ctx); err != nil {
		return nil, err
	}
	tables := store.NewTables(s.outputs.ExportStatusTableName, s.outputs.LedgerTableName)
	ledger := store.New(dynamo.New(dynamodb.NewFromConfig(s.config)), tables, store.Settings{})
	state, err := ledger.Run(ctx, s.plan.run.CorrelationID)
	if err != nil {
		return nil, err
	}
	r.checkRows(state.Collections)
	if err := r.checkCounting(ctx, ledger); err != nil {
		return nil, err
	}
	r.checkMessages()
	if err := r.checkLines(ctx); err != nil {
		return nil, err
	}
	r.checkChaos()
	return r, nil
}

func (r *Report) checkRows(states []store.State) {
	if len(states) != len(r.plan.collections) {
		r.broken("there are %d rows, want %d", len(states), len(r.plan.collections))
	}
	rows := map[string]snapshot.Row{}
	for _, state := range states {
		rows[state.Row.CollectionName] = *state.Row
	}
	for _, c := range r.plan.collections {
		got, want := rows[c.name], int64(len(c.files))
		if !got.Status.Is(snapshot.Success) {
			r.broken("%s is %s, want Success", c.name, got.Status)
		}
		r.twice += max(0, got.FilesReceived.N-want)
		if got.FilesReceived.N != want || got.Held() != want {
			r.broken("%s: FilesReceived %d, EpochStart and SyncedFiles %d, want %d", c.name, got.FilesReceived.N,
				got.Held(), want)
		}
		if got.FilesSent.N != want {
			r.broken("%s: FilesSent %d, but its writer added %d", c.name, got.FilesSent.N, want)
		}
	}
}

// checkCounting compares the plan's files with the ledger's receipts.
func (r *Report) checkCounting(ctx context.Context, ledger *store.Store) error {
	repeated := 0
	for _, c := range r.plan.collections {
		counted := map[string]int{}
		key := snapshot.CollectionKey{CorrelationID: r.plan.run.CorrelationID, CollectionName: c.name}
		err := ledger.Receipts(ctx, key, func(receipt store.Receipt) error {
			switch {
			case receipt.Repeated:
				repeated++
			case !receipt.Success:
				counted[receipt.Filename]++
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the ledger: %w", err)
		}
		r.checkReceipts(c, counted)
	}
	if repeated != r.plan.again {
		r.broken("%d messages repeat a file, want %d", repeated, r.plan.again)
	}
	return nil
}

// checkReceipts checks that each file of a collection was counted once, so that a file counted twice does not hide a
// lost one.
func (r *Report) checkReceipts(c collection, counted map[string]int) {
	for _, file := range c.files {
		if n := counted[file]; n != 1 {
			r.broken("%s: file %s was counted %d times", c.name, file, n)
		}
		if counted[file] == 0 {
			r.lost++
		}
		delete(counted, file)
	}
	for file := range counted {
		r.broken("%s: file %s was counted, but never sent", c.name, file)
	}
}

// checkMessages checks what was sent to others: one request for each collection, each notification once, rejected
// messages whose retries were used up, and no errors of the other writer.
func (r *Report) checkMessages() {
	var collections []string
	for _, c := range r.plan.collections {
		collections = append(collections, c.name)
	}
	r.checkOnce("requests", &r.seen.requests, collections...)
	r.checkOnce("notifications", &r.seen.notifications,
		"Full - All collections received by NiFi", "Full - All collections successful")
	for _, reason := range r.seen.rejected.labels() {
		if reason != string(snapshot.ReasonNotCounted) {
			r.broken("%d messages were rejected as %s", len(r.seen.rejected.of(reason)), reason)
		}
	}
	for _, code := range r.seen.writeErrors.labels() {
		r.broken("the other writer got %s %d times", code, r.seen.writeErrors.of(code)[""])
	}
}

// checkOnce checks that there is one event id for each of these, and nothing else.
func (r *Report) checkOnce(what string, sent *bag, wanted ...string) {
	for _, label := range wanted {
		if ids := sent.of(label); len(ids) != 1 || ids[""] != 0 {
			r.broken("%s for %q have the event ids %v, want one", what, label, ids)
		}
	}
	if labels := sent.labels(); len(labels) != len(wanted) {
		r.broken("%s: %d kinds, want %d: %q", what, len(labels), len(wanted), labels)
	}
}

// checkChaos checks that faults were injected.
func (r *Report) checkChaos() {
	for what, n := range map[string]int64{
		"requests cut": r.faults.requestsCut.Load(), "answers cut": r.faults.answersCut.Load(),
		"answers late": r.faults.answersLate.Load(), "processes killed": r.seen.killed.Load(),
		"Sent written late": r.seen.sentLate.Load(),
	} {
		if n == 0 {
			r.broken("no chaos: no %s", what)
		}
	}
	if r.seen.sentLate.Load() == int64(len(r.plan.collections)) {
		r.broken("no chaos: Sent was never written before the last receipt")
	}
	if got := int(r.seen.duplicates.Load()); got != r.plan.duplicates {
		r.broken("no chaos: %d duplicates sent, want %d", got, r.plan.duplicates)
	}
}

// countExecutions counts the executions by status.
func (s *system) countExecutions(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	pages := sfn.NewListExecutionsPaginator(sfn.NewFromConfig(s.config),
		&sfn.ListExecutionsInput{StateMachineArn: &s.outputs.StateMachineArn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the executions: %w", err)
		}
		for _, execution := range page.Executions {
			counts[string(execution.Status)]++
		}
	}
	return counts, nil
}
