package snapshot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

const execution = "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1"

// body is a valid message with some fields replaced: pairs of name and JSON text, "" to omit the field.
func body(changes ...string) string {
	names := []string{"correlation_id", "collection_name", "snapshot_type", "export_date"}
	values := map[string]string{"correlation_id": `"run-1"`, "collection_name": `"db.a.b"`, "snapshot_type": `"full"`,
		"export_date": `"2020-01-01"`}
	for i := 0; i < len(changes); i += 2 {
		if _, known := values[changes[i]]; !known {
			names = append(names, changes[i])
		}
		values[changes[i]] = changes[i+1]
	}
	var fields []string
	for _, name := range names {
		if values[name] != "" {
			fields = append(fields, fmt.Sprintf("%q:%s", name, values[name]))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// said is the Message of body().
func said() snapshot.Message {
	return snapshot.Message{
		CollectionKey: snapshot.CollectionKey{CorrelationID: "run-1", CollectionName: "db.a.b"},
		Export: snapshot.Export{SnapshotType: "full", ExportDate: "2020-01-01", ShutdownFlag: true,
			ReprocessFiles: true},
		Filename: snapshot.FilenameNotSet,
	}
}

// quoted is the text as a JSON string.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSpace(b.String())
}

// record is a record with this body, in JSON, and its own identity unless that is "".
func record(identity, body string) string {
	if identity == "" {
		return `{"body":` + body + `}`
	}
	return `{"messageId":` + quoted(identity) + `,"body":` + body + `}`
}

// piped is the array that Pipes delivers for one message.
func piped(identity, text string) string { return "[" + record(identity, quoted(text)) + "]" }

func envelope(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }

// enveloped wraps a message in this number of nested envelopes.
func enveloped(message string, times int) string {
	for range times {
		message = envelope(record("", message))
	}
	return message
}

// one unwraps an input that is one message.
func one(t *testing.T, input string) snapshot.Receipt {
	t.Helper()
	receipts := snapshot.Unwrap([]byte(input), execution)
	if len(receipts) != 1 {
		t.Fatalf("%.200s: %d receipts", input, len(receipts))
	}
	return receipts[0]
}

func countsAs(t *testing.T, input string, want snapshot.Message) {
	t.Helper()
	if got := one(t, input); got.Rejection != nil || got.Message != want {
		t.Errorf("%s:\ngot  %+v %v\nwant %+v", input, got.Message, got.Rejection, want)
	}
}

func rejects(t *testing.T, input string, reason snapshot.Reason, says string) {
	t.Helper()
	got := one(t, input)
	rejectedFor(t, got.Rejection, reason, says)
	if got.Message != (snapshot.Message{}) {
		t.Errorf("%.200s: rejected with the content %+v", input, got.Message)
	}
}

// rejectsAs wants the input rejected under the identity with its raw text, so that it can be replayed.
func rejectsAs(t *testing.T, input string, reason snapshot.Reason, says, identity, raw string) {
	t.Helper()
	rejects(t, input, reason, says)
	if got := one(t, input); got.Identity != identity || got.Raw != raw {
		t.Errorf("%.200s: rejected as %s: %s", input, got.Identity, got.Raw)
	}
}

func rejectedFor(t *testing.T, got *snapshot.Rejection, reason snapshot.Reason, says string) {
	t.Helper()
	switch {
	case got == nil:
		t.Fatalf("not rejected, want %s: %s", reason, says)
	case got.Reason != reason || !strings.Contains(got.Detail, says):
		t.Errorf("got %v, want %s and that it says %q", got, reason, says)
	}
}
