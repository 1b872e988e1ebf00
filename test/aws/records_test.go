//go:build testaws

package aws_test

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
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
	for _, word := range []string{
		"Sent", "Received", "Success", "Exporting", "Exported", "Export_Failed", "Table_Unavailable", "Blocked_Topic",
		"Not a Status", "Anything",
	} {
		words = append(words, word, strings.ToUpper(word), strings.ToLower(word))
		if word == "Sent" {
			words = append(words, spellings(word)...)
		}
		for range 4 {
			words = append(words, spelledAtRandom(random, word))
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// spellings are all 2^n combinations of capitals and small letters.
func spellings(word string) []string {
	all := []string{""}
	for _, letter := range strings.Split(word, "") {
		var longer []string
		for _, beginning := range all {
			longer = append(longer, beginning+strings.ToUpper(letter), beginning+strings.ToLower(letter))
		}
		all = longer
	}
	return all
}

func spelledAtRandom(random *rand.Rand, word string) string {
	var spelled strings.Builder
	for _, letter := range strings.Split(word, "") {
		if random.IntN(2) == 0 {
			letter = strings.ToUpper(letter)
		} else {
			letter = strings.ToLower(letter)
		}
		spelled.WriteString(letter)
	}
	return spelled.String()
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
func generatedRecords() iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		var values []attribute
		for _, status := range statuses() {
			values = append(values, text(status))
		}
		values = append(values, oddStatuses...)
		for _, status := range values {
			for _, sent := range filesSent {
				if !yield(record("INSERT", nil, image(status, sent))) ||
					!yield(record("REMOVE", image(status, sent), nil)) {
					return
				}
			}
			for _, was := range values {
				if !yield(record("MODIFY", image(was, attribute{"N": "3"}), image(status, attribute{"N": "3"}))) {
					return
				}
			}
		}
		usual := []attribute{nil}
		for _, status := range []string{"Sent", "SENT", "Received", "received", "Success", "Exported",
			"Blocked_Topic"} {
			usual = append(usual, text(status))
		}
		for _, was := range usual {
			for _, is := range usual {
				for _, before := range filesSent {
					for _, after := range filesSent {
						if !yield(record("MODIFY", image(was, before), image(is, after))) {
							return
						}
					}
				}
			}
		}
		for _, broken := range []map[string]any{
			{"eventSource": "aws:dynamodb"}, {"eventSource": "aws:dynamodb", "dynamodb": nil}, {},
			{"eventSource": "aws:dynamodb", "dynamodb": map[string]any{"NewImage": nil, "OldImage": nil}},
		} {
			if !yield(broken) {
				return
			}
		}
	}
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
	change := map[string]any{
		"ApproximateCreationDateTime": 1795449601, "SequenceNumber": "1", "SizeBytes": 3,
		"StreamViewType": "NEW_AND_OLD_IMAGES",
		"Keys":           map[string]any{"CorrelationId": text("run-1"), "CollectionName": text("db.a")},
	}
	if was != nil {
		change["OldImage"] = was
	}
	if is != nil {
		change["NewImage"] = is
	}
	return map[string]any{
		"eventID": "e", "eventName": event, "eventVersion": "1.1", "eventSource": "aws:dynamodb", "dynamodb": change,
		"awsRegion": "eu-west-1", "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/rows/stream/2026",
	}
}
