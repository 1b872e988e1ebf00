package snapshot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

var (
	required = []string{"correlation_id", "collection_name", "snapshot_type", "export_date"}
	optional = []string{"shutdown_flag", "reprocess_files", "is_success_file", "filename", "file_name", "Records"}
	// spellings of an unset optional field; "" omits it
	spellings = []string{"", `null`, `""`, `" "`, `"\t\r\n "`, `"\u0020"`, `"\u00a0"`, `"null"`, `"\u006eull"`}
)

// wrapped wraps a message in each input format.
func wrapped(message string) map[string]string {
	return map[string]string{
		"by hand":                message,
		"delivered":              `[{"messageId":"m1","body":` + quoted(message) + `}]`,
		"delivered as an object": `[{"messageId":"m1","body":` + message + `}]`,
		"record":                 `{"Records":[{"body":` + message + `}]}`,
		"escaped record":         `{"Records":[{"body":` + quoted(message) + `}]}`,
		"delivered record": `[{"messageId":"m1","body":` + quoted(`{"Records":[{"body":`+quoted(message)+`}]}`) +
			`}]`,
	}
}

// An unset optional field counts as absent, in every input format.
func TestUnsetFieldsTakeTheirDefaults(t *testing.T) {
	t.Parallel()
	for _, name := range snapshot.Decisive {
		if slices.Contains(required, name) == slices.Contains(optional, name) {
			t.Errorf("%s is not tried here, or both required and optional", name)
		}
	}
	for _, name := range optional {
		for _, spelling := range spellings {
			for way, input := range wrapped(body(name, spelling)) {
				countsAs(t, fmt.Sprintf("%s=%s, %s", name, spelling, way), input, said())
			}
		}
	}
	all := body("shutdown_flag", "null", "reprocess_files", `""`, "is_success_file", `" "`, "filename", `"null"`,
		"file_name", "null")
	for way, input := range wrapped(all) {
		countsAs(t, "all of them, "+way, input, said())
	}
}

// After an unset name, the other field is used.
func TestUnsetFilenames(t *testing.T) {
	t.Parallel()
	want := said()
	want.Filename = "b"
	for _, spelling := range spellings {
		countsAs(t, "filename="+spelling, body("filename", spelling, "file_name", `"b"`), want)
		countsAs(t, "file_name="+spelling, body("filename", `"b"`, "file_name", spelling), want)
	}
}

// Attributes of SQS may be unset too.
func TestUnsetAttributes(t *testing.T) {
	t.Parallel()
	for _, spelling := range append(spellings[1:], `{}`, `{"SentTimestamp":null}`, `{"SentTimestamp":""}`,
		`{"SentTimestamp":" "}`) {
		input := `[{"messageId":"m1","attributes":` + spelling + `,"body":` + quoted(body()) + `}]`
		countsAs(t, "attributes="+spelling, input, said())
		if got := snapshot.Unwrap([]byte(input), execution)[0]; got.SentAt != (time.Time{}) || got.Identity != "m1" {
			t.Errorf("attributes=%s: %+v", spelling, got)
		}
	}
}

// A value with surrounding white space is not unset, and a value of another type is invalid.
func TestSetFieldsAreNotUnset(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`" true"`, `"NULL"`, `"None"`, `"undefined"`, `"''"`, `0`, `[]`, `{}`} {
		for _, flag := range []string{"shutdown_flag", "reprocess_files", "is_success_file"} {
			_, rejection := snapshot.ParseMessage([]byte(body(flag, value)))
			rejectedFor(t, rejection, snapshot.ReasonFlagInvalid, flag)
		}
	}
}

func countsAs(t *testing.T, what, input string, want snapshot.Message) {
	t.Helper()
	receipts := snapshot.Unwrap([]byte(input), execution)
	if len(receipts) != 1 || receipts[0].Rejection != nil {
		t.Errorf("%s: %+v", what, receipts)
		return
	}
	if diff := cmp.Diff(want, receipts[0].Message); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}
