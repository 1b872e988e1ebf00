package statemachine_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/local/pattern"
	"snapshot-status-checker/statemachine"
)

var exempt = []string{"Table_Unavailable", "Blocked_Topic"}

// Whether a record of testdata starts a reconciliation, with these exempt statuses.
var passes = map[string]bool{
	"counting while Sent":         false,
	"first count of a row":        false,
	"counting while Exported":     false,
	"late receipt while Received": false,
	"late receipt while Success":  false,
	"our move to Received":        false,
	"our move to Success":         false,

	"sender adds to FilesSent":            false,
	"exporter exports":                    false,
	"sender writes Sent":                  true,
	"row inserted as Sent":                true,
	"row without a status becomes Sent":   true,
	"sender writes Sent over Received":    true,
	"sender writes Sent over Success":     true,
	"sender writes Received for no files": true,
	"row inserted as Received":            true,
	"table became unavailable":            true,
	"topic blocked after Sent":            true,
	"counting while Blocked_Topic":        false,
	"export failed, counters set back":    false,
	"row deleted while Sent":              true,
	"row expired while Received":          true,

	"sender writes Received over Sent for no files": true,
	"another system writes Success over Sent":       true,
	"another system writes Success over Exported":   true,
	"another system writes Received over Success":   true,
	"from one exempt status to the other":           false,
}

func TestFilterOnStreamRecords(t *testing.T) {
	t.Parallel()
	records := streamRecords(t)
	if got, want := slices.Sorted(maps.Keys(records)), slices.Sorted(maps.Keys(passes)); !slices.Equal(got, want) {
		t.Fatalf("records %q, but expectations for %q", got, want)
	}
	for name, record := range records {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := passed(t, exempt, record); got != passes[name] {
				t.Errorf("passes: %v", got)
			}
		})
	}
}

// Without exempt statuses, a status that never finishes starts no reconciliation.
func TestFilterWithoutExemptStatuses(t *testing.T) {
	t.Parallel()
	records := streamRecords(t)
	for name, want := range map[string]bool{
		"table became unavailable": false, "topic blocked after Sent": false, "sender writes Sent": true,
		"sender writes Received for no files": true,
	} {
		if got := passed(t, nil, records[name]); got != want {
			t.Errorf("%s: passes: %v", name, got)
		}
	}
}

// This system's own writes: counting, and its two moves.
func TestOwnWritesNeverPass(t *testing.T) {
	t.Parallel()
	filter := changes(t, exempt)
	for _, sent := range spellings("Sent") {
		filter.drops(sent, sent) // counting
		for _, received := range spellings("Received") {
			filter.drops(sent, received)
		}
	}
	for _, received := range spellings("Received") {
		filter.drops(received, received) // late receipts
		for _, success := range spellings("Success") {
			filter.drops(received, success)
		}
	}
	for _, status := range append(exempt, "Success", "Exported", "Exporting", "Export_Failed") {
		for _, spelling := range usual(status) {
			filter.drops(spelling, spelling)
		}
	}
}

// Writes of other systems that start a reconciliation.
func TestChangesByOthersPass(t *testing.T) {
	t.Parallel()
	filter := changes(t, exempt)
	for _, before := range []string{"Exporting", "Exported", "Export_Failed", "Table_Unavailable", "Received",
		"Success", "Anything"} {
		for _, old := range usual(before) {
			for _, sent := range spellings("Sent") {
				filter.passes(old, sent)
			}
			for _, received := range spellings("Received") {
				if before != "Received" {
					filter.passes(old, received)
				}
			}
			for _, success := range spellings("Success") {
				if before != "Received" && before != "Success" {
					filter.passes(old, success)
				}
			}
		}
	}
	for _, status := range exempt {
		for _, to := range usual(status) {
			for _, old := range slices.Concat(usual("Exporting"), usual("Sent"), usual("Received"), usual("Success")) {
				filter.passes(old, to)
			}
		}
	}
	for _, sent := range spellings("Sent") {
		for _, success := range spellings("Success") {
			filter.passes(sent, success)
		}
	}
}

