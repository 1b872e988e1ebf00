package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"snapshot-status-checker/internal/snapshot"
)

// badBody is a message that cannot be counted. Its reason text must contain about.
type badBody struct {
	text   string
	reason snapshot.Reason
	about  string
}

// badBodies are all kinds of bad messages.
func (r *run) badBodies(collection string) []badBody {
	with := func(field string, value any) string { return r.file(collection, fields{field: value}) }
	two := `{"Records": [` + object(r.file(collection)) + `], "Records": [` + object(r.file(collection)) + `]}`
	bad := []badBody{
		{two, snapshot.ReasonRepeatedKey, "Records"},
		{`{"collection_name": "db.other",` + r.file(collection)[1:], snapshot.ReasonRepeatedKey, "collection_name"},
		{"not JSON at all", snapshot.ReasonNotJSON, "JSON"},
		{r.file(collection)[1:], snapshot.ReasonNotJSON, "JSON"},
		{r.file(collection) + r.file(collection), snapshot.ReasonNotJSON, "JSON"},
		{`["` + r.id + `"]`, snapshot.ReasonNotAnObject, "object"},
		{`null`, snapshot.ReasonNotAnObject, "object"},
		{`42`, snapshot.ReasonNotAnObject, "object"},
		{`{"Records": []}`, snapshot.ReasonNoRecords, "Records"},
		{`{"Records": {"body": 1}}`, snapshot.ReasonNoRecords, "Records"},
		{with("correlation_id", strings.Repeat("i", 2049)), snapshot.ReasonFieldTooLong, "correlation_id"},
		{with("collection_name", strings.Repeat("é", 513)), snapshot.ReasonFieldTooLong, "collection_name"},
		{with("collection_name", "db.no.row"), snapshot.ReasonUnknownCollection, "row"},
		{" { \"odd\" :\t\"Кириллица </b> \\u00e9 \\/ é\"}\r\n", snapshot.ReasonFieldMissing, "correlation_id"},
	}
	for _, field := range []string{"correlation_id", "collection_name", "snapshot_type", "export_date"} {
		bad = append(bad,
			badBody{with(field, absent), snapshot.ReasonFieldMissing, field},
			badBody{with(field, nil), snapshot.ReasonFieldMissing, field},
			badBody{with(field, ""), snapshot.ReasonFieldMissing, field},
			badBody{with(field, 7), snapshot.ReasonFieldNotString, field},
		)
	}
	for _, flag := range []string{"shutdown_flag", "reprocess_files", "is_success_file"} {
		bad = append(bad,
			badBody{with(flag, "yes"), snapshot.ReasonFlagInvalid, flag},
			badBody{with(flag, 1), snapshot.ReasonFlagInvalid, flag},
		)
	}
	return bad
}

// Each bad message is rejected unchanged, with its reason.
func badMessages(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.bad.messages", "Sent", 10)
	bad := r.badBodies("db.bad.messages")
	messages := []string{r.file("db.bad.messages")}
	for _, b := range bad {
		messages = append(messages, b.text)
	}
	ids := r.handle(messages...)[1:]
	var want []rejection
	for i, b := range bad {
		want = append(want, rejection{ids[i], b.reason, b.text})
	}
	r.wantRejected(want...)
	r.wantReasons(ids, bad)
	r.wantRow("db.bad.messages", "Sent", 1)
	r.wantNoRow("db.no.row")
	r.wantRequests()
	r.wantNotifications()
}

