package snapshot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/snapshot"
)

const execution = "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1"

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

// quoted is the text as a JSON string.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSpace(b.String())
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	a, b, bad := body("collection_name", `"a"`), body("collection_name", `"b"`), body("collection_name", "")
	spaced := " { \"collection_name\" : \"a\" ,\n\t\"extra\": \"caf\\u00e9 </b>\"}\n"
	long := strings.Repeat("i", snapshot.MaxIdentity+1)
	for _, test := range []struct {
		name  string
		input string
		want  []seen
	}{
		// as Pipes delivers
		{"one record", `[{"messageId":"m1","body":` + quoted(a) + `}]`, []seen{{"m1", a, "a"}}},
		{"a batch, good and bad", `[{"messageId":"m1","body":` + quoted(a) +
			`},{"messageId":"m2","body":"x"},{"messageId":"m3","body":` + quoted(b) + `}]`,
			[]seen{{"m1", a, "a"}, {"m2", "x", "NOT_JSON"}, {"m3", b, "b"}}},
		{"the raw text is unchanged", `[{"messageId":"m1","body":` + quoted(spaced) + `}]`,
			[]seen{{"m1", spaced, "FIELD_MISSING"}}},
		{"a body that Pipes parsed", `[{"messageId":"m1","body": ` + a + ` }]`, []seen{{"m1", a, "a"}}},
		{"no messageId", `[{"body":` + quoted(a) + `},{"messageId":null,"body":` + quoted(b) + `}]`,
			[]seen{{execution + "/0", a, "a"}, {execution + "/1", b, "b"}}},
		{"records that are none", `[1, null,"x",[],{"messageId":"m1"},{"messageId":"m2","body":""}]`, []seen{
			{execution + "/0", "1", "NOT_AN_OBJECT"}, {execution + "/1", "null", "NOT_AN_OBJECT"},
			{execution + "/2", `"x"`, "NOT_AN_OBJECT"},
			{execution + "/3", "[]", "NOT_AN_OBJECT"}, {"m1", `{"messageId":"m1"}`, "FIELD_MISSING"},
			{"m2", `{"messageId":"m2","body":""}`, "FIELD_MISSING"}}},
		{"null for a body", `[{"messageId":"m1","body":null}]`, []seen{{"m1", "null", "NOT_AN_OBJECT"}}},

		// by hand
		{"plain", a, []seen{{execution, a, "a"}}},
		{"plain and bad", bad, []seen{{execution, bad, "FIELD_MISSING"}}},
		{"an empty array", `[]`, []seen{{execution, "[]", "NOT_AN_OBJECT"}}},
		{"null", `null`, []seen{{execution, "null", "NOT_AN_OBJECT"}}},
		{"a string", `"x"`, []seen{{execution, `"x"`, "NOT_AN_OBJECT"}}},

		// envelopes
		{"body an object", `{"Records":[{"body":` + a + `}]}`, []seen{{execution + "/0", `{"body":` + a + `}`, "a"}}},
		{"body a string", `{"Records":[{"body":` + quoted(a) + `}]}`,
			[]seen{{execution + "/0", `{"body":` + quoted(a) + `}`, "a"}}},
		{"in a message", `[{"messageId":"m1","body":` + quoted(`{"Records":[{"body":`+a+`}, {"body":`+b+`}]}`) + `}]`,
			[]seen{{"m1/0", `{"body":` + a + `}`, "a"}, {"m1/1", `{"body":` + b + `}`, "b"}}},
		{"good and bad", `{"Records":[{"body":` + bad + `}, {"body": "x"},{"body":` + a + `},{"body":[]}]}`, []seen{
			{execution + "/0", `{"body":` + bad + `}`, "FIELD_MISSING"}, {execution + "/1", `{"body": "x"}`,
				"NOT_JSON"},
			{execution + "/2", `{"body":` + a + `}`, "a"}, {execution + "/3", `{"body":[]}`, "NOT_AN_OBJECT"}}},
		{"records without a body", `{"Records":[{},{"body":null},{"body":""},{"Body":` + a + `}]}`, []seen{
			{execution + "/0", `{}`, "NO_BODY"}, {execution + "/1", `{"body":null}`, "NO_BODY"},
			{execution + "/2", `{"body":""}`, "NO_BODY"}, {execution + "/3", `{"Body":` + a + `}`, "NO_BODY"}}},
		{"records that are no objects", `{"Records":[null, 1,"x"]}`, []seen{
			{execution + "/0", `null`, "NOT_AN_OBJECT"}, {execution + "/1", `1`, "NOT_AN_OBJECT"},
			{execution + "/2", `"x"`, "NOT_AN_OBJECT"}}},
		{"no records", `{"Records":[]}`, []seen{{execution, `{"Records":[]}`, "NO_RECORDS"}}},
		{"no records in a message", body("Records", `[]`), []seen{{execution, body("Records", `[]`), "NO_RECORDS"}}},
		{"Records null", `{"Records":null}`, []seen{{execution, `{"Records":null}`, "NO_RECORDS"}}},
		{"Records no array", `{"Records":{"body":1}}`, []seen{{execution, `{"Records":{"body":1}}`, "NO_RECORDS"}}},
		{"records in another case are an unknown field", body("collection_name", `"a"`, "records", `[]`),
			[]seen{{execution, body("collection_name", `"a"`, "records", `[]`), "a"}}},
		{"own messageId", `{"Records":[{"messageId":"own","body":` + a + `},{"messageId":null,"body":` + b + `}]}`,
			[]seen{
				{"own", `{"messageId":"own","body":` + a + `}`, "a"}, {execution + "/1", `{"messageId":null,"body":` +
					b +
					`}`, "b"}}},
		{"own messageId of a bad record", `{"Records":[{"messageId":"own"}]}`,
			[]seen{{"own", `{"messageId":"own"}`, "NO_BODY"}}},
		{"messageId at the limit and over", `{"Records":[{"messageId":"` + long[1:] + `","body":` + a +
			`},{"messageId":"` + long + `","body":` + b + `}]}`, []seen{
			{long[1:], `{"messageId":"` + long[1:] + `","body":` + a + `}`, "a"}, {execution + "/1", `{"messageId":"` +
				long + `","body":` + b + `}`, "IDENTITY_INVALID"}}},

		// a replayed envelope: its records have the same identities
		{"an envelope in an envelope", `[{"messageId":"m9","body":` + quoted(`{"Records":[{"messageId":"m1","body":`+
			quoted(`{"Records":[{"body":`+a+`},{"body":`+b+`}]}`)+`}]}`) + `}]`,
			[]seen{{"m1/0", `{"body":` + a + `}`, "a"}, {"m1/1", `{"body":` + b + `}`, "b"}}},
		{"envelopes in each other have a limit", enveloped(a, 11),
			[]seen{{execution + strings.Repeat("/0", 10), `{"body":` + enveloped(a, 1) + `}`, "FIELD_MISSING"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, unwrap(test.input)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// SentTimestamp is in milliseconds, as text; it holds for all messages of an envelope.
func TestUnwrapReadsWhenAMessageWasSent(t *testing.T) {
	t.Parallel()
	sent := []time.Time{time.UnixMilli(1545082649183).UTC(), time.UnixMilli(1545082650636).UTC(),
		time.UnixMilli(1545082650636).UTC(), time.UnixMilli(1545082650636).UTC()}
	for input, want := range map[string][]time.Time{
		string(event(t, "pipes.json")):                       sent,
		string(event(t, "plain.json")):                       {{}},
		`[{"messageId":"m","body":"x"}]`:                     {{}},
		`[{"body":"x","attributes":{}}]`:                     {{}},
		`[{"body":"x","attributes":[]}]`:                     {{}},
		`[{"body":"x","attributes":null}]`:                   {{}},
		`[{"body":"x","attributes":""}]`:                     {{}},
		`[{"body":"x","attributes":{"SentTimestamp":null}}]`: {{}},
		`[{"body":"x","attributes":{"SentTimestamp":""}}]`:   {{}},
		`[{"body":"x","attributes":{"SentTimestamp":7}}]`:    {{}},
		`[{"body":"x","attributes":{"SentTimestamp":"a"}}]`:  {{}},
	} {
		var got []time.Time
		for _, receipt := range snapshot.Unwrap([]byte(input), execution) {
			got = append(got, receipt.SentAt)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", input, diff)
		}
	}
}

func TestUnwrapEvents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file string
		want []seen
	}{
		{"plain.json", []seen{{execution, string(event(t, "plain.json")), "db.database.collection"}}},
		{"pipes.json", []seen{
			{"059f36b4-87a3-44ab-83d2-661975830a7d",
				"{ \"correlation_id\": \"run-1\",\n  \"collection_name\": \"db.database.first\", \"snapshot_type\": " +
					"\"full\", \"export_date\": \"2020-01-01\", \"file_name\": \"first-001.gz.enc\" }\n",
				"db.database.first"},
			{"2e1424d4-f796-459a-8184-9c92662be6da/0",
				`{"body": {"correlation_id":"run-1","collection_name":"db.database.second","snapshot_type":"full",` +
					`"export_date":"2020-01-01"}}`, "db.database.second"},
			{"2e1424d4-f796-459a-8184-9c92662be6da/1", `{"body":  "oh no" }`, "NOT_JSON"},
			{"3c1424d4-f796-459a-8184-9c92662be6db", "  <xml/>\t", "NOT_JSON"},
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, unwrap(string(event(t, test.file)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnwrapChecksEachRecordByItself(t *testing.T) {
	t.Parallel()
	want := [][2]string{
		{execution + "/0", "db.database.first"}, {"19dd0b57-b21e-4ac1-bd88-01bbb068cb78", "db.database.second"},
		{execution + "/2", "FIELD_MISSING"}, {execution + "/3", "NO_BODY"}, {execution + "/4", "NOT_AN_OBJECT"},
		{"ours", "NO_BODY"},
	}
	var got [][2]string
	text := string(event(t, "envelope.json"))
	for _, s := range unwrap(text) {
		got = append(got, [2]string{s.Identity, s.Is})
		if !strings.Contains(text, s.Raw) {
			t.Errorf("%s: its raw text has changed: %s", s.Identity, s.Raw)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A redelivered message has another execution, receipt handle, receive count and batch.
func TestIdentityOutlivesRedelivery(t *testing.T) {
	t.Parallel()
	envelope := quoted(`{"Records":[{"body":` + body() + `},{"body":"x"}]}`)
	first := `[{"messageId":"m1","receiptHandle":"r1","body":` + quoted(body()) +
		`},{"messageId":"m2","receiptHandle":"r2","body":` + envelope + `}]`
	again := `[{"messageId":"m0","body":"other"},{"messageId":"m2","receiptHandle":"r3","body":` + envelope +
		`},{"messageId":"m1","receiptHandle":"r4","body":` + quoted(body()) + `}]`
	receipts := func(input, execution string) map[string]snapshot.Receipt {
		all := map[string]snapshot.Receipt{}
		for _, r := range snapshot.Unwrap([]byte(input), execution) {
			all[r.Identity] = r
		}
		return all
	}
	was, is := receipts(first, "e1"), receipts(again, "e2")
	delete(is, "m0")
	if len(was) != 3 {
		t.Fatalf("got %d receipts, want 3", len(was))
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Error(diff)
	}
}

// A rejected message is replayed as the body of a record, as a string or as an object, and is the same message.
func TestAReplayedMessageIsTheSame(t *testing.T) {
	t.Parallel()
	original := snapshot.Unwrap([]byte(`[{"messageId":"m1","body":`+quoted(" "+body()+"\n")+`}]`), "e1")[0]
	for _, form := range []string{quoted(original.Raw), original.Raw} {
		envelope := `{"Records":[{"messageId":` + quoted(original.Identity) + `,"body":` + form + `}]}`
		for _, input := range []string{envelope, `[{"messageId":"m2","body":` + quoted(envelope) + `}]`} {
			back := snapshot.Unwrap([]byte(input), "e2")[0]
			if diff := cmp.Diff([]any{original.Identity, original.Message},
				[]any{back.Identity, back.Message}); diff != "" {
				t.Errorf("%s: %s", input, diff)
			}
		}
	}
}

// A rejected record of an envelope is replayed like a whole message.
func TestAReplayedRecordIsTheSame(t *testing.T) {
	t.Parallel()
	for _, record := range []string{`{"body": ` + body() + `}`, `{"body":` + quoted(body()) + `,"messageId":"own"}`} {
		original := snapshot.Unwrap([]byte(`[{"messageId":"m1","body":`+quoted(`{"Records":[`+record+`]}`)+`}]`),
			"e1")[0]
		envelope := `{"Records":[{"messageId":` + quoted(original.Identity) + `,"body":` + quoted(record) + `}]}`
		back := snapshot.Unwrap([]byte(`[{"messageId":"m2","body":`+quoted(envelope)+`}]`), "e2")[0]
		if back.Rejection != nil {
			t.Fatalf("%s: %v", envelope, back.Rejection)
		}
		if diff := cmp.Diff([]any{original.Identity, original.Message},
			[]any{back.Identity, back.Message}); diff != "" {
			t.Errorf("%s: %s", envelope, diff)
		}
	}
}

// A lasting failure rejects a message at every replay, as the envelope in which it arrived.
func TestAMessageReplayedManyTimesIsTheSame(t *testing.T) {
	t.Parallel()
	text, identity := `{"Records":[{"messageId":"m1","body":`+quoted(body())+`}]}`, "sqs-0"
	for n := range 5 {
		receipts := snapshot.Unwrap([]byte(`[{"messageId":`+quoted(identity)+`,"body":`+quoted(text)+`}]`), "e")
		if len(receipts) != 1 || receipts[0].Rejection != nil || receipts[0].Identity != "m1" {
			t.Fatalf("replayed %d times it is %+v", n, receipts)
		}
		text = `{"Records":[{"messageId":` + quoted(identity) + `,"body":` + quoted(text) + `}]}`
		identity = fmt.Sprint("sqs-", n+1)
	}
}

// enveloped wraps a message in this number of nested envelopes.
func enveloped(message string, times int) string {
	for range times {
		message = `{"Records":[{"body":` + message + `}]}`
	}
	return message
}
