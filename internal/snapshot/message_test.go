package snapshot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// body is a valid message with some fields replaced: pairs of name and JSON text, "" to omit the field.
func body(changes ...string) string {
	names := []string{"correlation_id", "collection_name", "snapshot_type", "export_date"}
	values := map[string]string{
		"correlation_id": `"run-1"`, "collection_name": `"db.a.b"`, "snapshot_type": `"full"`,
		"export_date": `"2020-01-01"`,
	}
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

func event(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestParseMessage(t *testing.T) {
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
		{"filename", body("filename", `"a"`), func(m *snapshot.Message) { m.Filename = "a" }},
		{"file_name", body("file_name", `"b"`), func(m *snapshot.Message) { m.Filename = "b" }},
		{"filename goes before file_name", body("file_name", `"b"`, "filename", `"a"`),
			func(m *snapshot.Message) { m.Filename = "a" }},
		{"an empty filename is none", body("filename", `""`, "file_name", `"b"`),
			func(m *snapshot.Message) { m.Filename = "b" }},
		{"an invalid file name is ignored", body("filename", `[1]`, "file_name", `null`),
			func(*snapshot.Message) {}},
		{"a long filename", body("filename", `"x`+strings.Repeat("é", 600)+`"`),
			func(m *snapshot.Message) { m.Filename = "x" + strings.Repeat("é", 600) }},
		{"white space around", " \n" + body() + "\t", func(*snapshot.Message) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := said()
			test.want(&want)
			got, rejection := snapshot.ParseMessage([]byte(test.body))
			if rejection != nil {
				t.Fatal(rejection)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseMessageOfTheDocument(t *testing.T) {
	t.Parallel()
	want := snapshot.Message{
		CollectionKey: snapshot.CollectionKey{CorrelationID: "correlation_id_1",
			CollectionName: "db.database.collection"},
		Export: snapshot.Export{SnapshotType: "incremental", ExportDate: "2020-01-01", ShutdownFlag: true,
			ReprocessFiles: true},
		IsSuccessFile: true,
		Filename:      "folder/db.database.collection.gz.enc",
	}
	got, rejection := snapshot.ParseMessage(event(t, "plain.json"))
	if rejection != nil {
		t.Fatal(rejection)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseMessageFlags(t *testing.T) {
	t.Parallel()
	type flag struct {
		name    string
		missing bool // its value if the message lacks it
		of      func(snapshot.Message) bool
	}
	for _, flag := range []flag{
		{"shutdown_flag", true, func(m snapshot.Message) bool { return m.ShutdownFlag }},
		{"reprocess_files", true, func(m snapshot.Message) bool { return m.ReprocessFiles }},
		{"is_success_file", false, func(m snapshot.Message) bool { return m.IsSuccessFile }},
	} {
		for _, test := range []struct {
			value   string
			want    bool
			invalid bool
		}{
			{value: "", want: flag.missing},
			{value: `"true"`, want: true}, {value: `"True"`, want: true}, {value: `"TRUE"`, want: true},
			{value: `true`, want: true},
			{value: `"false"`}, {value: `"False"`}, {value: `"FALSE"`}, {value: `"fAlSe"`}, {value: `false`},
			{value: `"\u0074rue"`, want: true},
			{value: `"yes"`, invalid: true}, {value: `" true"`, invalid: true}, {value: `"None"`, invalid: true},
			{value: `1`, invalid: true}, {value: `0`, invalid: true}, {value: `[true]`, invalid: true},
			{value: `{}`, invalid: true},
		} {
			t.Run(flag.name+"="+test.value, func(t *testing.T) {
				t.Parallel()
				got, rejection := snapshot.ParseMessage([]byte(body(flag.name, test.value)))
				if test.invalid {
					rejectedFor(t, rejection, snapshot.ReasonFlagInvalid, flag.name)
					return
				}
				if rejection != nil {
					t.Fatal(rejection)
				}
				if flag.of(got) != test.want {
					t.Errorf("got %v", flag.of(got))
				}
			})
		}
	}
}

func TestParseMessageRejects(t *testing.T) {
	t.Parallel()
	type rejected struct {
		name   string
		body   string
		reason snapshot.Reason
		says   string
	}
	tests := []rejected{
		{"nothing", "", snapshot.ReasonNotJSON, "not valid JSON"},
		{"blank", " \n", snapshot.ReasonNotJSON, "not valid JSON"},
		{"prose", "hello", snapshot.ReasonNotJSON, "not valid JSON"},
		{"half an object", `{"correlation_id":`, snapshot.ReasonNotJSON, "not valid JSON"},
		{"two objects", body() + body(), snapshot.ReasonNotJSON, "not valid JSON"},
		{"a comment, as in the document's example", strings.TrimSuffix(body(), "}") + " # Defaults\n}",
			snapshot.ReasonNotJSON, "not valid JSON"},
		{"null", "null", snapshot.ReasonNotAnObject, "not an object"},
		{"an array", "[" + body() + "]", snapshot.ReasonNotAnObject, "not an object"},
		{"a string", `"x"`, snapshot.ReasonNotAnObject, "not an object"},
		{"a number", `1`, snapshot.ReasonNotAnObject, "not an object"},
		{"an empty object names the first field", `{}`, snapshot.ReasonFieldMissing, "correlation_id is missing"},
		{"another case is another field", body("correlation_id", "", "Correlation_ID", `"x"`),
			snapshot.ReasonFieldMissing, "correlation_id is missing"},
	}
	for _, field := range []string{"correlation_id", "collection_name", "snapshot_type", "export_date"} {
		tests = append(tests,
			rejected{field + " missing", body(field, ""), snapshot.ReasonFieldMissing, field + " is missing"},
			rejected{field + " null", body(field, "null"), snapshot.ReasonFieldMissing, field + " is null"},
			rejected{field + " empty", body(field, `""`), snapshot.ReasonFieldMissing, field + " is empty"},
			rejected{field + " a number", body(field, "1"), snapshot.ReasonFieldNotString, field + " is not a string"},
			rejected{field + " a boolean", body(field, "true"), snapshot.ReasonFieldNotString, field +
				" is not a string"},
			rejected{field + " an array", body(field, `["x"]`), snapshot.ReasonFieldNotString, field +
				" is not a string"},
			rejected{field + " an object", body(field, `{"S":"x"}`), snapshot.ReasonFieldNotString, field +
				" is not a string"},
		)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, rejection := snapshot.ParseMessage([]byte(test.body))
			rejectedFor(t, rejection, test.reason, test.says)
			if diff := cmp.Diff(snapshot.Message{}, got); diff != "" {
				t.Error("a rejected message has content:", diff)
			}
		})
	}
}

// DynamoDB counts bytes of UTF-8, not characters.
func TestParseMessageLengths(t *testing.T) {
	t.Parallel()
	for field, limit := range map[string]int{
		"correlation_id": 2048, "collection_name": 1024, "snapshot_type": 1024, "export_date": 1024,
	} {
		for _, test := range []struct {
			name  string
			value string
			fits  bool
		}{
			{"letters at the limit", strings.Repeat("x", limit), true},
			{"one letter over", strings.Repeat("x", limit+1), false},
			{"two-byte characters at the limit", strings.Repeat("é", limit/2), true},
			{"half as many characters as bytes are possible, and one", strings.Repeat("é", limit/2) + "x", false},
			{"four-byte characters at the limit", strings.Repeat("😀", limit/4), true},
			{"a four-byte character across the limit", "x" + strings.Repeat("😀", limit/4), false},
		} {
			t.Run(field+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				_, rejection := snapshot.ParseMessage([]byte(body(field, `"`+test.value+`"`)))
				if test.fits {
					if rejection != nil {
						t.Error(rejection)
					}
					return
				}
				rejectedFor(t, rejection, snapshot.ReasonFieldTooLong, field)
				rejectedFor(t, rejection, snapshot.ReasonFieldTooLong, fmt.Sprintf("%d bytes", len(test.value)))
			})
		}
	}
}

func rejectedFor(t *testing.T, got *snapshot.Rejection, reason snapshot.Reason, says string) {
	t.Helper()
	switch {
	case got == nil:
		t.Fatalf("not rejected, want %s", reason)
	case got.Reason != reason || !strings.Contains(got.Detail, says):
		t.Errorf("got %v, want %s and that it says %q", got, reason, says)
	}
}

// A field has the value that encoding/json reads.
func TestFieldsAreReadAsJSON(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"plain": `"db.a"`, "one letter": `"a"`, "an escape": `"a\"b"`, "a backslash at the end": `"a\\"`,
		"a code point":   `"\u00e9\n"`,
		"another script": `"Ελ😀"`, "no UTF-8": "\"a\xff\"", "half a code point": "\"\xc3\"",
		"a lone surrogate": `"\ud800"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want string
			if err := json.Unmarshal([]byte(raw), &want); err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(
				`{"correlation_id":VALUE,"collection_name":"c","snapshot_type":"full","export_date":"d"}`, "VALUE", raw,
				1)
			m, rejection := snapshot.ParseMessage([]byte(text))
			if rejection != nil || m.CorrelationID != want {
				t.Errorf("got %q %v, want %q", m.CorrelationID, rejection, want)
			}
		})
	}
}