// Each bad record is rejected unchanged, and each good one is counted.
func badRecords(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.bad.records", "Sent", 60)
	var bad []badBody // text is a whole record
	for _, b := range r.badBodies("db.bad.records") {
		bad = append(bad, badBody{escaped(b.text), b.reason, b.about})
	}
	for _, record := range []string{`{}`, `{"body": null}`, `{"body": ""}`, `{ "BODY" : {} }`} {
		bad = append(bad, badBody{record, snapshot.ReasonNoBody, "body"})
	}
	for _, record := range []string{`7`, `null`, `"record"`, `[]`} {
		bad = append(bad, badBody{record, snapshot.ReasonNotAnObject, "object"})
	}
	good := r.file("db.bad.records")
	for _, id := range []string{`4711`, `""`, `"null"`, `["a"]`, `"` + strings.Repeat("i", 513) + `"`, `"\ud800"`} {
		record := `{"messageId": ` + id + `, "body": ` + good + `}`
		bad = append(bad, badBody{record, snapshot.ReasonIdentityInvalid, "messageId"})
	}
	bad = append(bad, badBody{`{"body": ` + good + `, "body": ` + good + `}`, snapshot.ReasonRepeatedKey, "body"})
	// A record with an identity is rejected with it.
	own := identified(r.id+"-own", r.file("db.bad.records", fields{"export_date": ""}))
	ids := []string{r.id + "-own"}
	want := []rejection{{ids[0], snapshot.ReasonFieldMissing, own}}
	named := []badBody{{own, snapshot.ReasonFieldMissing, "export_date"}}
	r.handle(envelope(own))

	most := r.maxMessageSize()
	for len(bad) > 0 { // as many as fit into a message, each after a good one
		var records []string
		var part []badBody
		for len(bad) > 0 {
			more := append(records, escaped(r.file("db.bad.records")), bad[0].text)
			if len(envelope(more...)) > most {
				break
			}
			records, part, bad = more, append(part, bad[0]), bad[1:]
		}
		outer := r.handle(envelope(records...))[0]
		for i, b := range part {
			ids = append(ids, fmt.Sprint(outer, "/", 2*i+1))
			want = append(want, rejection{ids[len(ids)-1], b.reason, b.text})
		}
		named = append(named, part...)
	}
	r.wantRejected(want...)
	r.wantReasons(ids, named)
	r.wantRow("db.bad.records", "Sent", len(named)-1)
	r.wantNoRow("db.no.row")
}

// Messages of a collection without a row create nothing.
func unknownCollections(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.known.collection", "Sent", 1)
	known := r.file("db.known.collection")
	unknown := object(r.file("db.unknown.collection"))
	success := object(r.successFile("db.unknown.collection"))
	other := object(r.file("db.known.collection", fields{"correlation_id": r.id + "-other"}))
	outer := r.handle(envelope(unknown, object(known), success, other))[0]

	r.wantRejected(
		rejection{outer + "/0", snapshot.ReasonUnknownCollection, unknown},
		rejection{outer + "/2", snapshot.ReasonUnknownCollection, success},
		rejection{outer + "/3", snapshot.ReasonUnknownCollection, other},
	)
	r.wantNoRow("db.unknown.collection")
	r.wantRow("db.known.collection", "Received", 1)
	r.wantRequests(r.request("db.known.collection"))
	r.wantNotifications(r.allReceived())

	// The rejected message counts when the row exists and it is replayed.
	r.put("db.unknown.collection", "Sent", 1)
	replayed := envelope(identified(outer+"/0", unknown[len(`{"body": `):len(unknown)-1]))
	r.handle(replayed, replayed)
	r.wantRow("db.unknown.collection", "Received", 1)
}

// wantReasons checks what each reason text must contain.
func (r *run) wantReasons(ids []string, bad []badBody) {
	r.t.Helper()
	about := map[string]string{}
	for i, id := range ids {
		about[id] = bad[i].about
	}
	for _, m := range r.rejectedMessages() {
		if want := about[m.attributes["identity"]]; !strings.Contains(m.attributes["reason"], want) {
			r.t.Errorf("the reason does not name %s: %q", want, m.attributes["reason"])
		}
	}
}

func (r *run) wantNoRow(collection string) {
	r.t.Helper()
	if row := r.row(collection); len(row) > 0 {
		r.t.Errorf("a row was created: %s", show(row))
	}
}
