package increment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/tabletest"
)

type rows map[string]table.Item

func TestHandle(t *testing.T) {
	t.Parallel()
	capitals := table.Item{"CollectionStatus": "SENT", "FilesSent": int64(1), "FilesReceived": int64(0)}
	counterless := table.Item{"CollectionStatus": "Exporting", "FilesSent": int64(5)}
	many := func(files int) string {
		var records []string
		for i := range files {
			records = append(records, `{"body":`+Body("a", fmt.Sprint(i))+`}`)
		}
		return `{"Records":[` + strings.Join(records, ",") + `]}`
	}
	for _, test := range []struct {
		name     string
		rows     rows
		earlier  []string // messages that were counted before
		event    json.RawMessage
		want     increment.Output
		rejected []string
		after    map[string]string // rows
	}{
		{"one file of many", rows{"a": Sent(3)}, nil, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 1/3"}},
		{"the last file: the collection may move", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "1"))},
			Batch(Message("m2", Body("a", "2"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 2/2"}},
		{"the last file, in capitals", rows{"a": capitals}, nil, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "SENT 1/1"}},
		{"before it is sent, without a counter", rows{"a": counterless}, nil, Batch(Message("m1", Body("a", "1")),
			Message("m2", Body("a", "2"))),
			increment.Output{Counted: 2}, nil, map[string]string{"a": "Exporting 2/5"}},
		{"files of several collections", rows{"a": Sent(2), "b": Sent(1), "c": Sent(2)}, nil,
			Batch(Message("m1", Body("b", "1")), Message("m2", Body("a", "1")), Message("m3", Body("c", "1")),
				Message("m4", Body("a", "2"))),
			increment.Output{Counted: 4, Collections: keys("b", "a")}, nil, map[string]string{"a": "Sent 2/2",
				"b": "Sent 1/1", "c": "Sent 1/2"}},
		{"a message twice in one batch", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("a", "1")),
			Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1, Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a message that was counted before", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "1"))},
			Batch(Message("m1", Body("a", "1"))),
			increment.Output{Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a duplicate of the last file: reconciled like the first", rows{"a": Sent(1)},
			[]string{Message("m1", Body("a", "1"))}, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 1/1"}},
		{"the same file in another message counts", rows{"a": Sent(3)}, []string{Message("m1", Body("a", "1"))},
			Batch(Message("m2", Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 2/3"}},
		{"an identity with another content is another message", rows{"a": Sent(3)},
			[]string{Message("m1", Body("a", "1"))}, Batch(Message("m1", Body("a", "other"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 2/3"}},
		{"an identity with another content in one batch", rows{"a": Sent(3)}, nil, Batch(Message("m1", Body("a", "1")),
			Message("m1", Body("a", "other"))),
			increment.Output{Counted: 2}, nil, map[string]string{"a": "Sent 2/3"}},
		{"a message again, spelled otherwise", rows{"a": Sent(3)}, []string{Message("m1", Body("a", "1"))},
			Batch(Message("m1", Body("a", "1", `"shutdown_flag":true`, `"x":1`))),
			increment.Output{Duplicates: 1}, nil, map[string]string{"a": "Sent 1/3"}},
		{"a success file adds nothing and is reconciled", rows{"a": Sent(2)}, nil,
			Batch(Message("m1", Body("a", "s", SuccessFile))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"a success file again", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "s", SuccessFile))},
			Batch(Message("m1", Body("a", "s", SuccessFile))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"no row: none is made", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("b", "1")),
			Message("m2", Body("a", "1")), Message("m3", Body("b", "2"))),
			increment.Output{Counted: 1, Rejected: 2}, []string{"m1 UNKNOWN_COLLECTION", "m3 UNKNOWN_COLLECTION"},
			map[string]string{"a": "Sent 1/2", "b": ""}},
		{"bad ones among good ones", rows{"a": Sent(3)}, nil, Batch(Message("m1", "x"), Message("m2", Body("a", "1")),
			Message("m3", `{"Records":[]}`), Message("m4", Body("a", "2", `"shutdown_flag":"yes"`))),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1 NOT_JSON", "m3 NO_RECORDS", "m4 FLAG_INVALID"},
			map[string]string{"a": "Sent 1/3"}},
		{"an envelope with bad records", rows{"a": Sent(3)}, nil,
			Batch(Message("m1", `{"Records":[{"body":`+Body("a", "1")+`},{},{"body":`+Body("b", "1")+
				`},{"messageId":"own","body":"x"}]}`)),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1/1 NO_BODY", "own NOT_JSON",
				"m1/2 UNKNOWN_COLLECTION"}, map[string]string{"a": "Sent 1/3"}},
		{"more than fit into one update", rows{"a": Sent(250)}, nil, json.RawMessage(many(250)),
			increment.Output{Counted: 250, Collections: keys("a")}, nil, map[string]string{"a": "Sent 250/250"}},
		{"more than fit into one update, each of which lets it move", rows{"a": Sent(1)}, nil,
			json.RawMessage(many(100)),
			increment.Output{Counted: 100, Collections: keys("a")}, nil, map[string]string{"a": "Sent 100/1"}},
		{"started by hand with a plain message", rows{"a": Sent(2)}, nil, json.RawMessage(Body("a", "1")),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"started by hand with nonsense", nil, nil, json.RawMessage(`[]`),
			increment.Output{Rejected: 1}, []string{Execution + " NOT_AN_OBJECT"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for collection, row := range test.rows {
				b.Put(collection, row)
			}
			if len(test.earlier) > 0 {
				b.Count(test.earlier...)
			}
			if test.want.Collections == nil {
				test.want.Collections = keys()
			}
			got, err := b.handle(t, test.event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.rejected, b.rejected.rejected); diff != "" {
				t.Error("rejected:", diff)
			}
			for collection, want := range test.after {
				if got := b.Row(collection); got != want {
					t.Errorf("row of %s: %q, want %q", collection, got, want)
				}
			}
		})
	}
}

// What the state machine passes in and gets back, to the letter.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[int64]string{
		1: `{"collections":[{"correlation_id":"run-1","collection_name":"db.a.b"}],"counted":1,"duplicates":0,"rejected":1,"left_to_the_sweep":0}`,
		2: `{"collections":[],"counted":1,"duplicates":0,"rejected":1,"left_to_the_sweep":0}`,
	} {
		t.Run(fmt.Sprint(sent, " sent"), func(t *testing.T) {
			t.Parallel()
			var in increment.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			b := newBench(t)
			b.Put("db.a.b", Sent(sent))
			out, err := b.task.Handle(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{`{"correlation_id":"run-1","collection_name":"db.a.b"}`},
				b.rejected.raw); diff != "" {
				t.Error("rejected:", diff)
			}
		})
	}
}

// An execution that only asks to reconcile collections counts nothing: each is returned once.
func TestHandleRequestsToReconcile(t *testing.T) {
	t.Parallel()
	record := func(collection string) string {
		return fmt.Sprintf(`{"eventName":"MODIFY","eventSource":"aws:dynamodb","dynamodb":{"Keys":{"CorrelationId":{"S":%q},"CollectionName":{"S":%q}}}}`, Run, collection)
	}
	for name, event := range map[string]json.RawMessage{
		"by the stream": Batch(record("b"), record("a"), record("b")),
		"by a sweep": json.RawMessage(
			`{"reconcile":[{"correlation_id":"run-1","collection_name":"b"},{"correlation_id":"run-1","collection_name":"a"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("a", Sent(1))
			b.DB.Before = func(call tabletest.Call) error { t.Errorf("it calls %s", call.Operation); return nil }
			got, err := b.handle(t, event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(increment.Output{Collections: keys("b", "a")}, got); diff != "" ||
				len(b.rejected.rejected) > 0 {
				t.Errorf("rejected %q\n%s", b.rejected.rejected, diff)
			}
		})
	}
}

// A malformed request fails at once and says what is wrong; nothing of it is rejected as a message.
func TestHandleAMalformedRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for event, says := range map[string]string{
		`{"reconcile":[{"correlation_id":"r"}]}`: "collection_name is missing",
		`{"reconcile":[null]}`:                   "element 0",
		`{"reconcile":[]}`:                       "at least one",
		`[{"eventSource":"aws:dynamodb"}]`:       "record 0",
	} {
		got, err := b.handle(t, json.RawMessage(event))
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), says) || len(got.Collections)+
			len(b.rejected.rejected) > 0 {
			t.Errorf("%s: got %+v, %v, rejected %q", event, got, err, b.rejected.rejected)
		}
	}
}

// An execution reconciles as many collections as its history takes. The others are complete in the tables, where the
// sweep finds them.
func TestCollectionsBeyondTheLimitAreLeftToTheSweep(t *testing.T) {
	t.Parallel()
	const collections, most = 7, 3
	var messages, names, requested []string
	for i := range collections {
		name := fmt.Sprint("c", i)
		names = append(names, name)
		messages = append(messages, Message(name, Body(name, "1")))
		requested = append(requested, fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q}`, Run, name))
	}
	for name, event := range map[string]json.RawMessage{
		"counted":   Batch(messages...),
		"requested": json.RawMessage(`{"reconcile":[` + strings.Join(requested, ",") + `]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for _, name := range names {
				b.Put(name, Sent(1))
			}
			if name == "requested" {
				b.Count(messages...)
			}
			got, err := b.limitedTo(most).Handle(t.Context(), increment.Input{ExecutionID: Execution, Event: event})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(names[:most]...), got.Collections); diff != "" || got.Left != collections-most {
				t.Errorf("%d left\n%s", got.Left, diff)
			}
			if lines := b.Logged("left to the sweep"); len(lines) != 1 ||
				lines[0]["collections"] != float64(collections-most) {
				t.Errorf("logged %v", lines)
			}
			for _, key := range got.Collections {
				b.Reconcile(key.CollectionName, Execution+"/"+key.CollectionName)
			}
			runs, err := b.Store.OpenRuns(t.Context())
			if err != nil || len(runs) != 1 {
				t.Fatal(runs, err)
			}
			found, err := b.Store.Examine(t.Context(), runs[0], "sweep")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(names[most:]...), found.Reconcile); diff != "" {
				t.Error("the sweep finds:", diff)
			}
		})
	}
	b := newBench(t)
	b.Put("a", Sent(1))
	for _, most := range []int{0, 1} {
		got, err := b.limitedTo(most).Handle(t.Context(), increment.Input{ExecutionID: Execution,
			Event: Batch(Message("m1", Body("a", "1")))})
		if err != nil || len(got.Collections) != 1 || got.Left != 0 || len(b.Logged("left to the sweep")) > 0 {
			t.Errorf("with a limit of %d: %+v, %v", most, got, err)
		}
	}
}

func TestRunIsRegisteredOnceAProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	registered := b.registrations()
	b.Put("a", Sent(9))
	b.Put("b", Sent(9))
	b.PutAt(b.Tables.Status.At("run-2", "a"), Sent(9))
	other := strings.Replace(Body("a", "1"), Run, "run-2", 1)
	if _, err := b.handle(t, Batch(Message("m0", Body("unknown", "1")))); err != nil {
		t.Fatal(err)
	}
	if len(registered()) != 0 {
		t.Errorf("registered %q for a collection without a row", registered())
	}
	for _, event := range []json.RawMessage{
		Batch(Message("m1", Body("a", "1")), Message("m2", Body("b", "1"))),
		Batch(Message("m3", Body("a", "2")), Message("m4", other)),
		Batch(Message("m5", strings.Replace(other, `"1"`, `"2"`, 1))),
	} {
		if _, err := b.handle(t, event); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{Run, "run-2"}, registered()); diff != "" {
		t.Error(diff)
	}
	if _, err := b.limitedTo(0).Handle(t.Context(),
		increment.Input{Event: Batch(Message("m6", Body("a", "3")))}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{Run, "run-2", Run}, registered()); diff != "" {
		t.Error("another process:", diff)
	}
	state, err := b.Store.Run(t.Context(), Run)
	if err != nil || state.Run.SnapshotType != "full" || state.Run.ExportDate != "2020-01-01" ||
		state.Run.Hints[snapshot.AllReceived].Collection != "a" {
		t.Errorf("registered as %+v, %v", state.Run, err)
	}
}

// A process remembers the thousand runs that it met last, whoever makes them up.
func TestAProcessRemembersAThousandRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	registered := b.registrations()
	handle := func(n int) {
		t.Helper()
		id := fmt.Sprint("many-", n)
		b.PutAt(b.Tables.Status.At(id, "a"), Sent(1))
		if _, err := b.handle(t, Batch(Message(id, strings.Replace(Body("a", "1"), Run, id, 1)))); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		handle(n)
	}
	handle(0)
	if got := len(registered()); got != 1000 {
		t.Errorf("%d registrations of a thousand runs", got)
	}
	for n := range 1001 {
		handle(1000 + n)
	}
	handle(0)
	if got := len(registered()); got != 1000+1001+1 {
		t.Errorf("%d registrations, want the first run's again: more than a thousand are remembered", got)
	}
}
