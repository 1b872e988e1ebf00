//go:build testaws

package aws_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"snapshot-status-checker/local"
	"snapshot-status-checker/statemachine"
	"snapshot-status-checker/test/aws/internal/compared"
	"snapshot-status-checker/test/aws/ruler"
)

// The local pipe runner decides like EventBridge about all kinds of stream records, each filter alone, and all
// together, with several exempt statuses.
func TestFiltersAgree(t *testing.T) {
	t.Parallel()
	for of, records := range map[string][]json.RawMessage{
		"generated records": generatedRecords(t), "records of DynamoDB Local": streamRecords(t),
	} {
		for _, exempt := range [][]string{nil, {"Table_Unavailable", "Blocked_Topic"},
			{"Table_Unavailable", "Blocked_Topic", "Not a Status"}} {
			t.Run(fmt.Sprintf("%s, %d exempt", of, len(exempt)), func(t *testing.T) {
				t.Parallel()
				sameDecisions(t, statemachine.StreamFilters(exempt), records, of)
			})
		}
	}
}

// sameDecisions compares the local runner with event-ruler. Each filter must pass some records and reject others.
func sameDecisions(t *testing.T, texts []string, records []json.RawMessage, of string) {
	t.Helper()
	matched, err := ruler.Match(texts, records)
	if err != nil {
		t.Fatal(err)
	}
	filters := map[string]local.Filters{"all filters": parse(t, texts)}
	for _, text := range texts {
		filters[text] = parse(t, []string{text})
	}
	passed, differences := map[string]int{}, 0
	for n, record := range records {
		var event map[string]any
		if err := json.Unmarshal(record, &event); err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{"all filters": slices.Contains(matched[n], true)}
		for i, text := range texts {
			want[text] = matched[n][i]
		}
		for text, filter := range filters {
			if want[text] {
				passed[text]++
			}
			if got := filter.Pass(event); got != want[text] {
				if differences++; differences <= 3 {
					t.Errorf("%s: the local runner says %v, event-ruler %v: %s", text, got, want[text], record)
				}
			}
		}
	}
	for text := range filters {
		if n := passed[text]; n == 0 || n == len(records) {
			t.Errorf("filter %s passes %d of %d records", text, n, len(records))
		}
	}
	compared.Report(t, "event-ruler: %d filters, %d %s: passed %d, decided differently %d",
		len(texts), len(records), of, passed["all filters"], differences)
}

func parse(t *testing.T, texts []string) local.Filters {
	t.Helper()
	filters, err := local.ParseFilters(texts)
	if err != nil {
		t.Fatal(err)
	}
	return filters
}
