package increment_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/functions/increment"
	. "snapshot-status-checker/functions/internal/tasktest"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/table"
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
		messages json.RawMessage
		want     increment.Output
		kept     []string
		after    map[string]string // rows
	}{
		{"one file of many", rows{"a": Sent(3)}, nil, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 1/3"}},
		{"the last file: the collection may move", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "1"))}, Batch(Message("m2", Body("a", "2"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 2/2"}},
		{"the last file, in capitals", rows{"a": capitals}, nil, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "SENT 1/1"}},
		{"before it is sent, without a counter", rows{"a": counterless}, nil, Batch(Message("m1", Body("a", "1")), Message("m2", Body("a", "2"))),
			increment.Output{Counted: 2}, nil, map[string]string{"a": "Exporting 2/5"}},
		{"files of several collections", rows{"a": Sent(2), "b": Sent(1), "c": Sent(2)}, nil,
			Batch(Message("m1", Body("b", "1")), Message("m2", Body("a", "1")), Message("m3", Body("c", "1")), Message("m4", Body("a", "2"))),
			increment.Output{Counted: 4, Collections: keys("b", "a")}, nil, map[string]string{"a": "Sent 2/2", "b": "Sent 1/1", "c": "Sent 1/2"}},
		{"a message twice in one batch", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("a", "1")), Message("m1", Body("a", "1"))),
			increment.Output{Counted: 1, Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a message that was counted before", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "1"))}, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Duplicates: 1}, nil, map[string]string{"a": "Sent 1/2"}},
		{"a duplicate of the last file: looked at like the first", rows{"a": Sent(1)}, []string{Message("m1", Body("a", "1"))}, Batch(Message("m1", Body("a", "1"))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 1/1"}},
		{"the same file in another message counts", rows{"a": Sent(3)}, []string{Message("m1", Body("a", "1"))}, Batch(Message("m2", Body("a", "1"))),
			increment.Output{Counted: 1}, nil, map[string]string{"a": "Sent 2/3"}},
		{"an identity with another body", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "1"))}, Batch(Message("m1", Body("a", "other"))),
			increment.Output{Rejected: 1}, []string{"m1 IDENTITY_REUSED"}, map[string]string{"a": "Sent 1/2"}},
		{"an identity with another body in one batch", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("a", "1")), Message("m1", Body("a", "other"))),
			increment.Output{Counted: 1, Rejected: 1}, []string{"m1 IDENTITY_REUSED"}, map[string]string{"a": "Sent 1/2"}},
		{"a success file adds nothing and is looked at", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("a", "s", SuccessFile))),
			increment.Output{Counted: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"a success file again", rows{"a": Sent(2)}, []string{Message("m1", Body("a", "s", SuccessFile))}, Batch(Message("m1", Body("a", "s", SuccessFile))),
			increment.Output{Duplicates: 1, Collections: keys("a")}, nil, map[string]string{"a": "Sent 0/2"}},
		{"no row: none is made", rows{"a": Sent(2)}, nil, Batch(Message("m1", Body("b", "1")), Message("m2", Body("a", "1")), Message("m3", Body("b", "2"))),
			increment.Output{Counted: 1, Rejected: 2}, []string{"m1 UNKNOWN_COLLECTION", "m3 UNKNOWN_COLLECTION"}, map[string]string{"a": "Sent 1/2", "b": ""}},
		{"bad ones among good ones", rows{"a": Sent(3)}, nil, Batch(Message("m1", "x"), Message("m2", Body("a", "1")), Message("m3", `{"Records":[]}`), Message("m4", Body("a", "2", `"shutdown_flag":"yes"`))),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1 NOT_JSON", "m3 NO_RECORDS", "m4 FLAG_INVALID"}, map[string]string{"a": "Sent 1/3"}},
		{"an envelope with bad records", rows{"a": Sent(3)}, nil, Batch(Message("m1", `{"Records":[{"body":`+Body("a", "1")+`},{},{"body":`+Body("b", "1")+`},{"messageId":"own","body":"x"}]}`)),
			increment.Output{Counted: 1, Rejected: 3}, []string{"m1/1 NO_BODY", "own NOT_JSON", "m1/2 UNKNOWN_COLLECTION"}, map[string]string{"a": "Sent 1/3"}},
		{"more than fit into one transaction", rows{"a": Sent(250)}, nil, json.RawMessage(many(250)),
			increment.Output{Counted: 250, Collections: keys("a")}, nil, map[string]string{"a": "Sent 250/250"}},
		{"more than fit into one transaction, each of which lets it move", rows{"a": Sent(1)}, nil, json.RawMessage(many(100)),
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
			got, err := b.handle(t, test.messages)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.kept, b.kept.kept); diff != "" {
				t.Error("kept:", diff)
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
		1: `{"collections":[{"correlation_id":"run-1","collection_name":"db.a.b"}],"counted":1,"duplicates":0,"rejected":1}`,
		2: `{"collections":[],"counted":1,"duplicates":0,"rejected":1}`,
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
			if diff := cmp.Diff([]string{`{"correlation_id":"run-1","collection_name":"db.a.b"}`}, b.kept.raw); diff != "" {
				t.Error("kept:", diff)
			}
		})
	}
}

func TestRunIsRegisteredOnceAProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", Sent(9))
	b.Put("b", Sent(9))
	b.DB.Put(b.Tables.Status.At("run-2", "a"), Sent(9))
	other := strings.Replace(Body("a", "1"), Run, "run-2", 1)
	if _, err := b.handle(t, Batch(Message("m0", Body("unknown", "1")))); err != nil {
		t.Fatal(err)
	}
	if len(b.counter.registered) != 0 {
		t.Errorf("registered %q for a collection without a row", b.counter.registered)
	}
	for _, messages := range []json.RawMessage{
		Batch(Message("m1", Body("a", "1")), Message("m2", Body("b", "1"))),
		Batch(Message("m3", Body("a", "2")), Message("m4", other)),
		Batch(Message("m5", strings.Replace(other, `"1"`, `"2"`, 1))),
	} {
		if _, err := b.handle(t, messages); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{Run, "run-2"}, b.counter.registered); diff != "" {
		t.Error(diff)
	}
	another := increment.New(b.counter, b.kept, increment.OneByOne, b.Log)
	if _, err := another.Handle(t.Context(), increment.Input{Messages: Batch(Message("m6", Body("a", "3")))}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{Run, "run-2", Run}, b.counter.registered); diff != "" {
		t.Error("another process:", diff)
	}
	run, _, err := b.Debts().News(t.Context(), snapshot.Debt{Kind: snapshot.AllReceived, CollectionKey: Key("")}, "x")
	if err != nil || run.SnapshotType != "full" || run.ExportDate != "2020-01-01" {
		t.Errorf("registered as %+v, %v", run, err)
	}
}

// A process remembers a thousand runs, whoever makes them up, and then begins anew.
func TestAProcessRemembersAThousandRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	handle := func(n int) {
		t.Helper()
		id := fmt.Sprint("many-", n)
		b.DB.Put(b.Tables.Status.At(id, "a"), Sent(1))
		if _, err := b.handle(t, Batch(Message(id, strings.Replace(Body("a", "1"), Run, id, 1)))); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		handle(n)
	}
	handle(0)
	if got := len(b.counter.registered); got != 1000 {
		t.Errorf("%d registrations of a thousand runs", got)
	}
	handle(1000)
	handle(0)
	if got := len(b.counter.registered); got != 1002 {
		t.Errorf("%d registrations, want the first run's again: more than a thousand are remembered", got)
	}
}
