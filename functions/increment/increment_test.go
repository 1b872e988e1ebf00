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
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
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
			records = append(records, `{"body":`+tasktest.Body("a", fmt.Sprint(i))+`}`)
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
		{"one file of many", rows{"a": tasktest.Sent(3)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 1/3"}},
		{"the last file: the collection may move", rows{"a": tasktest.Sent(2)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m2", tasktest.Body("a", "2"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 2/2"}},
		{"the last file, in capitals", rows{"a": capitals}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "SENT 1/1"}},
		{"before it is sent, without a counter", rows{"a": counterless}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m2", tasktest.Body("a", "2"))),
			increment.Output{Counted: 2}, nil, map[string]string{"a": "Exporting 2/5"}},
		{"files of several collections", rows{"a": tasktest.Sent(2), "b": tasktest.Sent(1), "c": tasktest.Sent(2)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("b", "1")),
				tasktest.Message("m2", tasktest.Body("a", "1")), tasktest.Message("m3", tasktest.Body("c", "1")),
				tasktest.Message("m4", tasktest.Body("a", "2"))),
			increment.Output{Counted: 4, Collections: keys("b", "a")}, nil, map[string]string{"a": "Sent 2/2",
				"b": "Sent 1/1", "c": "Sent 1/2"}},
		{"a message twice in one batch", rows{"a": tasktest.Sent(2)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m1", tasktest.Body("a", "1"))),
			increment.Output{Counted: 1, Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a message that was counted before", rows{"a": tasktest.Sent(2)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1"))),
			increment.Output{Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a duplicate of the last file: reconciled like the first", rows{"a": tasktest.Sent(1)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1"))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 1/1"}},
		{"the same file in another message counts", rows{"a": tasktest.Sent(3)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m2", tasktest.Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 2/3"}},
		{"an identity with another content is another message", rows{"a": tasktest.Sent(3)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "other"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 2/3"}},
		{"an identity with another content in one batch", rows{"a": tasktest.Sent(3)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1")),
				tasktest.Message("m1", tasktest.Body("a", "other"))),
			increment.Output{Counted: 2}, nil, map[string]string{"a": "Sent 2/3"}},
		{"a message again, spelled otherwise", rows{"a": tasktest.Sent(3)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "1"))},
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "1", `"shutdown_flag":true`, `"x":1`))),
			increment.Output{Duplicates: 1}, nil, map[string]string{"a": "Sent 1/3"}},
		{"a success file adds nothing and is reconciled", rows{"a": tasktest.Sent(2)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "s", tasktest.SuccessFile))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"a success file again", rows{"a": tasktest.Sent(2)},
			[]string{tasktest.Message("m1", tasktest.Body("a", "s", tasktest.SuccessFile))},
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("a", "s", tasktest.SuccessFile))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"no row: none is made", rows{"a": tasktest.Sent(2)}, nil,
			tasktest.Batch(tasktest.Message("m1", tasktest.Body("b", "1")),
				tasktest.Message("m2", tasktest.Body("a", "1")), tasktest.Message("m3", tasktest.Body("b", "2"))),
			increment.Output{Counted: 1, Rejected: 2}, []string{"m1 UNKNOWN_COLLECTION", "m3 UNKNOWN_COLLECTION"},
			map[string]string{"a": "Sent 1/2", "b": ""}},
		{"bad ones among good ones", rows{"a": tasktest.Sent(3)}, nil, tasktest.Batch(tasktest.Message("m1", "x"),
			tasktest.Message("m2", tasktest.Body("a", "1")), tasktest.Message("m3", `{"Records":[]}`),
			tasktest.Message("m4", tasktest.Body("a", "2", `"shutdown_flag":"yes"`))),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1 NOT_JSON", "m3 NO_RECORDS", "m4 FLAG_INVALID"},
			map[string]string{"a": "Sent 1/3"}},
		{"an envelope with bad records", rows{"a": tasktest.Sent(3)}, nil,
			tasktest.Batch(tasktest.Message("m1", `{"Records":[{"body":`+tasktest.Body("a", "1")+`},{},{"body":`+
				tasktest.Body("b", "1")+
				`},{"messageId":"own","body":"x"}]}`)),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1/1 NO_BODY", "own NOT_JSON",
				"m1/2 UNKNOWN_COLLECTION"}, map[string]string{"a": "Sent 1/3"}},
		{"more than fit into one update", rows{"a": tasktest.Sent(250)}, nil, json.RawMessage(many(250)),
			increment.Output{Counted: 250, Collections: keys("a")}, nil, map[string]string{"a": "Sent 250/250"}},
		{"more than fit into one update, each of which lets it move", rows{"a": tasktest.Sent(1)}, nil,
			json.RawMessage(many(100)),
			increment.Output{Counted: 100, Collections: keys("a")}, nil, map[string]string{"a": "Sent 100/1"}},
		{"started by hand with a plain message", rows{"a": tasktest.Sent(2)}, nil,
			json.RawMessage(tasktest.Body("a", "1")),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"started by hand with nonsense", nil, nil, json.RawMessage(`[]`),
			increment.Output{Rejected: 1}, []string{tasktest.Execution + " NOT_AN_OBJECT"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			for collection, row := range test.rows {
				fx.Put(collection, row)
			}
			if len(test.earlier) > 0 {
				fx.Count(test.earlier...)
			}
			if test.want.Collections == nil {
				test.want.Collections = keys()
			}
			got, err := fx.handle(t, test.event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.rejected, fx.rejected.rejected); diff != "" {
				t.Error("rejected:", diff)
			}
			for collection, want := range test.after {
				if got := fx.Row(collection); got != want {
					t.Errorf("row of %s: %q, want %q", collection, got, want)
				}
			}
		})
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[int64]string{
		1: `{"collections":[{"correlation_id":"run-1","collection_name":"db.a.b"}],"counted":1,"repeated":0,"duplicates":0,` +
			`"rejected":1,"left_to_the_sweep":0}`,
		2: `{"collections":[],"counted":1,"repeated":0,"duplicates":0,"rejected":1,"left_to_the_sweep":0}`,
	} {
		t.Run(fmt.Sprint(sent, " sent"), func(t *testing.T) {
			t.Parallel()
			var in increment.Input
			if err := json.Unmarshal(text, &in); err != nil {
				t.Fatal(err)
			}
			fx := newFixture(t)
			fx.Put("db.a.b", tasktest.Sent(sent))
			out, err := fx.task.Handle(t.Context(), in)
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
				fx.rejected.raw); diff != "" {
				t.Error("rejected:", diff)
			}
		})
	}
}

