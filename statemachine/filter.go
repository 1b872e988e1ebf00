package statemachine

import (
	"encoding/json"
	"slices"
	"strings"
)

// StreamFilters returns the event patterns of the pipe from the export status table's stream; a record that
// matches one of them starts a look. They pass changes of the status only: to Sent from anything else, to
// Received from anything but Sent and Received, to an exempt status from anything but itself. So somebody
// else's write that may let a collection or its run go on is looked at, and counting and our own moves are not.
//
// Pipes know equals-ignore-case but not its negation
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html), so what a status
// may not have been is listed in its spellings: every one of Sent, since a row counts while it is Sent, and the
// three that are in use of the others.
func StreamFilters(exempt []string) []string {
	filters := []string{
		filter("Sent", everySpelling("Sent")),
		filter("Received", append(everySpelling("Sent"), usualSpellings("Received")...)),
	}
	for _, status := range exempt {
		filters = append(filters, filter(status, usualSpellings(status)))
	}
	return filters
}

func filter(to string, notFrom []string) string {
	status := func(match ...any) map[string]any {
		return map[string]any{"CollectionStatus": map[string]any{"S": match}}
	}
	pattern, err := json.Marshal(map[string]any{"dynamodb": map[string]any{
		"NewImage": status(map[string]string{"equals-ignore-case": to}),
		"OldImage": status(map[string]any{"anything-but": notFrom}, map[string]bool{"exists": false}),
	}})
	if err != nil {
		panic(err) // only maps, strings and booleans of this function come here
	}
	return string(pattern)
}

func usualSpellings(status string) []string {
	spellings := []string{status}
	for _, other := range []string{strings.ToUpper(status), strings.ToLower(status), strings.ToUpper(status[:1]) + strings.ToLower(status[1:])} {
		if !slices.Contains(spellings, other) {
			spellings = append(spellings, other)
		}
	}
	return spellings
}

// everySpelling lists a word in capitals and small letters in all 2^n ways.
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
