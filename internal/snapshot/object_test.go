package snapshot_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"snapshot-status-checker/internal/snapshot"
)

// twice adds a field with an existing name to an object, before or after the others.
func twice(object, name, value string, inFront bool) string {
	if inFront {
		return `{"` + name + `":` + value + `,` + object[1:]
	}
	return object[:len(object)-1] + `, "` + name + `" : ` + value + `}`
}

// escaped is the name with its first letter as an escape.
func escaped(name string) string {
	const hex = "0123456789abcdef"
	return `\u00` + string(hex[name[0]>>4]) + string(hex[name[0]&15]) + name[1:]
}

func rejectedAs(t *testing.T, input string, reason snapshot.Reason, says, identity, raw string) {
	t.Helper()
	receipts := snapshot.Unwrap([]byte(input), execution)
	if len(receipts) != 1 {
		t.Fatalf("%s: %d receipts", input, len(receipts))
	}
	rejectedFor(t, receipts[0].Rejection, reason, says)
	if receipts[0].Identity != identity || receipts[0].Raw != raw {
		t.Errorf("%s: rejected as %s: %s", input, receipts[0].Identity, receipts[0].Raw)
	}
}

// A message with a repeated key is rejected, for all values and spellings of the name.
func TestRepeatedKeysOfAMessage(t *testing.T) {
	t.Parallel()
	full := body("shutdown_flag", `"true"`, "reprocess_files", `"true"`, "is_success_file", `"true"`)
	for _, name := range snapshot.Decisive {
		for _, spelled := range []string{name, escaped(name)} {
			for _, value := range []string{`"run-1"`, `"other"`, `null`, `""`, `7`, `false`, `{"a":[]}`} {
				for _, inFront := range []bool{true, false} {
					message := twice(full, spelled, value, inFront)
					rejectedAs(t, message, snapshot.ReasonRepeatedKey, "key "+name+" ", execution, message)
					rejectedAs(t, `[{"messageId":"m1","body":`+quoted(message)+`}]`, snapshot.ReasonRepeatedKey, name,
						"m1", message)
					record := `{"messageId":"own","body":` + message + `}`
					rejectedAs(t, `{"Records":[`+record+`]}`, snapshot.ReasonRepeatedKey, name, "own", record)
				}
			}
		}
	}
}

func TestRepeatedKeysOfAnEnvelope(t *testing.T) {
	t.Parallel()
	a, b := body("collection_name", `"a"`), body("collection_name", `"b"`)
	records := func(bodies ...string) string { return `[{"body":` + strings.Join(bodies, `},{"body":`) + `}]` }
	for _, spelled := range []string{"Records", escaped("Records")} {
		for _, other := range []string{records(b), records(a), `[]`, `null`, `""`, `7`} {
			for _, inFront := range []bool{true, false} {
				envelope := twice(`{"Records":`+records(a)+`}`, spelled, other, inFront)
				rejectedAs(t, envelope, snapshot.ReasonRepeatedKey, "key Records ", execution, envelope)
				rejectedAs(t, `[{"messageId":"m1","body":`+quoted(envelope)+`}]`, snapshot.ReasonRepeatedKey, "Records",
					"m1", envelope)
				// In a message too: it would count, and its records would be lost.
				both := twice(envelope, "correlation_id", `"run-1"`, true)
				rejectedAs(t, both, snapshot.ReasonRepeatedKey, "key Records ", execution, both)
			}
		}
	}
}

func TestRepeatedKeysOfARecord(t *testing.T) {
	t.Parallel()
	a, b := body("collection_name", `"a"`), body("collection_name", `"b"`)
	for name, other := range map[string][]string{"messageId": {`"own"`, `"two"`, `null`, `""`, `7`},
		"body": {a, b, quoted(b), `null`, `""`, `[]`}} {
		for _, value := range other {
			for _, spelled := range []string{name, escaped(name)} {
				for _, inFront := range []bool{true, false} {
					record := twice(`{"messageId":"own","body":`+a+`}`, spelled, value, inFront)
					identity := "own"
					if name == "messageId" {
						identity = execution + "/0"
					}
					rejectedAs(t, `{"Records":[`+record+`]}`, snapshot.ReasonRepeatedKey, "key "+name+" ", identity,
						record)
					rejectedAs(t, `[`+record+`]`, snapshot.ReasonRepeatedKey, "key "+name+" ", identity, record)
					// Replayed under its identity, it is the same message.
					rejectedAs(t, `{"Records":[{"messageId":"back","body":`+quoted(record)+`}]}`,
						snapshot.ReasonRepeatedKey, name,
						map[string]string{"body": "own", "messageId": "back"}[name], record)
				}
			}
		}
	}
}

// A rejected record does not affect the other records.
func TestRecordsBesideARepeatedKey(t *testing.T) {
	t.Parallel()
	a, b := body("collection_name", `"a"`), body("collection_name", `"b"`)
	bad := `{"body":` + a + `,"body":` + b + `}`
	for _, input := range []string{`{"Records":[{"body":` + a + `},` + bad + `,{"body":` + b + `}]}`, `[{"body":` + a +
		`},` + bad + `,{"body":` + b + `}]`} {
		var got []string
		for _, s := range unwrap(input) {
			got = append(got, strings.TrimPrefix(s.Identity, execution)+" "+s.Is)
		}
		if diff := cmp.Diff([]string{"/0 a", "/1 REPEATED_KEY", "/2 b"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Keys that decide nothing may be repeated: unknown fields, names in another case, nested ones, and the file name.
func TestRepeatedKeysThatAreIgnored(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		twice(body("extra", "1"), "extra", "2", true), twice(body(), "Collection_Name", `"other"`, false),
		body("extra", `{"collection_name":1,"collection_name":2,"Records":1,"Records":2}`),
		twice(body("body", "1"), "body", "2", false), twice(body("messageId", "1"), "messageId", "2", false),
		body("extra", `"\"correlation_id\":1,"`, `cor\u0072elation_id2`, `"}]"`),
	} {
		countsAs(t, message, message, said())
	}
	want := said()
	want.Filename = "b"
	for _, name := range []string{"filename", "file_name"} {
		message := twice(body(name, `"a"`), name, `"b"`, false)
		countsAs(t, message, message, want)
	}
	record := `{"body":` + body() + `,"attributes":{"a":1,"a":2},"attributes":{},"awsRegion":1,"awsRegion":2}`
	countsAs(t, record, `{"Records":[`+record+`]}`, said())
	countsAs(t, record, `[`+record+`]`, said())
}

// An object's fields are those that encoding/json reads.
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
		}
		if diff := cmp.Diff(want, got); isObject && diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{
		`{}`, " {\n} ", `{"":""}`, `{"a":1}`, ` { "a" : 1 , "b" : [ { "c" : "," } , "]" ] } `,
		`{"a":"\\","b":"\"}","c":"\\\""}`, `{"a":-1.5e+3,"b":true,"c":null}`,
		`{"a\"":1,"a\\":2,"\u0061":3,"a":4}`, "{\"\xff\":1}", `{"\ud800":1,"😀":"😀"}`, `{"a":[[],{}],"b":{"c":{}}}`,
		`[{"a":1}]`, `"{}"`, `1`, `{"a":1,}`, `{"a":1}{`,
	} {
		compare(t, text)
	}
	rapid.Check(t, func(t *rapid.T) { compare(t, jsonText(4).Draw(t, "text")) })
}