// The sender itself moves a collection without files, from Sent or from anything else.
func TestReceivedWithoutFilesPasses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		filesSent any // nil for none
		want      bool
	}{
		"NoFiles": {map[string]any{"N": "0"}, true}, "Missing": {nil, true}, "NoNumber": {map[string]any{"S": "none"},
			true},
		"OneFile": {map[string]any{"N": "1"}, false}, "TenFiles": {map[string]any{"N": "10"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filter := changes(t, nil)
			image := filter.record["dynamodb"].(map[string]any)["NewImage"].(map[string]any)
			if image["FilesSent"] = test.filesSent; test.filesSent == nil {
				delete(image, "FilesSent")
			}
			for _, sent := range spellings("Sent") {
				filter.expect(sent, "Received", test.want)
			}
		})
	}
}

// EventBridge ignores the case of ASCII letters only.
func TestOtherLettersAreNotFolded(t *testing.T) {
	t.Parallel()
	filter := changes(t, exempt)
	filter.drops("Exported", "\u017fent")
	filter.drops("Exported", "Bloc\u212aed_Topic")
	filter.passes("\u017fent", "Received")
}

// https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Filter.html
func TestFiltersFit(t *testing.T) {
	t.Parallel()
	const most, longestStatus = 4096, 64
	for _, exempt := range [][]string{nil, slices.Repeat([]string{strings.Repeat("aB", longestStatus/2)},
		statemachine.MaxExemptStatuses)} {
		filters := statemachine.StreamFilters(exempt)
		if len(filters) > statemachine.MaxFilters {
			t.Errorf("%d filters for %d exempt statuses", len(filters), len(exempt))
		}
		for _, filter := range filters {
			if len(filter) > most {
				t.Errorf("a filter of %d characters: %.60s…", len(filter), filter)
			}
		}
	}
}

// filter asserts whether a change of status passes, in an otherwise equal record.
type filter struct {
	*testing.T
	patterns []pattern.Pattern
	record   map[string]any
}

func changes(t *testing.T, exempt []string) filter {
	return filter{T: t, patterns: parsed(t, exempt), record: streamRecords(t)["our move to Received"]}
}

func (f filter) passes(from, to string) { f.Helper(); f.expect(from, to, true) }
func (f filter) drops(from, to string)  { f.Helper(); f.expect(from, to, false) }

func (f filter) expect(from, to string, want bool) {
	f.Helper()
	images := f.record["dynamodb"].(map[string]any)
	images["OldImage"].(map[string]any)["CollectionStatus"] = map[string]any{"S": from}
	images["NewImage"].(map[string]any)["CollectionStatus"] = map[string]any{"S": to}
	if got := matchesAny(f.patterns, f.record); got != want {
		f.Errorf("%s -> %s passes: %v", from, to, got)
	}
}

// streamRecords reads Pipes' records of a DynamoDB stream, by their names.
func streamRecords(t *testing.T) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/stream-records.json")
	if err != nil {
		t.Fatal(err)
	}
	var records map[string]map[string]any
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

func passed(t *testing.T, exempt []string, record map[string]any) bool {
	t.Helper()
	return matchesAny(parsed(t, exempt), record)
}

func matchesAny(patterns []pattern.Pattern, record map[string]any) bool {
	return slices.ContainsFunc(patterns, func(p pattern.Pattern) bool { return p.Matches(record) })
}

func parsed(t *testing.T, exempt []string) []pattern.Pattern {
	t.Helper()
	var patterns []pattern.Pattern
	for _, text := range statemachine.StreamFilters(exempt) {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// spellings lists all 2^n spellings of a word in capitals and small letters, by counting in binary.
func spellings(word string) []string {
	var all []string
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

// usual lists the usual spellings of a status.
func usual(status string) []string {
	return []string{status, strings.ToUpper(status), strings.ToLower(status)}
}
