// Package tasktest has what the tasks' tests share: both tables in memory under the real store, with a clock, hooks for
// faults, and the log.
//
// The tests write in short:
//
//	a            the collection a of the run Run
//	run-2:a      the collection a of another run
//	a Sent 0/3   a row: status Sent, no file of three received. "-" stands for an attribute that it lacks ("a - 0/-"),
//	             and a text that is no number for a malformed one ("a Sent 0/three")
//	m1 a/f       a message with the identity m1: the file f of a. The file _success is a's success file
//	m1 !         a message whose body is "!", which is no JSON
package tasktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
	"snapshot-status-checker/internal/table/tabletest"
	"snapshot-status-checker/internal/telemetry/logging"
)

// Times after which the tests' store alerts; a run of the type full is late.
const (
	StalledAfter = time.Hour
	LateAfter    = 3 * time.Hour
)

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
	ts := &Tables{t: t, memory: &memory.DB{PageSize: 2}, Names: store.NewTables("statuses", "ledger"),
		Now: time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)}
	ts.DB = &tabletest.Hooked{DB: ts.memory}
	ts.Store = store.New(ts.DB, ts.Names, store.Settings{Exempt: exempt, StalledAfter: StalledAfter,
		LateAfter: snapshot.LateAfter{"full": LateAfter}, Now: func() time.Time { return ts.Now }})
	ts.Log = logging.New(&ts.logs, slog.LevelDebug, "task", "app", "dev")
	return ts
}

// Key is a collection: "collection" or "run:collection".
func Key(collection string) snapshot.CollectionKey {
	run, name, other := strings.Cut(collection, ":")
	if !other {
		run, name = Run, collection
	}
	return snapshot.CollectionKey{CorrelationID: run, CollectionName: name}
}

// Keys are collections.
func Keys(collections ...string) []snapshot.CollectionKey {
	keys := []snapshot.CollectionKey{}
	for _, collection := range collections {
		keys = append(keys, Key(collection))
	}
	return keys
}

func (ts *Tables) row(collection string) table.Ref {
	key := Key(collection)
	return ts.Names.Status.At(key.CorrelationID, key.CollectionName)
}

// attributes are those of a row such as "a Sent 0/3", the second of two files. "-" stands for none.
func attributes(row string) (collection string, item table.Item) {
	parts := strings.Fields(row)
	received, sent, _ := strings.Cut(parts[2], "/")
	item = table.Item{}
	if parts[1] != "-" {
		item["CollectionStatus"] = parts[1]
	}
	for name, text := range map[string]string{"FilesReceived": received, "FilesSent": sent} {
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			item[name] = number
		} else if text != "-" {
			item[name] = text
		}
	}
	return parts[0], item
}

// Put replaces rows unconditionally, as other systems do. A counter that is no number is malformed.
func (ts *Tables) Put(rows ...string) {
	for _, row := range rows {
		collection, item := attributes(row)
		ts.memory.Put(ts.row(collection), item)
	}
}

// Change writes some attributes of a row unconditionally, as other systems do.
func (ts *Tables) Change(row string) {
	ts.t.Helper()
	collection, item := attributes(row)
	if _, err := ts.memory.Update(ts.t.Context(), table.Write{Ref: ts.row(collection), Set: item}); err != nil {
		ts.t.Fatal(err)
	}
}

// Delete deletes a row.
func (ts *Tables) Delete(collection string) { ts.memory.Put(ts.row(collection), nil) }

// PutAt replaces any item of either table.
func (ts *Tables) PutAt(ref table.Ref, item table.Item) { ts.memory.Put(ref, item) }

// WantRows wants rows as Put writes them. A name alone stands for no row.
func (ts *Tables) WantRows(rows ...string) {
	ts.t.Helper()
	for _, want := range rows {
		collection, _, _ := strings.Cut(want, " ")
		item, err := ts.memory.Get(ts.t.Context(), table.Read{Ref: ts.row(collection), Consistent: true})
		if err != nil {
			ts.t.Fatal(err)
		}
		got := collection
		if item != nil {
			got = fmt.Sprint(collection, " ", item["CollectionStatus"], " ", item["FilesReceived"], "/",
				item["FilesSent"])
		}
		if got = strings.ReplaceAll(got, "<nil>", "-"); got != want {
			ts.t.Errorf("row %q, want %q", got, want)
		}
	}
}

// Body is the text of the message "collection/file"; the file _success is the collection's success file. fields are
// added unchanged.
func Body(about string, fields ...string) string {
	collection, file, _ := strings.Cut(about, "/")
	key := Key(collection)
	body := fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":"2020-01-01",`+
		`"filename":%q`, key.CorrelationID, key.CollectionName, file)
	if file == "_success" {
		fields = append(fields, `"is_success_file":"true"`)
	}
	return strings.Join(append([]string{body}, fields...), ",") + "}"
}

// Record is a record of an array that Pipes delivers.
func Record(identity, text string) string {
	body, _ := json.Marshal(text) // a string always marshals
	return fmt.Sprintf(`{"messageId":%q,"body":%s,"eventSource":"aws:sqs"}`, identity, body)
}

// Batch is an array as Pipes delivers it, of messages "identity collection/file", of bad ones "identity !", and of
// records.
func Batch(messages ...string) json.RawMessage {
	var records []string
	for _, message := range messages {
		identity, about, _ := strings.Cut(message, " ")
		switch {
		case strings.HasPrefix(message, "{"):
			records = append(records, message)
		case about == "!":
			records = append(records, Record(identity, about))
		default:
			records = append(records, Record(identity, Body(about)))
		}
	}
	return json.RawMessage("[" + strings.Join(records, ",") + "]")
}

// Count registers the runs and counts messages, with the store alone.
func (ts *Tables) Count(messages ...string) {
	ts.t.Helper()
	if len(messages) == 0 {
		return
	}
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
	ts.Put(collection + " Sent 0/1")
	ts.Count(collection + "-1 " + collection + "/f")
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

// Check checks the run after the collection moved, with the store alone.
func (ts *Tables) Check(collection, owner string, kinds ...snapshot.Kind) []snapshot.Outgoing {
	ts.t.Helper()
	checked, err := ts.Store.Check(ts.t.Context(), Key(collection), owner, true, kinds)
	if err != nil {
		ts.t.Fatal(err)
	}
	return checked.Pending
}

// Request is the request for a collection's _success file in epoch 0.
func Request(collection string) snapshot.Outgoing {
	return snapshot.Outgoing{Kind: snapshot.SuccessFileRequest, CollectionKey: Key(collection)}
}

// Deliver marks as delivered what the owner has to deliver.
func (ts *Tables) Deliver(owner string, pending ...snapshot.Outgoing) {
	ts.t.Helper()
	for _, out := range pending {
		sent, err := ts.Store.Deliver(ts.t.Context(), out, owner, func(snapshot.Export) error { return nil })
		if err != nil || !sent {
			ts.t.Fatalf("%s was not pending: %v", out.Kind, err)
		}
	}
}

// Invoke calls a task with the input of testdata/input.json, as the state machine or the schedule does, and returns its
// output as JSON.
func Invoke[In, Out any](t *testing.T, handle func(context.Context, In) (Out, error)) string {
	t.Helper()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var in In
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	out, err := handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}
