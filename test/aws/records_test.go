//go:build testaws

package aws_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// odd are statuses that no system writes. Some have letters that fold to ASCII in Unicode: ſ, the Kelvin sign, the
// Turkish i.
var odd = []string{
	"", " Sent", "Sent ", "Sen", "Sents", "S", "Received_", "sent\n", "ſent", "SenT\u0130", "Receıved",
	"Received\u0000",
	"Bloc\u212Aed_Topic", "Table-Unavailable", "*", `\`, `"`, "É", "é", "😀", "\uFF33ent", "null", "1", "Success/",
}

// statuses are words in many spellings: all spellings of Sent, some of the others.
func statuses() []string {
	random := rand.New(rand.NewPCG(1, 1))
	words := slices.Clone(odd)
	for spelling := range uint(1 << len("Sent")) {
		words = append(words, spelled("Sent", spelling))
	}
	for _, word := range []string{
		"Received", "Success", "Exporting", "Exported", "Export_Failed", "Table_Unavailable", "Blocked_Topic",
		"Not a Status", "Anything",
	} {
		words = append(words, word, strings.ToUpper(word), strings.ToLower(word))
		for range 4 {
			words = append(words, spelled(word, random.Uint()))
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// spelled has a capital letter for each bit that is set, the first letter for the lowest bit.
func spelled(word string, capitals uint) (spelled string) {
	for i, letter := range strings.Split(word, "") {
		if capitals>>i&1 == 1 {
			spelled += strings.ToUpper(letter)
		} else {
			spelled += strings.ToLower(letter)
		}
	}
	return spelled
}

// attribute is a value in DynamoDB's JSON, nil for none.
type attribute map[string]any

func text(value string) attribute { return attribute{"S": value} }

// oddStatuses are the values of other types that another system might write, and texts within them.
var oddStatuses = []attribute{
	nil, {"NULL": true}, {"N": "1"}, {"BOOL": true}, {"B": "U2VudA=="},
	{"SS": []string{"Sent", "x"}}, {"NS": []string{"0"}},
	{"L": []attribute{text("Sent"), text("Received")}}, {"L": []any{}},
	{"M": attribute{"S": text("Sent")}}, {"M": attribute{}},
}

// filesSent are the counters that a filter may ask for.
var filesSent = []attribute{nil, {"N": "0"}, {"N": "1"}, {"N": "10"}, {"N": "-0"}, text("0"), {"NULL": true}}

// generatedRecords are records of every change between two statuses, of insertions and removals, with odd types and
// missing images.
func generatedRecords(t *testing.T) (records []json.RawMessage) {
	t.Helper()
	add := func(record map[string]any) {
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, text)
	}
	values := slices.Clone(oddStatuses)
	for _, status := range statuses() {
		values = append(values, text(status))
	}
	three := attribute{"N": "3"}
	for _, is := range values {
		for _, sent := range filesSent {
			add(record("INSERT", nil, image(is, sent)))
			add(record("REMOVE", image(is, sent), nil))
		}
		for _, was := range values {
			add(record("MODIFY", image(was, three), image(is, three)))
		}
	}
	usual := []attribute{nil}
	for _, status := range []string{"Sent", "SENT", "Received", "received", "Success", "Exported", "Blocked_Topic"} {
		usual = append(usual, text(status))
	}
	for _, was := range usual {
		for _, is := range usual {
			for _, before := range filesSent {
				for _, after := range filesSent {
					add(record("MODIFY", image(was, before), image(is, after)))
				}
			}
		}
	}
	for _, change := range []any{nil, map[string]any{"NewImage": nil, "OldImage": nil}} {
		add(map[string]any{"eventSource": "aws:dynamodb", "dynamodb": change})
	}
	add(map[string]any{})
	return records
}

func image(status, sent attribute) map[string]any {
	all := map[string]any{
		"CorrelationId": text("run-1"), "CollectionName": text("db.a"), "FilesReceived": attribute{"N": "0"},
	}
	if status != nil {
		all["CollectionStatus"] = status
	}
	if sent != nil {
		all["FilesSent"] = sent
	}
	return all
}

func record(event string, was, is map[string]any) map[string]any {
	change := map[string]any{}
	if was != nil {
		change["OldImage"] = was
	}
	if is != nil {
		change["NewImage"] = is
	}
	return map[string]any{"eventName": event, "eventSource": "aws:dynamodb", "dynamodb": change}
}
