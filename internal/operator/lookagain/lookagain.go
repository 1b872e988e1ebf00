// Package lookagain starts looks at collections by hand, in as many executions as the sweep would start for them.
package lookagain

import (
	"context"
	"slices"

	"snapshot-status-checker/functions/sweep"
	"snapshot-status-checker/internal/snapshot"
)

// Start starts looks at any number of collections with start, which starts one execution. What was started before an error
// goes on: a look is harmless, also a second one.
func Start(ctx context.Context, start func(context.Context, []snapshot.CollectionKey) error, keys []snapshot.CollectionKey) error {
	for some := range slices.Chunk(keys, sweep.MaxCollections) {
		if err := start(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// Executions is how many executions that takes.
func Executions(collections int) int {
	return (collections + sweep.MaxCollections - 1) / sweep.MaxCollections
}
