package snapshot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// batch is the array of Pipes for messages of the form "identity collection/file", or "identity !" for a bad one.
func batch(messages ...string) []snapshot.Receipt {
	if len(messages) == 0 {
		return nil
	}
	var records []string
	for _, message := range messages {
		identity, about, _ := strings.Cut(message, " ")
		text := "bad"
		if collection, file, ok := strings.Cut(about, "/"); ok {
			text = body("collection_name", quoted(collection), "filename", quoted(file))
		}
		records = append(records, fmt.Sprintf(`{"messageId":%q,"body":%s}`, identity, quoted(text)))
	}
	return snapshot.Unwrap([]byte("["+strings.Join(records, ",")+"]"), execution)
}

func TestGroupByCollection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		messages   []string
		groups     []string // "collection: identities"
		duplicates []string
		rejected   []string // "identity reason"
	}{
		{name: "nothing"},
		{name: "one", messages: []string{"m1 a/1"}, groups: []string{"a: m1"}},
		{name: "each in the order of its first message", messages: []string{"m1 b/1", "m2 a/1", "m3 b/2"},
			groups: []string{"b: m1 m3", "a: m2"}},
		{name: "the same message again", messages: []string{"m1 a/1", "m2 a/2", "m1 a/1", "m1 a/1"},
			groups: []string{"a: m1 m2"}, duplicates: []string{"m1", "m1"}},
		{name: "the same body in another message", messages: []string{"m1 a/1", "m2 a/1"},
			groups: []string{"a: m1 m2"}},
		{name: "the same identity with another content is another message", messages: []string{"m1 a/1", "m1 a/2",
			"m1 a/1"}, groups: []string{"a: m1 m1"}, duplicates: []string{"m1"}},
		{name: "the same identity in another collection", messages: []string{"m1 a/1", "m1 b/1"},
			groups: []string{"a: m1", "b: m1"}},
		{name: "bad ones among them", messages: []string{"m1 !", "m2 a/1", "m3 !"}, groups: []string{"a: m2"},
			rejected: []string{"m1 NOT_JSON", "m3 NOT_JSON"}},
		{name: "a bad one leaves its identity to a good one", messages: []string{"m1 !", "m1 a/1"},
			groups: []string{"a: m1"}, rejected: []string{"m1 NOT_JSON"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			groups, duplicates, rejected := snapshot.GroupByCollection(batch(test.messages...))
			var gotGroups, gotDuplicates, gotRejected []string
			for _, g := range groups {
				line := g.CollectionName + ":"
				for _, r := range g.Receipts {
					line += " " + r.Identity
				}
				gotGroups = append(gotGroups, line)
			}
			for _, r := range duplicates {
				gotDuplicates = append(gotDuplicates, r.Identity)
			}
			for _, r := range rejected {
				gotRejected = append(gotRejected, r.Identity+" "+string(r.Rejection.Reason))
			}
			if diff := cmp.Diff([][]string{test.groups, test.duplicates, test.rejected},
				[][]string{gotGroups, gotDuplicates, gotRejected}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGroupByCollectionSeparatesRuns(t *testing.T) {
	t.Parallel()
	receipts := snapshot.Unwrap([]byte(`{"Records":[{"body":`+body("correlation_id", `"x"`)+`},{"body":`+
		body("correlation_id", `"y"`)+`}]}`), execution)
	groups, _, _ := snapshot.GroupByCollection(receipts)
	if len(groups) != 2 || groups[0].CorrelationID != "x" || groups[1].CorrelationID != "y" {
		t.Errorf("got %+v", groups)
	}
}

// Any number of messages is one group; package store splits it by the size of an update.
func TestGroupByCollectionKeepsACollectionTogether(t *testing.T) {
	t.Parallel()
	var messages, order, seen []string
	for i := range 250 {
		identity := fmt.Sprintf("m%d", i)
		messages = append(messages, identity+" a/1")
		order = append(order, identity)
	}
	groups, _, _ := snapshot.GroupByCollection(batch(messages...))
	if len(groups) != 1 {
		t.Fatalf("%d groups", len(groups))
	}
	for _, r := range groups[0].Receipts {
		seen = append(seen, r.Identity)
	}
	if diff := cmp.Diff(order, seen); diff != "" {
		t.Error(diff)
	}
}

func TestRejectionsByTheTables(t *testing.T) {
	t.Parallel()
	receipt := batch("m1 a/1")[0]
	rejected := receipt.Rejected(snapshot.UnknownCollection())
	rejectedFor(t, rejected.Rejection, snapshot.ReasonUnknownCollection, "no row")
	if receipt.Rejection != nil {
		t.Error("the receipt itself was changed")
	}
	if rejected.Raw != receipt.Raw || rejected.Identity != receipt.Identity {
		t.Errorf("got %+v", rejected)
	}
	rejectedFor(t, snapshot.NotCounted(errors.New("FilesSent is a string")), snapshot.ReasonNotCounted,
		"FilesSent is a string")
}

// A message is its identity and its values: redelivered it is a duplicate, in any spelling. The same identity with
// other values is another message, and so are the same values under another identity.
func TestDigest(t *testing.T) {
	t.Parallel()
	full := func(changes ...string) string {
		return body(append([]string{"filename", `"a b"`, "shutdown_flag", `"true"`, "reprocess_files", "true",
			"is_success_file", `"false"`}, changes...)...)
	}
	for _, test := range []struct {
		name, identity, body string
		same                 bool
	}{
		{"the same text", "m1", full(), true},
		{"other white space", "m1", strings.ReplaceAll(full(), ",", " ,\n\t"), true},
		{"escapes", "m1", full("filename", `"\u0061 b"`), true},
		{"the file's other name", "m1", full("filename", "", "file_name", `"a b"`), true},
		{"flags spelled otherwise", "m1", full("shutdown_flag", "true", "reprocess_files", `"TRUE"`, "is_success_file",
			"false"), true},
		{"flags left out", "m1", full("shutdown_flag", "", "reprocess_files", "", "is_success_file", ""), true},
		{"another unknown field", "m1", full("extra", "1"), true},

		{"another identity", "m2", full(), false},
		{"another run", "m1", full("correlation_id", `"run-2"`), false},
		{"another collection", "m1", full("collection_name", `"db.a.c"`), false},
		{"another snapshot type", "m1", full("snapshot_type", `"incremental"`), false},
		{"another export date", "m1", full("export_date", `"2020-01-02"`), false},
		{"another file", "m1", full("filename", `"a c"`), false},
		{"white space inside a value", "m1", full("filename", `"a  b"`), false},
		{"no file", "m1", full("filename", ""), false},
		{"the shutdown flag", "m1", full("shutdown_flag", "false"), false},
		{"the reprocess flag", "m1", full("reprocess_files", "false"), false},
		{"the success file", "m1", full("is_success_file", "true"), false},
		{"what is at the border of two fields", "m1", full("correlation_id", `"run-1d"`, "collection_name", `"b.a.b"`),
			false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want, got := digest(t, "m1", full()), digest(t, test.identity, test.body)
			if same := got == want; same != test.same || len(got) != 12 {
				t.Errorf("same digest: %v, of %d bytes", same, len(got))
			}
		})
	}
}

func digest(t *testing.T, identity, body string) string {
	t.Helper()
	receipts := snapshot.Unwrap([]byte(fmt.Sprintf(`[{"messageId":%q,"body":%s}]`, identity, quoted(body))), execution)
	groups, _, rejected := snapshot.GroupByCollection(receipts)
	if len(groups) != 1 || len(rejected) > 0 {
		t.Fatal(receipts[0].Rejection)
	}
	return groups[0].Receipts[0].Digest
}
