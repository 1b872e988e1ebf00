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

	"snapshot-status-checker/internal/logging"
	"snapshot-status-checker/internal/metrics"
	"snapshot-status-checker/internal/metrics/metricstest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// Run is the correlation id of the world's run, and Execution the execution that asks.
const (
	Run       = "run-1"
	Execution = "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1"
)

// World belongs to one test.
type World struct {
	t      testing.TB
	DB     *DB
	Tables store.Tables
	Now    time.Time
	Log    *slog.Logger // of the lowest level, so that nothing is hidden from Logged
	logs   bytes.Buffer
}

// New makes a world without rows.
func New(t testing.TB) *World {
	w := &World{t: t, DB: &DB{}, Tables: store.NewTables("statuses", "ledger"), Now: time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)}
	w.Log = logging.New(&w.logs, slog.LevelDebug, "task", "app", "dev")
	return w
}

func (w *World) now() time.Time { return w.Now }

func noPause(ctx context.Context, _ int) error { return ctx.Err() }

// Counter is the protocol over the world's tables, as are the next three.
func (w *World) Counter() *store.Counter {
	return &store.Counter{DB: w.DB, Tables: w.Tables, Now: w.now, Pause: noPause}
}

func (w *World) Looker() *store.Looker {
	return &store.Looker{DB: w.DB, Tables: w.Tables, Now: w.now, Pause: noPause}
}

func (w *World) Runs(exempt ...snapshot.Status) *store.Runs {
	return &store.Runs{DB: w.DB, Tables: w.Tables, Exempt: exempt, Now: w.now, Pause: noPause}
}

func (w *World) Debts() *store.Debts {
	return &store.Debts{DB: w.DB, Tables: w.Tables, Pause: noPause}
}

// Key is a collection of the world's run.
func Key(collection string) snapshot.CollectionKey {
	return snapshot.CollectionKey{CorrelationID: Run, CollectionName: collection}
}

// Put writes a row as others do: whole and without looking. nil takes it away.
func (w *World) Put(collection string, row table.Item) {
	w.DB.Put(w.Tables.Status.At(Run, collection), row)
}

// Change writes some attributes of a row as others do: without looking.
func (w *World) Change(collection string, attributes table.Item) {
	w.t.Helper()
	if _, err := w.DB.DB.Update(w.t.Context(), table.Write{Ref: w.Tables.Status.At(Run, collection), Set: attributes}); err != nil {
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
	item, err := w.DB.DB.Get(w.t.Context(), table.Read{Ref: w.Tables.Status.At(Run, collection), Consistent: true})
	if err != nil {
		w.t.Fatal(err)
	}
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
	counter := w.Counter()
	groups, _, rejected := snapshot.GroupByCollection(snapshot.Unwrap(Batch(messages...), "earlier"))
	if len(rejected) > 0 {
		w.t.Fatal(rejected[0].Rejection)
	}
	for _, group := range groups {
		states, err := counter.Read(w.t.Context(), []snapshot.CollectionKey{group.CollectionKey})
		if err != nil {
			w.t.Fatal(err)
		}
		if err := counter.RegisterRun(w.t.Context(), group.CorrelationID, group.Receipts[0].Message.Export); err != nil {
			w.t.Fatal(err)
		}
		if _, err := counter.Count(w.t.Context(), "earlier", states[group.CollectionKey], group.Receipts); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Receive makes the row of a collection of one file, counts that file, and looks at the collection as claimer.
func (w *World) Receive(collection, claimer string) {
	w.t.Helper()
	w.Put(collection, Sent(1))
	w.Count(Message(collection+"-1", Body(collection, "f")))
	w.Look(collection, claimer)
}

// Look looks at a collection by the protocol alone.
func (w *World) Look(collection, claimer string) {
	w.t.Helper()
	if _, err := w.Looker().Look(w.t.Context(), Key(collection), claimer); err != nil {
		w.t.Fatal(err)
	}
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
	ctx := metrics.Begin(logging.Begin(w.t.Context(), w.Log), w.now)
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

// DB is both tables with faults. Before fails a call that then has no effect; After one that had its effect,
// and whose answer is lost.
type DB struct {
	memory.DB
	Before, After func(op string, refs ...table.Ref) error
}

func (db *DB) around(call func() error, op string, refs ...table.Ref) error {
	if db.Before != nil {
		if err := db.Before(op, refs...); err != nil {
			return err
		}
	}
	if err := call(); err != nil {
		return err
	}
	if db.After != nil {
		return db.After(op, refs...)
	}
	return nil
}

func (db *DB) Get(ctx context.Context, read table.Read) (item table.Item, err error) {
	err = db.around(func() error { item, err = db.DB.Get(ctx, read); return err }, "Get", read.Ref)
	return item, err
}

func (db *DB) GetMany(ctx context.Context, reads []table.Read) (items map[table.Ref]table.Item, err error) {
	var refs []table.Ref
	for _, read := range reads {
		refs = append(refs, read.Ref)
	}
	err = db.around(func() error { items, err = db.DB.GetMany(ctx, reads); return err }, "GetMany", refs...)
	return items, err
}

// Query is told by where it begins.
func (db *DB) Query(ctx context.Context, query table.Query) (page table.Page, err error) {
	err = db.around(func() error { page, err = db.DB.Query(ctx, query); return err }, "Query", query.At(query.Partition, query.From))
	return page, err
}

func (db *DB) Update(ctx context.Context, write table.Write) (item table.Item, err error) {
	err = db.around(func() error { item, err = db.DB.Update(ctx, write); return err }, "Update", write.Ref)
	return item, err
}

func (db *DB) Transact(ctx context.Context, writes []table.Write) error {
	var refs []table.Ref
	for _, write := range writes {
		refs = append(refs, write.Ref)
	}
	return db.around(func() error { return db.DB.Transact(ctx, writes) }, "Transact", refs...)
}
