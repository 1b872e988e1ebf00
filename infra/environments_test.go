package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Two environments stand side by side in one account and region: nothing that both would call by a name of ours has the
// same in both, and neither exports a value, whose name would have to be unique too. What has no name of ours gets one
// from CloudFormation. (test/e2e/adoption deploys two.)
func TestEnvironmentsDoNotClash(t *testing.T) {
	t.Parallel()
	one, other := byDefault(), synthesize(map[string]any{"environment": "other"})
	ours, theirs := one.names(), other.names()
	for name := range ours {
		if theirs[name] {
			t.Errorf("both environments have %s", name)
		}
	}
	// alarms, functions, log groups, queries, machine, schedule, dashboard
	if len(ours) != len(theirs) || len(ours) < 50 {
		t.Errorf("%d and %d names were found: %v", len(ours), len(theirs), slices.Sorted(maps.Keys(ours)))
	}
	for _, made := range []template{one, other} {
		if strings.Contains(made.json, `"Export":`) {
			t.Error("a value is exported")
		}
	}
}

// names are all that resources are called in the template itself, by type and property.
func (made template) names() map[string]bool {
	// These need not be unique: a policy is its role's own, a metric is what an alarm watches, and people read the
	// other.
	shared := []string{"PolicyName", "MetricName", "DisplayName"}
	names := map[string]bool{}
	for _, r := range made.Resources {
		for property, value := range r.Properties {
			if text, ok := value.(string); ok && strings.HasSuffix(property, "Name") &&
				!slices.Contains(shared, property) {
				names[r.Type+" "+property+" "+text] = true
			}
		}
	}
	return names
}
