package simulation_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"snapshot-status-checker/test/simulation"
)

// How many schedules the tests try. CI tries 20,000 with `make simulate`.
const (
	seedsThatHold    = 1500
	seedsPerMutation = 20000
)

func TestGuaranteesHold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(seedsThatHold) {
		if result := simulation.Run(seed, simulation.Seeded(seed), nil); result.Violation != "" {
			t.Fatalf("seed %d: %s\n%s", seed, result.Violation, history(seed, simulation.Seeded(seed)))
		}
	}
}

// firstSeeds are those with which the search begins for mutations that few schedules show. They save time only: the
// search goes on with all others. When it takes long after a change, take the seeds that the test logs (-v).
var firstSeeds = map[string]uint64{
	"notified by the entry":                       14351,
	"success epochs as a set":                     8871,
	"releasing a request that waits for its move": 2119,
	"no success in the condition of a late alert": 966,
}

func TestEveryMutationBreaksAGuarantee(t *testing.T) {
	t.Parallel()
	for _, mutation := range simulation.Mutations {
		t.Run(mutation.Name, func(t *testing.T) {
			t.Parallel()
			for i := range uint64(seedsPerMutation) {
				seed := (firstSeeds[mutation.Name] + i) % seedsPerMutation
				if result := simulation.Run(seed, mutation.Plan(), nil); result.Violation != "" {
					t.Logf("seed %d: %s", seed, result.Violation)
					return
				}
			}
			t.Errorf("all guarantees held in %d schedules without this guard", seedsPerMutation)
		})
	}
}

func TestSameSeedGivesSameHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		plan := simulation.Seeded(seed)
		if first, second := history(seed, plan), history(seed, plan); first != second || first == "" {
			t.Fatalf("seed %d gave two histories:\n%s\n\n%s", seed, first, second)
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
