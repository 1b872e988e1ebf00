package snapshot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// batch is the receipts of messages of the form "identity collection/file", or "identity !" for a bad one.
func batch(messages ...string) []snapshot.Receipt {
	var receipts []snapshot.Receipt
	for _, message := range messages {
		identity, about, _ := strings.Cut(message, " ")
		text := "bad"
		if collection, file, ok := strings.Cut(about, "/"); ok {
			text = body("collection_name", quoted(collection), "filename", quoted(file))
		}
		receipts = append(receipts, snapshot.Unwrap([]byte(piped(identity, text)), execution)...)
	}
	return receipts
}

func identities(receipts []snapshot.Receipt) (all []string) {
	for _, r := range receipts {
		all = append(all, r.Identity)
	}
	return all
}

func TestGroupByCollection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		messages   []string
		groups     []string // "collection: identities"
		duplicates []string
		rejected   []string
	}{
		{name: "nothing"},
		{name: "in the order of the first messages", messages: []string{"m1 b/1", "m2 a/1", "m3 b/2", "m3 c/2"},
			groups: []string{"b: m1 m3", "a: m2", "c: m3"}},
		{name: "the same message again", messages: []string{"m1 a/1", "m2 a/2", "m1 a/1", "m1 a/1"},
			groups: []string{"a: m1 m2"}, duplicates: []string{"m1", "m1"}},
		{name: "the same identity with another content is another message", messages: []string{"m1 a/1", "m1 a/2",
			"m1 a/1"}, groups: []string{"a: m1 m1"}, duplicates: []string{"m1"}},
		{name: "a bad one leaves its identity to a good one", messages: []string{"m1 !", "m1 a/1", "m2 !"},
			groups: []string{"a: m1"}, rejected: []string{"m1", "m2"}},
	} {
		groups, duplicates, rejected := snapshot.GroupByCollection(batch(test.messages...))
		var got []string
		for _, g := range groups {
			got = append(got, g.CollectionName+": "+strings.Join(identities(g.Receipts), " "))
		}
		if diff := cmp.Diff([][]string{test.groups, test.duplicates, test.rejected},
			[][]string{got, identities(duplicates), identities(rejected)}); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestGroupByCollectionSeparatesRuns(t *testing.T) {
	t.Parallel()
	groups, _, _ := snapshot.GroupByCollection(snapshot.Unwrap([]byte(envelope(
		record("", body("correlation_id", `"x"`)), record("", body("correlation_id", `"y"`)))), execution))
	if len(groups) != 2 || groups[0].CorrelationID != "x" || groups[1].CorrelationID != "y" {
		t.Errorf("got %+v", groups)
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
	digest := func(identity, text string) string {
		groups, _, _ := snapshot.GroupByCollection([]snapshot.Receipt{one(t, piped(identity, text))})
		return groups[0].Receipts[0].Digest
	}
	first := digest("m1", full())
	for _, same := range []string{
		strings.ReplaceAll(full(), ",", " ,\n\t"), full("filename", `"\u0061 b"`), full("extra", "1"),
		full("filename", "", "file_name", `"a b"`),
		full("shutdown_flag", "true", "reprocess_files", `"TRUE"`, "is_success_file", "false"),
		full("shutdown_flag", "", "reprocess_files", "", "is_success_file", ""),
	} {
		if got := digest("m1", same); got != first {
			t.Errorf("another digest: %s", same)
		}
	}
	seen := map[string]string{first: "the message"}
	for what, got := range map[string]string{
		"another identity":           digest("m2", full()),
		"another run":                digest("m1", full("correlation_id", `"run-2"`)),
		"another collection":         digest("m1", full("collection_name", `"db.a.c"`)),
		"another snapshot type":      digest("m1", full("snapshot_type", `"incremental"`)),
		"another export date":        digest("m1", full("export_date", `"2020-01-02"`)),
		"another file":               digest("m1", full("filename", `"a c"`)),
		"white space inside a value": digest("m1", full("filename", `"a  b"`)),
		"no file":                    digest("m1", full("filename", "")),
		"the shutdown flag":          digest("m1", full("shutdown_flag", "false")),
		"the reprocess flag":         digest("m1", full("reprocess_files", "false")),
		"the success file":           digest("m1", full("is_success_file", "true")),
		"the border of two fields":   digest("m1", full("correlation_id", `"run-1d"`, "collection_name", `"b.a.b"`)),
	} {
		if other, known := seen[got]; known || len(got) != 12 {
			t.Errorf("%s has the digest of %s, of %d bytes", what, other, len(got))
		}
		seen[got] = what
	}
}
