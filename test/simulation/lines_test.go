package simulation_test

import (
	"testing"

	"snapshot-status-checker/test/simulation"
)

// The check that snapshot-status makes of a deployment's logs sees a missing guard from the log lines alone, if the
// guard is about counting, moves or sends.
func TestLinesAloneShowAMutation(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{
		"digests in the condition of a count":                      false,
		"pages in the condition of a count":                        false,
		"page before its digests are taken out":                    false,
		"page's number in the condition of taking its digests out": false,
		"receipts before a count":                                  false,
		"status in the condition of a move":                        false,
		"condition of a request":                                   false,
		"condition of a notification":                              false,
		"lease that lasts":                                         false,
		"mark of what was delivered":                               false,
	}
	for _, mutation := range simulation.Mutations {
		if _, wanted := seen[mutation.Name]; !wanted {
			continue
		}
		seen[mutation.Name] = true
		t.Run(mutation.Name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seedsPerMutation) {
				plan := mutation.Plan()
				plan.OnlyLines = true
				if result := simulation.Run(seed, plan, nil); result.Violation != "" {
					t.Logf("seed %d: %s", seed, result.Violation)
					return
				}
			}
			t.Errorf("the lines show nothing in %d schedules without this guard", seedsPerMutation)
		})
	}
	for name, exists := range seen {
		if !exists {
			t.Errorf("there is no mutation %q", name)
		}
	}
}
