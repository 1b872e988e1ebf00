// Package lookagain starts looks at collections by hand, in as many executions as the sweep would start for them.
package lookagain

import (
	"context"
	"fmt"
	"slices"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/operator/effect"
	"snapshot-status-checker/internal/snapshot"
)

// Start starts looks at any number of collections with start, which starts one execution. What was started before an error
// goes on, and the error says how much that is: a look is harmless, also a second one.
func Start(ctx context.Context, start func(context.Context, []snapshot.CollectionKey) error, keys []snapshot.CollectionKey) error {
	started := 0
	for some := range slices.Chunk(keys, sweep.MaxCollections) {
		if err := start(ctx, some); err != nil {
			return effect.After(err, fmt.Sprintf("%d of %d executions were started before. Trying again is safe: a look takes only the steps that are due",
				started, Executions(len(keys))))
		}
		started++
	}
	return nil
}

// Executions is how many executions that takes.
func Executions(collections int) int {
	return (collections + sweep.MaxCollections - 1) / sweep.MaxCollections
}
