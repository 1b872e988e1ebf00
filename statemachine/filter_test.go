package statemachine_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/local/pattern"
	"snapshot-status-checker/statemachine"
)

var exempt = []string{"Table_Unavailable", "Blocked_Topic"}

// The records of testdata that start a reconciliation. All others do not: this system's own counts and moves, and what
// exporter and sender write on the way.
var starting = []string{
	"sender writes Sent",
	"row inserted as Sent",
	"row without a status becomes Sent",
	"sender writes Sent over Received",
	"sender writes Sent over Success",
	"sender writes Received for no files",
	"sender writes Received over Sent for no files",
	"row inserted as Received",
	"table became unavailable",
	"topic blocked after Sent",
	"row deleted while Sent",
	"row expired while Received",
	"another system writes Success over Sent",
	"another system writes Success over Exported",
	"another system writes Received over Success",
}

func TestFilterOnStreamRecords(t *testing.T) {
	t.Parallel()
	records, patterns := streamRecords(t), filters(t, exempt)
	for name, record := range records {
		if got, want := patterns.pass(record), slices.Contains(starting, name); got != want {
			t.Errorf("%s: passes %v, want %v", name, got, want)
		}
	}
	for _, name := range starting {
		if records[name] == nil {
			t.Errorf("testdata has no record %q", name)
		}
	}
}

// Every change from one status to another, in all spellings of Sent, Received and Success, and the usual ones of the
// others.
func TestFilterOnEveryChangeOfStatus(t *testing.T) {
	t.Parallel()
	var common []string
	for _, status := range append([]string{"Sent", "Received", "Success", "Exporting", "Exported", "Export_Failed",
		"Anything"}, exempt...) {
		common = append(common, status, strings.ToUpper(status), strings.ToLower(status))
	}
	every := slices.Concat(spellings("Sent"), spellings("Received"))
	for _, exempt := range [][]string{exempt, nil} {
		patterns, record := filters(t, exempt), streamRecords(t)["our move to Received"]
		check := func(from, to string, want bool) {
			if got := patterns.pass(changed(record, from, to)); got != want {
				t.Errorf("%s -> %s passes %v, want %v, with the exempt statuses %q", from, to, got, want, exempt)
			}
		}
		for _, to := range common {
			for _, from := range append(every, common...) {
				check(from, to, starts(from, to, exempt))
			}
		}
		for _, to := range append(every, spellings("Success")...) {
			for _, from := range common {
				check(from, to, starts(from, to, exempt))
			}
		}
		// EventBridge ignores the case of ASCII letters only.
		check("Exported", "\u017fent", false)
		check("Exported", "Bloc\u212aed_Topic", false)
		check("\u017fent", "Received", true)
	}
}

// starts is the rule of StreamFilters for collections with files.
func starts(from, to string, exempt []string) bool {
	is := func(status string, of ...string) bool {
		return slices.ContainsFunc(of, func(one string) bool { return strings.EqualFold(one, status) })
	}
	switch {
	case is(to, "Sent"):
		return !is(from, "Sent")
	case is(to, "Received"):
		return !is(from, "Received", "Sent")
	case is(to, "Success"):
		return !is(from, "Success", "Received")
	}
	return is(to, exempt...) && !is(from, exempt...)
}

// The sender itself moves a collection without files from Sent to Received.
func TestReceivedWithoutFilesPasses(t *testing.T) {
	t.Parallel()
	patterns, record := filters(t, nil), streamRecords(t)["our move to Received"]
	image := record["dynamodb"].(map[string]any)["NewImage"].(map[string]any)
	check := func(want bool) {
		for _, sent := range spellings("Sent") {
			if got := patterns.pass(changed(record, sent, "Received")); got != want {
				t.Errorf("%s -> Received with FilesSent %v passes %v, want %v", sent, image["FilesSent"], got, want)
			}
		}
	}
	for filesSent, want := range map[string]bool{"0": true, "1": false, "10": false} {
		image["FilesSent"] = map[string]any{"N": filesSent}
		check(want)
	}
	image["FilesSent"] = map[string]any{"S": "none"}
	check(true)
	delete(image, "FilesSent")
	check(true)
}

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Filter.html
func TestFiltersFit(t *testing.T) {
	t.Parallel()
	const most, longestStatus = 4096, 64
	filters := statemachine.StreamFilters(slices.Repeat([]string{strings.Repeat("aB", longestStatus/2)},
		statemachine.MaxExemptStatuses))
	if len(filters) > statemachine.MaxFilters {
		t.Errorf("%d filters", len(filters))
	}
	for _, filter := range filters {
		if len(filter) > most {
			t.Errorf("a filter of %d characters: %.60s…", len(filter), filter)
		}
	}
}

// changed sets the statuses of a record.
func changed(record map[string]any, from, to string) map[string]any {
	images := record["dynamodb"].(map[string]any)
	images["OldImage"].(map[string]any)["CollectionStatus"] = map[string]any{"S": from}
	images["NewImage"].(map[string]any)["CollectionStatus"] = map[string]any{"S": to}
	return record
}

// streamRecords reads Pipes' records of a DynamoDB stream, by their names.
func streamRecords(t *testing.T) (records map[string]map[string]any) {
	t.Helper()
	text, err := os.ReadFile("testdata/stream-records.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

type patterns []pattern.Pattern

func filters(t *testing.T, exempt []string) (parsed patterns) {
	t.Helper()
	for _, text := range statemachine.StreamFilters(exempt) {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, p)
	}
	return parsed
}

func (p patterns) pass(record map[string]any) bool {
	return slices.ContainsFunc(p, func(p pattern.Pattern) bool { return p.Matches(record) })
}

// spellings lists all 2^n spellings of a word in capitals and small letters, by counting in binary.
func spellings(word string) (all []string) {
	for bits := range 1 << len(word) {
		letters := []byte(strings.ToLower(word))
		for i := range letters {
			if bits>>i&1 == 1 {
				letters[i] = strings.ToUpper(word)[i]
			}
		}
		all = append(all, string(letters))
	}
	return all
}
