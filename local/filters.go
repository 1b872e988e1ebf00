package local

import (
	"slices"

	"snapshot-status-checker/local/pattern"
)

// Filters decide which records a pipe brings to its target.
type Filters []pattern.Pattern

// ParseFilters reads the event patterns of a pipe's filters. A pattern that the local runner does not know is an error.
func ParseFilters(texts []string) (Filters, error) {
	var filters Filters
	for _, text := range texts {
		filter, err := pattern.Parse(text)
		if err != nil {
			return nil, err
		}
		filters = append(filters, filter)
	}
	return filters, nil
}

// Pass reports whether a record matches any of the filters, or there is none.
func (f Filters) Pass(record map[string]any) bool {
	return len(f) == 0 || slices.ContainsFunc(f, func(filter pattern.Pattern) bool { return filter.Matches(record) })
}
