package chaos

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/snapshot"
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
	markers, err := w.readMarkers(ctx)
	if err != nil {
		return nil, err
	}
	r.checkCounting(markers)
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
		if !got.is("Success") {
			r.missing("%s is %s, want Success", c.name, got.CollectionStatus)
		}
		twice := max(0, got.FilesReceived-c.files)
		r.twice += twice
		if got.FilesReceived != c.files || got.FilesCounted != c.files {
			r.tooFew(twice == 0 && got.FilesCounted <= c.files, "%s: FilesReceived %d, FilesCounted %d, want %d",
				c.name, got.FilesReceived, got.FilesCounted, c.files)
		}
		if got.FilesSent != c.files {
			r.tooFew(got.FilesSent < c.files, "%s: FilesSent %d, but its writer added %d", c.name, got.FilesSent, c.files)
		}
	}
}

// marker is a ledger's item that says that a message was counted.
type marker struct{ Kind, Identity string }

// readMarkers returns the identities of the files' messages that the ledger knows as counted.
func (w *world) readMarkers(ctx context.Context) (map[string]bool, error) {
	pages := dynamodb.NewScanPaginator(w.table,
		&dynamodb.ScanInput{TableName: &w.outputs.LedgerTableName, ConsistentRead: aws.Bool(true)})
	files := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the ledger: %w", err)
		}
		var items []marker
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
			return nil, fmt.Errorf("reading the ledger: %w", err)
		}
		for _, item := range items {
			if item.Kind == "FILE" {
				files[item.Identity] = true
			}
		}
	}
	return files, nil
}

// checkCounting holds each message that was sent against the ledger, so that one that was lost cannot hide behind one
// that was counted twice.
func (r *Report) checkCounting(markers map[string]bool) {
	sent := r.seen.files.counts()
	for identity := range sent {
		if !markers[identity] {
			r.lost++
		}
	}
	for identity := range markers {
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
