package statemachine

import (
	"encoding/json"
	"slices"
	"strings"
)

// MaxFilters bounds the filters of a pipe
// (https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_FilterCriteria.html).
const MaxFilters = 5

// MaxExemptStatuses is the number of exempt statuses of up to 64 letters, in their usual spellings, that fit into one
// filter (4,096 characters, https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Filter.html).
const MaxExemptStatuses = 10

// StreamFilters returns the event patterns of the pipe from the export status table's stream. A record that matches one
// of them starts a reconciliation. They match the removal of a row, and a status that changes
//
//   - to Sent, from anything else;
//   - to an exempt status, from any that is not exempt;
//   - to Success, from anything but Received;
//   - to Received, from anything but Sent, or from Sent without files: the sender moves such a collection itself.
//
// A new row, or one that had no status, counts as anything else. This system's own writes never match: counting, the
// move from Sent to Received with files, and the move from Received to Success.
//
// Pipes have equals-ignore-case but not its negation
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html). So the spellings of an
// excluded old status are listed: all of Sent and Received, the usual ones of the others.
func StreamFilters(exempt []string) []string {
	sent, received := everySpelling("Sent"), everySpelling("Received")
	toReceived := to("Received")
	toReceived["$or"] = []any{
		from(slices.Concat(sent, received)),
		map[string]any{
			"OldImage": status(ignoringCase("Sent")),
			"NewImage": map[string]any{"FilesSent": map[string]any{"N": []any{"0", missing}}},
		},
	}
	filters := []string{
		filter(map[string]any{"eventName": []string{"REMOVE"}}), change(to("Sent"), from(sent)),
		change(to("Success"), from(slices.Concat(received, usualSpellings("Success")))),
		filter(map[string]any{"dynamodb": toReceived}),
	}
	if len(exempt) > 0 {
		var spellings []string
		for _, status := range exempt {
			spellings = append(spellings, usualSpellings(status)...)
		}
		filters = append(filters, change(to(exempt...), from(spellings)))
	}
	return filters
}

var missing = map[string]bool{"exists": false}

// status is the pattern of an image with one of the statuses.
func status(alternatives ...any) map[string]any {
	return map[string]any{"CollectionStatus": map[string]any{"S": alternatives}}
}

func ignoringCase(status string) any { return map[string]string{"equals-ignore-case": status} }

// to is the pattern of a change to one of the statuses, in any case.
func to(statuses ...string) map[string]any {
	var alternatives []any
	for _, status := range statuses {
		alternatives = append(alternatives, ignoringCase(status))
	}
	return map[string]any{"NewImage": status(alternatives...)}
}

// from is the pattern of a change from a status that is not listed, or from none.
func from(notFrom []string) map[string]any {
	return map[string]any{"OldImage": status(map[string]any{"anything-but": notFrom}, missing)}
}

func change(to, from map[string]any) string {
	return filter(map[string]any{"dynamodb": map[string]any{"NewImage": to["NewImage"], "OldImage": from["OldImage"]}})
}

func filter(pattern map[string]any) string {
	text, err := json.Marshal(pattern)
	if err != nil {
		panic(err) // only this file's maps, strings and booleans are passed
	}
	return string(text)
}

func usualSpellings(status string) []string {
	spellings := []string{status}
	for _, other := range []string{strings.ToUpper(status), strings.ToLower(status), strings.ToUpper(status[:1]) +
		strings.ToLower(status[1:])} {
		if !slices.Contains(spellings, other) {
			spellings = append(spellings, other)
		}
	}
	return spellings
}

// everySpelling lists all 2^n spellings of a word in capitals and small letters.
func everySpelling(word string) []string {
	spellings := []string{""}
	for _, letter := range strings.Split(word, "") {
		var longer []string
		for _, beginning := range spellings {
			longer = append(longer, beginning+strings.ToUpper(letter), beginning+strings.ToLower(letter))
		}
		spellings = longer
	}
	return spellings
}
