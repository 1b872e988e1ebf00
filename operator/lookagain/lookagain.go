// Package lookagain starts looks at collections by hand, in as many executions as the sweep would start for them.
package lookagain

import (
	"context"
	"fmt"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/effect"
)

// Start starts looks at any number of collections with start, which starts one execution. What was started before an
// error goes on, and the error says how much that is: a look is harmless, also a second one.
func Start(
	ctx context.Context, start func(context.Context, []snapshot.CollectionKey) error, keys []snapshot.CollectionKey,
) error {
	requests := snapshot.Requests(keys)
	for started, some := range requests {
		if err := start(ctx, some); err != nil {
			return effect.After(err, fmt.Sprintf(
				"%d of %d executions were started before. Trying again is safe: a look takes only the steps that "+
					"are due", started, len(requests)))
		}
	}
	return nil
}
