package simulation_test

import (
	"strings"
	"testing"

	"snapshot-status-checker/internal/simulation"
)

// seeds is how many schedules the tests try; `make simulate` tries as many as asked.
const seeds = 3000

func TestGuaranteesHold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seeds) {
		if result := simulation.Run(seed, simulation.Seeded(seed), nil); result.Violation != "" {
			var history strings.Builder
			simulation.Run(seed, simulation.Seeded(seed), &history)
			t.Fatalf("seed %d: %s\n%s", seed, result.Violation, history.String())
		}
	}
}