// A request to reconcile counts nothing and returns each collection once.
func TestHandleRequestsToReconcile(t *testing.T) {
	t.Parallel()
	record := func(collection string) string {
		return fmt.Sprintf(`{"eventName":"MODIFY","eventSource":"aws:dynamodb",`+
			`"dynamodb":{"Keys":{"CorrelationId":{"S":%q},"CollectionName":{"S":%q}}}}`, tasktest.Run, collection)
	}
	for name, event := range map[string]json.RawMessage{
		"by the stream": tasktest.Batch(record("b"), record("a"), record("b")),
		"by a sweep": json.RawMessage(
			`{"reconcile":[{"correlation_id":"run-1","collection_name":"b"},{"correlation_id":"run-1",` +
				`"collection_name":"a"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t)
			fx.Put("a", tasktest.Sent(1))
			fx.DB.Before = func(call tabletest.Call) error { t.Errorf("it calls %s", call.Operation); return nil }
			got, err := fx.handle(t, event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(increment.Output{Collections: keys("b", "a")}, got); diff != "" ||
				len(fx.rejected.rejected) > 0 {
				t.Errorf("rejected %q\n%s", fx.rejected.rejected, diff)
			}
		})
	}
}

// A malformed request fails and names the error; no part of it is rejected as a message.
func TestHandleMalformedRequests(t *testing.T) {
	t.Parallel()
	fx := newFixture(t)
	for event, says := range map[string]string{
		`{"reconcile":[{"correlation_id":"r"}]}`: "collection_name is missing",
		`{"reconcile":[null]}`:                   "element 0",
		`{"reconcile":[]}`:                       "at least one",
		`[{"eventSource":"aws:dynamodb"}]`:       "record 0",
	} {
		got, err := fx.handle(t, json.RawMessage(event))
		var malformed *failure.Malformed
		if !errors.As(err, &malformed) || !strings.Contains(err.Error(), says) || len(got.Collections)+
			len(fx.rejected.rejected) > 0 {
			t.Errorf("%s: got %+v, %v, rejected %q", event, got, err, fx.rejected.rejected)
		}
	}
}
