package snapshot_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// twice adds a field with an existing name to an object: before the others and after them, and with an escaped name.
func twice(object, name, value string) []string {
	var objects []string
	for _, spelled := range []string{name, fmt.Sprintf(`\u%04x`, name[0]) + name[1:]} {
		field := `"` + spelled + `" : ` + value
		objects = append(objects, "{"+field+","+object[1:], strings.TrimSuffix(object, "}")+", "+field+"}")
	}
	return objects
}

// A message with a repeated key is rejected, for all values and spellings of the name.
func TestRepeatedKeysOfAMessage(t *testing.T) {
	t.Parallel()
	full := body("shutdown_flag", `"true"`, "reprocess_files", `"true"`, "is_success_file", `"true"`)
	for _, name := range snapshot.Decisive {
		for _, value := range []string{`"run-1"`, `"other"`, `null`, `""`, `7`, `false`, `{"a":[]}`} {
			for _, message := range twice(full, name, value) {
				says := "key " + name + " occurs 2 times"
				rejectsAs(t, message, snapshot.ReasonRepeatedKey, says, execution, message)
				rejectsAs(t, piped("m1", message), snapshot.ReasonRepeatedKey, says, "m1", message)
				own := record("own", message)
				rejectsAs(t, envelope(own), snapshot.ReasonRepeatedKey, says, "own", own)
			}
		}
	}
}

func TestRepeatedKeysOfAnEnvelope(t *testing.T) {
	t.Parallel()
	first := enveloped(body(), 1)
	for _, other := range []string{"[" + record("", body("collection_name", `"b"`)) + "]", `[]`, `null`, `""`, `7`} {
		for _, envelope := range twice(first, "Records", other) {
			rejectsAs(t, envelope, snapshot.ReasonRepeatedKey, "key Records ", execution, envelope)
			rejectsAs(t, piped("m1", envelope), snapshot.ReasonRepeatedKey, "key Records ", "m1", envelope)
			// In a message too: it would count, and its records would be lost.
			rejects(t, `{"correlation_id":"run-1",`+envelope[1:], snapshot.ReasonRepeatedKey, "key Records ")
		}
	}
}

func TestRepeatedKeysOfARecord(t *testing.T) {
	t.Parallel()
	b := body("collection_name", `"b"`)
	for _, test := range []struct {
		name, identity, replayed string // the identity of the record, and of its replay
		values                   []string
	}{
		{"messageId", execution + "/0", "back", []string{`"own"`, `"two"`, `null`, `""`, `7`}},
		{"body", "own", "own", []string{body(), b, quoted(b), `null`, `""`, `[]`}},
	} {
		for _, value := range test.values {
			for _, twin := range twice(record("own", body()), test.name, value) {
				says := "key " + test.name + " "
				rejectsAs(t, envelope(twin), snapshot.ReasonRepeatedKey, says, test.identity, twin)
				rejectsAs(t, "["+twin+"]", snapshot.ReasonRepeatedKey, says, test.identity, twin)
				rejectsAs(t, envelope(record("back", quoted(twin))), snapshot.ReasonRepeatedKey, says, test.replayed,
					twin)
			}
		}
	}
}

// Keys that decide nothing may be repeated: unknown fields, names in another case, nested ones, and the file name.
func TestRepeatedKeysThatAreIgnored(t *testing.T) {
	t.Parallel()
	messages := []string{body("extra", `{"collection_name":1,"collection_name":2,"Records":1,"Records":2}`),
		body("extra", `"\"correlation_id\":1,"`)}
	for _, name := range []string{"extra", "Collection_Name", "body", "messageId"} {
		messages = append(messages, twice(body(name, "1"), name, "2")...)
	}
	for _, message := range messages {
		countsAs(t, message, said())
	}
	named := said()
	named.Filename = "b"
	for _, name := range []string{"filename", "file_name"} {
		countsAs(t, twice(body(name, `"a"`), name, `"b"`)[1], named)
	}
	fields := `{"body":` + body() + `,"attributes":{"a":1,"a":2},"attributes":{},"awsRegion":1,"awsRegion":2}`
	countsAs(t, envelope(fields), said())
	countsAs(t, "["+fields+"]", said())
}

// An object's fields, and the strings among them, are those that encoding/json reads.
func TestFieldsOfAnyObject(t *testing.T) {
	t.Parallel()
	compare := func(t failer, text string) {
		var want map[string]json.RawMessage
		isObject := json.Unmarshal([]byte(text), &want) == nil && want != nil
		got, rejection := snapshot.Fields([]byte(text))
		if isObject != (rejection == nil) {
			t.Errorf("%q: %v", text, rejection)
			return
		}
		for name, raw := range want {
			want[name] = slices.Clone(raw)
			var wanted *string
			isString := json.Unmarshal(raw, &wanted) == nil && wanted != nil
			if read, ok := snapshot.AsString(raw); ok != isString || isString && read != *wanted {
				t.Errorf("%q: read as %q, %v", raw, read, ok)
			}
		}
		if diff := cmp.Diff(want, got); isObject && diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{
		`{}`, " {\n} ", `{"":""}`, `{"a":1}`, ` { "a" : 1 , "b" : [ { "c" : "," } , "]" ] } `,
		`{"a":"\\","b":"\"}","c":"\\\""}`, `{"a":-1.5e+3,"b":true,"c":null}`,
		`{"a\"":1,"a\\":2,"\u0061":3,"a":4}`, "{\"\xff\":1}", `{"\ud800":1,"😀":"😀"}`, `{"a":[[],{}],"b":{"c":{}}}`,
		`{"a":"a\"b","b":"a\\","c":"\u00e9\n"}`, "{\"a\":\"a\xff\",\"b\":\"\xc3\"}", `{"a":"\ud800","b":"Ελ😀"}`,
		`[{"a":1}]`, `"{}"`, `1`, `{"a":1,}`, `{"a":1}{`,
	} {
		compare(t, text)
	}
	rapid.Check(t, func(t *rapid.T) { compare(t, jsonText(4).Draw(t, "text")) })
}
