package snapshot_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

// seen is a receipt for comparison: the collection if it is valid, else the reason.
type seen struct {
	Identity, Raw, Is string
}

func unwrap(input string) []seen {
	var all []seen
	for _, r := range snapshot.Unwrap([]byte(input), execution) {
		s := seen{Identity: r.Identity, Raw: r.Raw, Is: r.Message.CollectionName}
		if r.Rejection != nil {
			s.Is = string(r.Rejection.Reason)
		}
		all = append(all, s)
	}
	return all
}

// event is an example of an input.
func event(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	a, b, bad := body("collection_name", `"a"`), body("collection_name", `"b"`), body("collection_name", "")
	spaced := " { \"collection_name\" : \"a\" ,\n\t\"extra\": \"caf\\u00e9 </b>\"}\n"
	inA, inB, inBad := record("", a), record("", b), record("", bad)
	twice := `{"body":` + a + `,"body":` + b + `}`
	place := func(i int) string { return fmt.Sprint(execution, "/", i) }
	for _, test := range []struct {
		name  string
		input string
		want  []seen
	}{
		// as Pipes delivers
		{"a batch, good and bad", `[` + record("m1", quoted(a)) + `,{"messageId":"m2","body":"x"}, ` +
			record("m3", quoted(b)) + `]`, []seen{{"m1", a, "a"}, {"m2", "x", "NOT_JSON"}, {"m3", b, "b"}}},
		{"the raw text is unchanged", piped("m1", spaced), []seen{{"m1", spaced, "FIELD_MISSING"}}},
		{"a body that Pipes parsed", `[{"messageId":"m1","body": ` + a + ` }]`, []seen{{"m1", a, "a"}}},
		{"records that are none", `[1, null,"x",[],{"messageId":"m1"},{"messageId":"m2","body":""}]`, []seen{
			{place(0), "1", "NOT_AN_OBJECT"}, {place(1), "null", "NOT_AN_OBJECT"},
			{place(2), `"x"`, "NOT_AN_OBJECT"}, {place(3), "[]", "NOT_AN_OBJECT"},
			{"m1", `{"messageId":"m1"}`, "FIELD_MISSING"}, {"m2", `{"messageId":"m2","body":""}`, "FIELD_MISSING"}}},
		{"null for a body", `[{"messageId":"m1","body":null}]`, []seen{{"m1", "null", "NOT_AN_OBJECT"}}},

		// by hand
		{"plain", a, []seen{{execution, a, "a"}}},
		{"an empty array", `[]`, []seen{{execution, "[]", "NOT_AN_OBJECT"}}},

		// envelopes
		{"body a string", envelope(record("", quoted(a))), []seen{{place(0), record("", quoted(a)), "a"}}},
		{"in a message", piped("m1", envelope(inA, " "+inB)), []seen{{"m1/0", inA, "a"}, {"m1/1", inB, "b"}}},
		{"good and bad", envelope(inBad, ` {"body": "x"}`, inA, `{"body":[]}`, twice, `{"messageId":7}`, inB), []seen{
			{place(0), inBad, "FIELD_MISSING"}, {place(1), `{"body": "x"}`, "NOT_JSON"}, {place(2), inA, "a"},
			{place(3), `{"body":[]}`, "NOT_AN_OBJECT"}, {place(4), twice, "REPEATED_KEY"},
			{place(5), `{"messageId":7}`, "IDENTITY_INVALID"}, {place(6), inB, "b"}}},
		{"records without a body", envelope(`{}`, `{"body":null}`, `{"body":""}`, `{"messageId":"own","Body":{}}`),
			[]seen{
				{place(0), `{}`, "NO_BODY"}, {place(1), `{"body":null}`, "NO_BODY"},
				{place(2), `{"body":""}`, "NO_BODY"},
				{"own", `{"messageId":"own","Body":{}}`, "NO_BODY"}}},
		{"records that are no objects", envelope("null", " 1"), []seen{
			{place(0), `null`, "NOT_AN_OBJECT"}, {place(1), `1`, "NOT_AN_OBJECT"}}},
		{"no records", `{"Records":[]}`, []seen{{execution, `{"Records":[]}`, "NO_RECORDS"}}},
		{"no records in a message", body("Records", `[]`), []seen{{execution, body("Records", `[]`), "NO_RECORDS"}}},
		{"Records null", `{"Records":null}`, []seen{{execution, `{"Records":null}`, "NO_RECORDS"}}},
		{"Records no array", `{"Records":{"body":1}}`, []seen{{execution, `{"Records":{"body":1}}`, "NO_RECORDS"}}},
		{"envelopes in each other have a limit", enveloped(a, 11),
			[]seen{{execution + strings.Repeat("/0", 10), record("", enveloped(a, 1)), "FIELD_MISSING"}}},
	} {
		if diff := cmp.Diff(test.want, unwrap(test.input)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestUnwrapExamples(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][][2]string{ // identity, and collection or reason
		"plain.json": {{execution, "db.database.collection"}},
		"pipes.json": {{"059f36b4-87a3-44ab-83d2-661975830a7d", "db.database.first"},
			{"2e1424d4-f796-459a-8184-9c92662be6da/0", "db.database.second"},
			{"2e1424d4-f796-459a-8184-9c92662be6da/1", "NOT_JSON"},
			{"3c1424d4-f796-459a-8184-9c92662be6db", "NOT_JSON"}},
		"envelope.json": {{execution + "/0", "db.database.first"},
			{"19dd0b57-b21e-4ac1-bd88-01bbb068cb78", "db.database.second"}, {execution + "/2", "FIELD_MISSING"},
			{execution + "/3", "NO_BODY"}, {execution + "/4", "NOT_AN_OBJECT"}, {"ours", "NO_BODY"}},
	} {
		var got [][2]string
		holdsForAnyInput(t, []byte(event(t, file)))
		for _, s := range unwrap(event(t, file)) {
			got = append(got, [2]string{s.Identity, s.Is})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
	countsAs(t, event(t, "plain.json"), snapshot.Message{
		CollectionKey: snapshot.CollectionKey{CorrelationID: "correlation_id_1",
			CollectionName: "db.database.collection"},
		Export: snapshot.Export{SnapshotType: "incremental", ExportDate: "2020-01-01", ShutdownFlag: true,
			ReprocessFiles: true},
		IsSuccessFile: true, Filename: "folder/db.database.collection.gz.enc",
	})
}

// SentTimestamp is in milliseconds, as text; it holds for all messages of an envelope. Attributes of SQS may be unset.
func TestUnwrapReadsWhenAMessageWasSent(t *testing.T) {
	t.Parallel()
	first, second := time.UnixMilli(1545082649183).UTC(), time.UnixMilli(1545082650636).UTC()
	tests := map[string][]time.Time{event(t, "pipes.json"): {first, second, second, second}, body(): {{}},
		piped("m1", body()): {{}}}
	for _, attributes := range append(spellings[1:], `{}`, `[]`, `{"SentTimestamp":null}`, `{"SentTimestamp":""}`,
		`{"SentTimestamp":7}`, `{"SentTimestamp":"a"}`) {
		input := `[{"messageId":"m1","attributes":` + attributes + `,"body":` + quoted(body()) + `}]`
		tests[input] = []time.Time{{}}
		countsAs(t, input, said())
	}
	for input, want := range tests {
		var got []time.Time
		for _, receipt := range snapshot.Unwrap([]byte(input), execution) {
			got = append(got, receipt.SentAt)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", input, diff)
		}
	}
}

// A redelivered message has another execution, receipt handle, receive count and batch.
func TestIdentityOutlivesRedelivery(t *testing.T) {
	t.Parallel()
	records := quoted(envelope(record("", body()), `{"body":"x"}`))
	receipts := func(execution string, records ...string) map[string]snapshot.Receipt {
		all := map[string]snapshot.Receipt{}
		for _, r := range snapshot.Unwrap([]byte("["+strings.Join(records, ",")+"]"), execution) {
			all[r.Identity] = r
		}
		return all
	}
	was := receipts("e1", `{"messageId":"m1","receiptHandle":"r1","body":`+quoted(body())+`}`,
		`{"messageId":"m2","receiptHandle":"r2","body":`+records+`}`)
	is := receipts("e2", `{"messageId":"m0","body":"other"}`,
		`{"messageId":"m2","receiptHandle":"r3","body":`+records+`}`,
		`{"messageId":"m1","receiptHandle":"r4","body":`+quoted(body())+`}`)
	delete(is, "m0")
	if diff := cmp.Diff(was, is); diff != "" || len(was) != 3 {
		t.Errorf("%d receipts: %s", len(was), diff)
	}
}

// A rejected message or record is replayed as the body of a record, as a string or as an object, and is the same
// message. A lasting failure rejects it at every replay, as the envelope in which it arrived.
func TestAReplayedMessageIsTheSame(t *testing.T) {
	t.Parallel()
	for _, first := range []string{piped("m1", " "+body()+"\n"), piped("m1", enveloped(body(), 1)),
		piped("m1", envelope(record("own", quoted(body()))))} {
		original := one(t, first)
		for _, form := range []string{quoted(original.Raw), original.Raw} {
			text := envelope(record(original.Identity, form))
			for n := range 5 {
				sqs := fmt.Sprint("sqs-", n)
				for _, input := range []string{text, piped(sqs, text)} {
					back := one(t, input)
					if back.Rejection != nil || back.Identity != original.Identity ||
						back.Message != original.Message {
						t.Fatalf("%s\nreplayed %d times: %+v\nwant %+v", input, n+1, back, original)
					}
				}
				text = envelope(record(sqs, quoted(text)))
			}
		}
	}
}
