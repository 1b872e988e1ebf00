package e2e_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Statuses are read in any case and written in the case of the row. A row without FilesReceived counts from zero.
func rowsKeepTheirCase(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.case.title", "Sent", 1)
	r.put("db.case.capitals", "SENT", 1, item{"FilesReceived": number(0)})
	r.put("db.case.capitals.bare", "SENT", 2)
	r.put("db.case.going.on", "SENT", 3, item{"FilesReceived": number(2)})
	r.handle(append(r.many(2, "db.case.capitals.bare"),
		r.file("db.case.title"), r.file("db.case.capitals"), r.file("db.case.going.on"))...)
	r.wantRow("db.case.title", "Received", 1)
	r.wantRow("db.case.capitals", "RECEIVED", 1)
	r.wantRow("db.case.capitals.bare", "RECEIVED", 2)
	r.wantRow("db.case.going.on", "RECEIVED", 3)
	r.wantNotifications(r.allReceived())

	r.handle(r.successFile("db.case.title"), r.successFile("db.case.capitals"),
		r.successFile("db.case.capitals.bare"), r.successFile("db.case.going.on"))
	r.wantRow("db.case.title", "Success", 1)
	r.wantRow("db.case.capitals", "SUCCESS", 1)
	r.wantRow("db.case.capitals.bare", "SUCCESS", 2)
	r.wantRow("db.case.going.on", "SUCCESS", 3)
	r.wantNotifications(r.allReceived(), r.allSuccessful())
	r.wantRequests(r.request("db.case.title"), r.request("db.case.capitals"),
		r.request("db.case.capitals.bare"), r.request("db.case.going.on"))
}

func unsetValues(t *testing.T, s *system) {
	r := s.newRun(t)
	const collection = "db.unset.values"
	null := &types.AttributeValueMemberNULL{Value: true}
	r.put(collection, "", 0, item{"CollectionStatus": null, "FilesSent": null, "FilesReceived": null})
	r.put("db.unset.texts", "", 0, item{"FilesSent": text(""), "FilesReceived": text("")})
	var messages []string
	optional := []string{"is_success_file", "shutdown_flag", "reprocess_files", "filename", "file_name", "Records"}
	for _, field := range optional {
		for _, unset := range []any{nil, "", " ", "null", absent} {
			messages = append(messages, r.file(collection, fields{field: unset}))
		}
	}
	r.handle(append(messages, r.file("db.unset.texts"))...)
	r.wantRejected()
	for name, files := range map[string]int{collection: len(messages), "db.unset.texts": 1} {
		r.set(name, "FilesSent", number(files))
		r.set(name, "CollectionStatus", text("Sent"))
		r.becomes(name, "Received")
		r.wantRow(name, "Received", files)
	}
	r.wantRequests(r.request(collection), r.request("db.unset.texts"))
	r.wantNotifications(r.allReceived())
}

// Only the status, the count of received files and new attributes change.
func rowsOfOthers(t *testing.T, s *system) {
	r := s.newRun(t)
	r.put("db.shared.row", "Sent", 2, item{
		"FilesExported": number(2), "ExportDate": text(exportDate), "TimeToExist": number(4102444800),
		"Nested":   &types.AttributeValueMemberM{Value: item{"Flag": &types.AttributeValueMemberBOOL{Value: true}}},
		"Nothing":  &types.AttributeValueMemberNULL{Value: true},
		"Counters": &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
	})
	r.put("db.shared.neighbour", "Exporting", 0)
	before, neighbour := r.row("db.shared.row"), r.row("db.shared.neighbour")
	r.handle(append(r.many(2, "db.shared.row"), r.successFile("db.shared.row"))...)
	r.wantRow("db.shared.row", "Success", 2)

	after := r.row("db.shared.row")
	for name := range after {
		if _, old := before[name]; !old {
			delete(after, name)
		}
	}
	before["CollectionStatus"], after["CollectionStatus"] = nil, nil
	if diff := cmp.Diff(before, after, attributes); diff != "" {
		t.Errorf("attributes of others (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(neighbour, r.row("db.shared.neighbour"), attributes); diff != "" {
		t.Errorf("row of a collection without messages (-before +after)\n%s", diff)
	}
}

// attributes ignores unexported fields of the SDK's values.
var attributes = cmp.Options{
	cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{},
		types.AttributeValueMemberM{},
		types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberNS{}),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
}
