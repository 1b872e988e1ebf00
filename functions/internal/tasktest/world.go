// Package tasktest is the world around the tasks in their tests: both tables in one process under the real
// protocol, a clock, faults at the tables, and the log to read.
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

// Run is the correlation id of the world's run, and Execution the execution that asks.
const (
	Run       = "run-1"
	Execution = "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1"
)

// World belongs to one test.
type World struct {
	t      testing.TB
	Tables store.Tables
	Store  *store.Store      // the protocol over the world's tables
	DB     *tabletest.Hooked // the tables as the protocol sees them
	memory *memory.DB
	Now    time.Time
	Log    *slog.Logger // of the lowest level, so that nothing is hidden from Logged
	logs   bytes.Buffer
}

// New makes a world without rows. Statuses that are given are exempt.
func New(t testing.TB, exempt ...snapshot.Status) *World {
	w := &World{t: t, memory: &memory.DB{}, Tables: store.NewTables("statuses", "ledger"),
		Now: time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)}
	w.DB = &tabletest.Hooked{DB: w.memory}
	w.Store = store.New(w.DB, w.Tables, store.Settings{Exempt: exempt, StalledAfter: time.Hour,
		Now: func() time.Time { return w.Now }})
	w.Log = logging.New(&w.logs, slog.LevelDebug, "task", "app", "dev")
	return w
}

// Key is a collection of the world's run.
func Key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: Run, CollectionName: collection}
}

// Put writes a row as others do: whole and without looking. nil takes it away.
func (w *World) Put(collection string, row table.Item) {
	w.memory.Put(w.Tables.Status.At(Run, collection), row)
}

// PutAt writes any item of either table as Put does.
func (w *World) PutAt(ref table.Ref, item table.Item) { w.memory.Put(ref, item) }

// Item is an item as it stands, nil if there is none.
func (w *World) Item(ref table.Ref) table.Item {
	w.t.Helper()
	item, err := w.memory.Get(w.t.Context(), table.Read{Ref: ref, Consistent: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return item
}

// PageSize bounds the items of a query's page.
func (w *World) PageSize(items int) { w.memory.PageSize = items }

// Deliver marks as delivered what the owner has to deliver.
func (w *World) Deliver(out snapshot.Outgoing, owner string) {
	w.t.Helper()
	sent, err := w.Store.Deliver(w.t.Context(), out, owner, func(snapshot.Export) error { return nil })
	if err != nil || !sent {
		w.t.Fatalf("%s was not pending: %v", out.Kind, err)
	}
}

// Change writes some attributes of a row as others do: without looking.
func (w *World) Change(collection string, attributes table.Item) {
	w.t.Helper()
	if _, err := w.memory.Update(w.t.Context(), table.Write{Ref: w.Tables.Status.At(Run, collection),
		Set: attributes}); err != nil {
		w.t.Fatal(err)
	}
}

// Sent is a row that the sender has written.
func Sent(files int64) table.Item {
	return table.Item{"CollectionStatus": "Sent", "FilesSent": files, "FilesReceived": int64(0)}
}

// Row says what stands in a row: "Sent 1/3" for one file received of three sent, "" if there is none.
func (w *World) Row(collection string) string {
	w.t.Helper()
	item := w.Item(w.Tables.Status.At(Run, collection))
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

// Body is a message for a collection with one file of this name; fields are added to it as they are.
func Body(collection, file string, fields ...string) string {
	body := fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01","filename":%q`, Run, collection, file)
	return strings.Join(append([]string{body}, fields...), ",") + "}"
}

// SuccessFile is a field for Body.
const SuccessFile = `"is_success_file":"true"`

// Message is one record of the array that Pipes delivers.
func Message(identity, body string) string {
	text, _ := json.Marshal(body) // a string always marshals
	return fmt.Sprintf(`{"messageId":%q,"body":%s,"eventSource":"aws:sqs"}`, identity, text)
}

// Batch is the array that Pipes delivers.
func Batch(messages ...string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(messages, ",") + "]")
}

// Count counts messages by the protocol alone, registering the run.
func (w *World) Count(messages ...string) {
	w.t.Helper()
	groups, _, rejected := snapshot.GroupByCollection(snapshot.Unwrap(Batch(messages...), "earlier"))
	if len(rejected) > 0 {
		w.t.Fatal(rejected[0].Rejection)
	}
	for _, group := range groups {
		states, err := w.Store.Read(w.t.Context(), []snapshot.CollectionKey{group.CollectionKey})
		if err != nil {
			w.t.Fatal(err)
		}
		state := states[group.CollectionKey]
		if err := w.Store.RegisterRun(w.t.Context(), *state.Row, group.Receipts[0].Message.Export); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.Store.Count(w.t.Context(), "earlier", state, group.Receipts); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Receive makes the row of a collection of one file, counts that file, and reconciles the collection as owner.
func (w *World) Receive(collection, owner string) {
	w.t.Helper()
	w.Put(collection, Sent(1))
	w.Count(Message(collection+"-1", Body(collection, "f")))
	w.Reconcile(collection, owner)
}

// Reconcile reconciles a collection by the protocol alone.
func (w *World) Reconcile(collection, owner string) store.Reconciled {
	w.t.Helper()
	at, err := w.Store.Reconcile(w.t.Context(), Key(collection), owner)
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

// Logged returns the log's lines with this message; all lines for "".
func (w *World) Logged(message string) []map[string]any {
	w.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(w.logs.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			w.t.Fatal(err)
		}
		if message == "" || fields["message"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// Counted calls a task in a context in which it counts, and returns what CloudWatch makes of it: the sum of each
// metric's values, under the metric's name and, for one that is told apart by its reason, "name REASON" too.
func (w *World) Counted(call func(context.Context)) map[string]float64 {
	w.t.Helper()
	ctx := metrics.Begin(logging.Begin(w.t.Context(), w.Log), func() time.Time { return w.Now })
	call(ctx)
	before := w.logs.Len()
	metrics.Write(ctx, w.Log)
	sums := map[string]float64{}
	for line := range bytes.Lines(w.logs.Bytes()[before:]) {
		data, err := metricstest.Extract(line)
		if err != nil {
			w.t.Errorf("%v: %s", err, line)
		}
		for _, d := range data {
			_, reason, _ := strings.Cut(d.Dimensions, logging.Reason+"=")
			sums[strings.TrimSpace(d.Name+" "+reason)] += d.Value
		}
	}
	return sums
}

// LogText is the whole log.
func (w *World) LogText() string { return w.logs.String() }
