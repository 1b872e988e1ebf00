// Package tasktest has what the tasks' tests share: both tables in memory under the real store, with a clock, hooks for
// faults, and the log.
package tasktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
	"snapshot-status-checker/internal/telemetry/metrics/metricstest"
)

// LateAfter is the time after which a run of the type full is late.
const LateAfter = 3 * time.Hour

// Run is the correlation id of the test's run, and Execution the ARN of its execution.
const (
	Run       = "run-1"
	Execution = "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1"
)

// Tables are the two tables of a test, with the store over them, its clock and its log.
type Tables struct {
	t      testing.TB
	Names  store.Tables
	Store  *store.Store      // over the tables
	DB     *tabletest.Hooked // the tables with hooks, as the store uses them
	memory *memory.DB
	Now    time.Time
	Log    *slog.Logger // of the lowest level; see Logged
	logs   bytes.Buffer
}

// New makes empty tables. The given statuses are exempt.
func New(t testing.TB, exempt ...snapshot.Status) *Tables {
	ts := &Tables{t: t, memory: &memory.DB{}, Names: store.NewTables("statuses", "ledger"),
		Now: time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)}
	ts.DB = &tabletest.Hooked{DB: ts.memory}
	ts.Store = store.New(ts.DB, ts.Names, store.Settings{Exempt: exempt, StalledAfter: time.Hour,
		LateAfter: snapshot.LateAfter{"full": LateAfter}, Now: func() time.Time { return ts.Now }})
	ts.Log = logging.New(&ts.logs, slog.LevelDebug, "task", "app", "dev")
	return ts
}

// Key is a collection of the test's run.
func Key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: Run, CollectionName: collection}
}

// Put replaces a row unconditionally, as other systems do. nil deletes it.
func (ts *Tables) Put(collection string, row table.Item) {
	ts.memory.Put(ts.Names.Status.At(Run, collection), row)
}

// PutAt replaces any item of either table.
func (ts *Tables) PutAt(ref table.Ref, item table.Item) { ts.memory.Put(ref, item) }

// Item is the present item, nil if there is none.
func (ts *Tables) Item(ref table.Ref) table.Item {
	ts.t.Helper()
	item, err := ts.memory.Get(ts.t.Context(), table.Read{Ref: ref, Consistent: true})
	if err != nil {
		ts.t.Fatal(err)
	}
	return item
}

// PageSize bounds the items of a query's page.
func (ts *Tables) PageSize(items int) { ts.memory.PageSize = items }

// Deliver marks as delivered what the owner has to deliver.
func (ts *Tables) Deliver(out snapshot.Outgoing, owner string) {
	ts.t.Helper()
	sent, err := ts.Store.Deliver(ts.t.Context(), out, owner, func(snapshot.Export) error { return nil })
	if err != nil || !sent {
		ts.t.Fatalf("%s was not pending: %v", out.Kind, err)
	}
}

// Change writes attributes of a row unconditionally, as other systems do.
func (ts *Tables) Change(collection string, attributes table.Item) {
	ts.t.Helper()
	if _, err := ts.memory.Update(ts.t.Context(), table.Write{Ref: ts.Names.Status.At(Run, collection),
		Set: attributes}); err != nil {
		ts.t.Fatal(err)
	}
}

// Sent is a row with status Sent.
func Sent(files int64) table.Item {
	return table.Item{"CollectionStatus": "Sent", "FilesSent": files, "FilesReceived": int64(0)}
}

// Row describes a row: "Sent 1/3" for one file received of three sent, "" without a row.
func (ts *Tables) Row(collection string) string {
	ts.t.Helper()
	item := ts.Item(ts.Names.Status.At(Run, collection))
	if item == nil {
		return ""
	}
	shown := func(attribute string) any {
		if item.Has(attribute) {
			return item[attribute]
		}
		return "-"
	}
	return fmt.Sprintf("%v %v/%v", shown("CollectionStatus"), shown("FilesReceived"), shown("FilesSent"))
}

// Body is the message of a file of the collection. fields are added unchanged.
func Body(collection, file string, fields ...string) string {
	body := fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01",`+
		`"filename":%q`, Run, collection, file)
	return strings.Join(append([]string{body}, fields...), ",") + "}"
}

// SuccessFile is a field for Body.
const SuccessFile = `"is_success_file":"true"`

// Message is a record of an array that Pipes delivers.
func Message(identity, body string) string {
	text, _ := json.Marshal(body) // a string always marshals
	return fmt.Sprintf(`{"messageId":%q,"body":%s,"eventSource":"aws:sqs"}`, identity, text)
}

// Batch is an array as Pipes delivers it.
func Batch(messages ...string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(messages, ",") + "]")
}

// Count registers the run and counts messages, with the store alone.
func (ts *Tables) Count(messages ...string) {
	ts.t.Helper()
	groups, _, rejected := snapshot.GroupByCollection(snapshot.Unwrap(Batch(messages...), "earlier"))
	if len(rejected) > 0 {
		ts.t.Fatal(rejected[0].Rejection)
	}
	for _, group := range groups {
		states, err := ts.Store.Read(ts.t.Context(), []snapshot.CollectionKey{group.CollectionKey})
		if err != nil {
			ts.t.Fatal(err)
		}
		state := states[group.CollectionKey]
		if err := ts.Store.RegisterRun(ts.t.Context(), *state.Row, group.Receipts[0].Message.Export); err != nil {
			ts.t.Fatal(err)
		}
		if _, err := ts.Store.Count(ts.t.Context(), "earlier", state, group.Receipts); err != nil {
			ts.t.Fatal(err)
		}
	}
}

// Receive makes the row of a collection of one file, counts that file, and reconciles the collection as owner.
func (ts *Tables) Receive(collection, owner string) {
	ts.t.Helper()
	ts.Put(collection, Sent(1))
	ts.Count(Message(collection+"-1", Body(collection, "f")))
	ts.Reconcile(collection, owner)
}

// Reconcile reconciles a collection, with the store alone.
func (ts *Tables) Reconcile(collection, owner string) store.Reconciled {
	ts.t.Helper()
	at, err := ts.Store.Reconcile(ts.t.Context(), Key(collection), owner)
	if err != nil {
		ts.t.Fatal(err)
	}
	return at
}

// Logged returns the log's lines with this message; all lines for "".
func (ts *Tables) Logged(message string) []map[string]any {
	ts.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(ts.logs.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			ts.t.Fatal(err)
		}
		if message == "" || fields["message"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// Counted calls a task and returns CloudWatch's sums of the metrics that the task measured, by name, and of
// MessagesRejected also by "name REASON".
func (ts *Tables) Counted(call func(context.Context)) map[string]float64 {
	ts.t.Helper()
	ctx := metrics.Begin(logging.Begin(ts.t.Context(), ts.Log), func() time.Time { return ts.Now })
	call(ctx)
	before := ts.logs.Len()
	metrics.Write(ctx, ts.Log)
	sums := map[string]float64{}
	for line := range bytes.Lines(ts.logs.Bytes()[before:]) {
		data, err := metricstest.Extract(line)
		if err != nil {
			ts.t.Errorf("%v: %s", err, line)
		}
		for _, d := range data {
			_, reason, _ := strings.Cut(d.Dimensions, logging.Reason+"=")
			sums[strings.TrimSpace(d.Name+" "+reason)] += d.Value
		}
	}
	return sums
}

// LogText is the whole log.
func (ts *Tables) LogText() string { return ts.logs.String() }
