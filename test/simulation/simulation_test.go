package simulation_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"snapshot-status-checker/test/simulation"
)

// How many schedules the tests try. `make simulate` tries as many as asked, and CI 20,000.
const (
	seedsThatHold    = 1500
	seedsForSabotage = 20000
)

func TestGuaranteesHold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seedsThatHold) {
		if result := simulation.Run(seed, simulation.Seeded(seed), nil); result.Violation != "" {
			t.Fatalf("seed %d: %s\n%s", seed, result.Violation, history(seed, simulation.Seeded(seed)))
		}
	}
}

// A guard that nothing misses would be either unnecessary or untested.
func TestEveryGuardIsMissed(t *testing.T) {
	t.Parallel()
	for _, guard := range simulation.Guards {
		t.Run(guard.Name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seedsForSabotage) {
				if result := simulation.Run(seed, guard.Without(), nil); result.Violation != "" {
					t.Logf("seed %d: %s", seed, result.Violation)
					return
				}
			}
			t.Errorf("%d schedules went by as if it were there", seedsForSabotage)
		})
	}
}

func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		if first, again := history(seed, simulation.Seeded(seed)),
			history(seed, simulation.Seeded(seed)); first != again || first == "" {
			t.Fatalf("seed %d gave two histories:\n%s\n\n%s", seed, first, again)
		}
	}
}

func history(seed uint64, plan simulation.Plan) string {
	var history strings.Builder
	simulation.Run(seed, plan, &history)
	return history.String()
}

func BenchmarkSchedules(b *testing.B) {
	seeds := make(chan uint64)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := range seeds {
				simulation.Run(seed, simulation.Seeded(seed), nil)
			}
		})
	}
	for seed := range uint64(b.N) {
		seeds <- seed
	}
	close(seeds)
	group.Wait()
}
