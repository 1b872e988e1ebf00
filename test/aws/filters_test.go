//go:build testaws

package aws_test

import (
	"encoding/json"
	"slices"
	"testing"

	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/test/aws/internal/compared"
	"snapshot-status-checker/test/aws/ruler"
)

// exemptions are exempt statuses of a deployment.
var exemptions = map[string][]string{
	"NoExemptStatus": nil,
	"TwoExempt":      {"Table_Unavailable", "Blocked_Topic"},
	"ThreeExempt":    {"Table_Unavailable", "Blocked_Topic", "Not a Status"},
}

// The local pipe runner decides like EventBridge about all kinds of stream records.
func TestFiltersAgreeOnGeneratedRecords(t *testing.T) {
	t.Parallel()
	var records []json.RawMessage
	for record := range generatedRecords() {
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, text)
	}
	for name, exempt := range exemptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameDecisions(t, statemachine.StreamFilters(exempt), records, "generated records")
		})
	}
}

func TestFiltersAgreeOnStreamRecords(t *testing.T) {
	t.Parallel()
	records := streamRecords(t)
	for name, exempt := range exemptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameDecisions(t, statemachine.StreamFilters(exempt), records, "records of DynamoDB Local")
		})
	}
}

// sameDecisions compares the local runner with event-ruler: each filter alone, and all together. Each filter must pass
// some records and reject others.
func sameDecisions(t *testing.T, texts []string, records []json.RawMessage, of string) {
	t.Helper()
	matched, err := ruler.Match(texts, records)
	if err != nil {
		t.Fatal(err)
	}
	all, each := parse(t, texts), make([]local.Filters, len(texts))
	passed := make([]int, len(texts))
	for i := range texts {
		each[i] = parse(t, texts[i:i+1])
	}
	differences := 0
	differ := func(which string, got bool, record json.RawMessage) {
		if differences++; differences <= 3 {
			t.Errorf("%s: the local runner says %v, event-ruler %v: %s", which, got, !got, record)
		}
	}
	for n, record := range records {
		var event map[string]any
		if err := json.Unmarshal(record, &event); err != nil {
			t.Fatal(err)
		}
		if got := all.Pass(event); got != slices.Contains(matched[n], true) {
			differ("all filters", got, record)
		}
		for i, want := range matched[n] {
			if got := each[i].Pass(event); got != want {
				differ(texts[i], got, record)
			}
			if want {
				passed[i]++
			}
		}
	}
	for i, n := range passed {
		if n == 0 || n == len(records) {
			t.Errorf("filter %s passes %d of %d records", texts[i], n, len(records))
		}
	}
	compared.Report(t, "event-ruler: %d filters, %d %s: passed %v, decided differently %d",
		len(texts), len(records), of, passed, differences)
}

func parse(t *testing.T, texts []string) local.Filters {
	t.Helper()
	filters, err := local.ParseFilters(texts)
	if err != nil {
		t.Fatal(err)
	}
	return filters
}
