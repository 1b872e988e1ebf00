package snapshot_test

import (
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want func(*snapshot.Message)
	}{
		{"only the required fields: the rest have their defaults", body(), func(*snapshot.Message) {}},
		{"an export date that is no date", body("export_date", `"NIFI_HEARTBEAT"`),
			func(m *snapshot.Message) { m.ExportDate = "NIFI_HEARTBEAT" }},
		{"unknown fields are ignored", body("extra", `{"deep":[1,null]}`, "body", `"x"`), func(*snapshot.Message) {}},
		{"names count in their exact case", body("SHUTDOWN_FLAG", `"no"`, "Filename", `"x"`, "Correlation_Id", `7`),
			func(*snapshot.Message) {}},
		{"a required field may be blank, as keys may", body("collection_name", `" "`),
			func(m *snapshot.Message) { m.CollectionName = " " }},
		{"escapes are read", body("collection_name", `"db.\u00e9\n"`),
			func(m *snapshot.Message) { m.CollectionName = "db.é\n" }},
		{"filename goes before file_name", body("file_name", `"b"`, "filename", `"a"`),
			func(m *snapshot.Message) { m.Filename = "a" }},
		{"an invalid file name is ignored", body("filename", `[1]`, "file_name", `7`), func(*snapshot.Message) {}},
		{"a long filename", body("filename", `"x`+strings.Repeat("é", 600)+`"`),
			func(m *snapshot.Message) { m.Filename = "x" + strings.Repeat("é", 600) }},
	} {
		want := said()
		test.want(&want)
		if got := one(t, test.body); got.Rejection != nil || got.Message != want {
			t.Errorf("%s: got %+v %v, want %+v", test.name, got.Message, got.Rejection, want)
		}
	}
}

// A value with surrounding white space is not unset, and a value of another type is invalid.
func TestFlags(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(snapshot.Message) bool{
		"shutdown_flag":   func(m snapshot.Message) bool { return m.ShutdownFlag },
		"reprocess_files": func(m snapshot.Message) bool { return m.ReprocessFiles },
		"is_success_file": func(m snapshot.Message) bool { return m.IsSuccessFile },
	} {
		for value, want := range map[string]bool{`"true"`: true, `"TRUE"`: true, `true`: true, `"\u0074rue"`: true,
			`"false"`: false, `"fAlSe"`: false, `false`: false} {
			if got := one(t, body(name, value)); got.Rejection != nil || of(got.Message) != want {
				t.Errorf("%s=%s: %v, %v", name, value, of(got.Message), got.Rejection)
			}
		}
		for _, value := range []string{`"yes"`, `" true"`, `"NULL"`, `"None"`, `"undefined"`, `"''"`, `1`, `0`,
			`[true]`, `{}`} {
			rejects(t, body(name, value), snapshot.ReasonFlagInvalid, name)
		}
	}
}

func TestInvalidMessages(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]snapshot.Reason{
		" \n":                                 snapshot.ReasonNotJSON,
		`{"correlation_id":`:                  snapshot.ReasonNotJSON,
		body() + body():                       snapshot.ReasonNotJSON,
		`{"a":1 # as in the document` + "\n}": snapshot.ReasonNotJSON,
		"null":                                snapshot.ReasonNotAnObject,
		"[" + body() + "]":                    snapshot.ReasonNotAnObject,
		`"x"`:                                 snapshot.ReasonNotAnObject,
	} {
		says := map[snapshot.Reason]string{snapshot.ReasonNotJSON: "not valid JSON",
			snapshot.ReasonNotAnObject: "not an object"}[reason]
		rejectsAs(t, piped("m1", text), reason, says, "m1", text)
	}
	for _, field := range required {
		for value, says := range map[string]string{"": "missing", "null": "null", `""`: "empty"} {
			rejects(t, body(field, value), snapshot.ReasonFieldMissing, field+" is "+says)
		}
		for _, value := range []string{"1", `{"S":"x"}`} {
			rejects(t, body(field, value), snapshot.ReasonFieldNotString, field+" is not a string")
		}
	}
	rejects(t, body("correlation_id", "", "Correlation_ID", `"x"`), snapshot.ReasonFieldMissing,
		"correlation_id is missing")
	rejects(t, "{}", snapshot.ReasonFieldMissing, "correlation_id is missing")
}

// DynamoDB counts bytes of UTF-8, not characters.
func TestLengthsOfFields(t *testing.T) {
	t.Parallel()
	for field, limit := range map[string]int{
		"correlation_id": 2048, "collection_name": 1024, "snapshot_type": 1024, "export_date": 1024,
	} {
		for _, fits := range []string{strings.Repeat("x", limit), strings.Repeat("é", limit/2),
			strings.Repeat("😀", limit/4)} {
			if got := one(t, body(field, quoted(fits))); got.Rejection != nil {
				t.Errorf("%s: %v", field, got.Rejection)
			}
			rejects(t, body(field, quoted("x"+fits)), snapshot.ReasonFieldTooLong,
				fmt.Sprintf("%s has %d bytes", field, limit+1))
		}
	}
}

// A longer file name is stored up to a whole character.
func TestStoredFilename(t *testing.T) {
	t.Parallel()
	fits := strings.Repeat("é", snapshot.MaxFilename/2)
	for name, want := range map[string]string{"a": "a", fits: fits, fits + "x": fits,
		"x" + fits: "x" + fits[:len(fits)-len("é")]} {
		if got := snapshot.StoredFilename(name); got != want {
			t.Errorf("a name of %d bytes is stored with %d, want %d", len(name), len(got), len(want))
		}
	}
}

var (
	required = []string{"correlation_id", "collection_name", "snapshot_type", "export_date"}
	optional = []string{"shutdown_flag", "reprocess_files", "is_success_file", "filename", "file_name", "Records"}
	// spellings of an unset optional field; "" omits it
	spellings = []string{"", `null`, `""`, `" "`, `"\t\r\n "`, `"\u0020"`, `"\u00a0"`, `"null"`, `"\u006eull"`}
)

// wrapped are the ways in which a message may arrive.
func wrapped(message string) []string {
	return []string{message, piped("m1", message), "[" + record("m1", message) + "]", enveloped(message, 1),
		envelope(record("", quoted(message))), piped("m1", envelope(record("", quoted(message))))}
}

// An unset optional field counts as absent, in every input format.
func TestUnsetFieldsTakeTheirDefaults(t *testing.T) {
	t.Parallel()
	named := said()
	named.Filename = "b"
	countsAs(t, body("filename", `"NOT_SET"`, "file_name", `"b"`), named)
	for _, spelling := range spellings {
		var all []string
		for _, name := range optional {
			all = append(all, name, spelling)
			for _, input := range wrapped(body(name, spelling)) {
				countsAs(t, input, said())
			}
		}
		countsAs(t, body(all...), said())
		countsAs(t, body("filename", spelling, "file_name", `"b"`), named)
		countsAs(t, body("filename", `"b"`, "file_name", spelling), named)
	}
}
