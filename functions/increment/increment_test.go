package increment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	"snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/function/failure"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestHandle(t *testing.T) {
	t.Parallel()
	type texts = []string
	var many texts
	for i := range 250 {
		many = append(many, fmt.Sprintf("n%d a/%d", i, i))
	}
	records := `{"Records":[{"body":` + tasktest.Body("a/1") + `},{},{"body":` + tasktest.Body("b/1") +
		`},{"messageId":"own","body":"x"}]}`
	for _, test := range []struct {
		name     string
		rows     texts
		earlier  texts // messages that were counted before
		event    json.RawMessage
		want     increment.Output
		rejected texts
		after    texts // rows
	}{
		{"one file of many", texts{"a Sent 0/3"}, nil, batch("m1 a/1"), increment.Output{Counted: 1}, nil,
			texts{"a Sent 1/3"}},
		{"the last file: the collection may move", texts{"a Sent 0/2"}, texts{"m1 a/1"}, batch("m2 a/2"),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, texts{"a Sent 2/2"}},
		{"files of several collections", texts{"a Sent 0/2", "b Sent 0/1", "c Sent 0/2"}, nil,
			batch("m1 b/1", "m2 a/1", "m3 c/1", "m4 a/2"), increment.Output{Counted: 4, Collections: keys("b", "a")},
			nil,
			texts{"a Sent 2/2", "b Sent 1/1", "c Sent 1/2"}},
		{"a message twice in one batch", texts{"a Sent 0/2"}, nil, batch("m1 a/1", "m1 a/1"),
			increment.Output{Counted: 1, Duplicates: 1}, nil, texts{"a Sent 1/2"}},
		{"a message that was counted before", texts{"a Sent 0/2"}, texts{"m1 a/1"}, batch("m1 a/1"),
			increment.Output{Duplicates: 1}, nil, texts{"a Sent 1/2"}},
		{"a duplicate of the last file: reconciled like the first", texts{"a Sent 0/1"}, texts{"m1 a/1"},
			batch("m1 a/1"), increment.Output{Duplicates: 1, Collections: keys("a")}, nil, texts{"a Sent 1/1"}},
		{"the same file in another message, and another file in the same message, count", texts{"a Sent 0/9"},
			texts{"m1 a/1"}, batch("m2 a/1", "m1 a/2"), increment.Output{Counted: 2}, nil, texts{"a Sent 3/9"}},
		{"a success file adds nothing and is reconciled", texts{"a Sent 0/2"}, nil, batch("m1 a/_success"),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, texts{"a Sent 0/2"}},
		{"a success file again", texts{"a Sent 0/2"}, texts{"m1 a/_success"}, batch("m1 a/_success"),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, texts{"a Sent 0/2"}},
		{"no row: none is made", texts{"a Sent 0/2"}, nil, batch("m1 b/1", "m2 a/1", "m3 b/2"),
			increment.Output{Counted: 1, Rejected: 2}, texts{"m1 UNKNOWN_COLLECTION", "m3 UNKNOWN_COLLECTION"},
			texts{"a Sent 1/2", "b"}},
		{"bad ones among good ones", texts{"a Sent 0/3"}, nil, batch("m1 !", "m2 a/1",
			tasktest.Record("m3", tasktest.Body("a/2", `"shutdown_flag":"yes"`))),
			increment.Output{Counted: 1, Rejected: 2}, texts{"m1 NOT_JSON", "m3 FLAG_INVALID"}, texts{"a Sent 1/3"}},
		{"an envelope with bad records", texts{"a Sent 0/3"}, nil, batch(tasktest.Record("m1", records)),
			increment.Output{Counted: 1, Rejected: 3}, texts{"m1/1 NO_BODY", "own NOT_JSON", "m1/2 UNKNOWN_COLLECTION"},
			texts{"a Sent 1/3"}},
		{"more than fit into one update, each of which lets it move", texts{"a Sent 0/1"}, nil, batch(many...),
			increment.Output{Counted: 250, Collections: keys("a")}, nil, texts{"a Sent 250/1"}},
		{"started by hand with a plain message", texts{"a Sent 0/2"}, nil, json.RawMessage(tasktest.Body("a/1")),
			increment.Output{Counted: 1}, nil, texts{"a Sent 1/2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t, test.rows...)
			fx.Count(test.earlier...)
			fx.wants(test.event, test.want)
			fx.wantRejected(test.rejected...)
			fx.WantRows(test.after...)
		})
	}
}

// Input and output, exactly as the state machine passes them.
func TestHandleAsInvoked(t *testing.T) {
	t.Parallel()
	for row, collections := range map[string]string{"db.a.b Sent 0/2": ``,
		"db.a.b Sent 0/1": `{"correlation_id":"run-1","collection_name":"db.a.b"}`} {
		fx := newFixture(t, row)
		var raw string
		fx.rejected.before = func(r snapshot.Receipt) error { raw = r.Raw; return nil }
		want := `{"collections":[` + collections + `],"counted":1,"repeated":0,"duplicates":0,"rejected":1,` +
			`"left_to_the_sweep":0}`
		if diff := cmp.Diff(want, tasktest.Invoke(t, fx.task.Handle)); diff != "" {
			t.Error(diff)
		}
		if raw != `{"correlation_id":"run-1","collection_name":"db.a.b"}` {
			t.Errorf("rejected the text %s", raw)
		}
	}
}

// A request to reconcile counts nothing, calls no table, and returns each collection once. A malformed one fails and
// names the error; no part of it is rejected as a message.
func TestHandleRequestsToReconcile(t *testing.T) {
	t.Parallel()
	record := func(collection string) string {
		return fmt.Sprintf(`{"eventName":"MODIFY","eventSource":"aws:dynamodb",`+
			`"dynamodb":{"Keys":{"CorrelationId":{"S":%q},"CollectionName":{"S":%q}}}}`, tasktest.Run, collection)
	}
	fx := newFixture(t)
	fx.DB.Before = func(call tabletest.Call) error { t.Errorf("it calls %s", call.Operation); return nil }
	for _, event := range []json.RawMessage{batch(record("b"), record("a"), record("b")), json.RawMessage(
		`{"reconcile":[{"correlation_id":"run-1","collection_name":"b"},{"correlation_id":"run-1",` +
			`"collection_name":"a"}]}`)} {
		fx.wants(event, increment.Output{Collections: keys("b", "a")})
		fx.wantRejected()
	}
	var malformed *failure.Malformed
	_, err := handle(t.Context(), fx.task, json.RawMessage(`{"reconcile":[{"correlation_id":"r"}]}`))
	if !errors.As(err, &malformed) || !strings.Contains(err.Error(), "collection_name is missing") {
		t.Errorf("got %v, want it malformed", err)
	}
	fx.wantRejected()
}
