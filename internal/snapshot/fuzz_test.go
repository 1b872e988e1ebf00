package snapshot_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/internal/snapshot"
)

// The corpus is in testdata/fuzz. To look for more:
//
//	go test ./internal/snapshot -fuzz FuzzUnwrap -fuzztime 1m
func FuzzUnwrap(f *testing.F) {
	for _, text := range []string{body(), envelope(example(f, "s3-record")), example(f, "eventbridge-s3"),
		"\ufeff" + body(), quoted(quoted(body()))} {
		f.Add([]byte(text))
		f.Add([]byte(piped("m1", text)))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(bytes.TrimSpace(input)) == 0 {
			return // the input of an execution is JSON
		}
		holdsForAnyInput(t, input)
	})
}

type failer interface {
	Helper()
	Errorf(string, ...any)
}

// holdsForAnyInput asserts what the tasks rely on for any input.
func holdsForAnyInput(t failer, input []byte) {
	t.Helper()
	untouched := bytes.Clone(input)
	receipts := snapshot.Unwrap(input, execution)
	if len(receipts) == 0 {
		t.Errorf("%q vanished", input)
	}
	texts := textsIn(input)
	for _, r := range receipts {
		if r.Identity == "" || len(r.Identity) > snapshot.MaxIdentity {
			t.Errorf("an identity of %d bytes: %+v", len(r.Identity), r)
		}
		if r.Raw == "" || !strings.Contains(texts, r.Raw) {
			t.Errorf("its raw text %q is not from the input", r.Raw)
		}
		switch {
		case r.Rejection == nil:
			holdsForAnyMessage(t, r.Message)
		case r.Message != snapshot.Message{}:
			t.Errorf("both a message and a rejection: %+v", r)
		case r.Rejection.Reason == "" || r.Rejection.Detail == "":
			t.Errorf("rejected without saying why: %+v", r.Rejection)
		}
	}
	if !bytes.Equal(input, untouched) {
		t.Errorf("the input was changed to %q", input)
	}
	again := snapshot.Unwrap([]byte(" "+string(input)+"\n"), execution)
	if diff := cmp.Diff(receipts, again, cmpopts.IgnoreFields(snapshot.Receipt{}, "Raw")); diff != "" {
		t.Errorf("unwrapped again, in white space, it is something else: %s", diff)
	}
	groups, duplicates, rejected := snapshot.GroupByCollection(receipts)
	total := len(duplicates) + len(rejected)
	for _, g := range groups {
		total += len(g.Receipts)
	}
	if total != len(receipts) {
		t.Errorf("%d of %d receipts are left after grouping", total, len(receipts))
	}
}

func holdsForAnyMessage(t failer, m snapshot.Message) {
	t.Helper()
	for _, field := range []struct {
		value string
		limit int
	}{
		{m.CorrelationID, snapshot.MaxCorrelationID}, {m.CollectionName, snapshot.MaxCollectionName},
		{m.SnapshotType, 1024}, {m.ExportDate, 1024}, {snapshot.StoredFilename(m.Filename), 1024},
	} {
		if field.value == "" || len(field.value) > field.limit {
			t.Errorf("a value of %d bytes in %+v", len(field.value), m)
		}
	}
}

// textsIn is the input and every string in it, also in strings that are JSON.
func textsIn(input []byte) string {
	texts := string(input)
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	var value any
	if !json.Valid(input) || decoder.Decode(&value) != nil {
		return texts
	}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case string:
			texts += "\x00" + textsIn([]byte(v))
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for _, field := range v {
				walk(field)
			}
		}
	}
	walk(value)
	return texts
}
