package report

import (
	"cmp"
	"slices"

	"snapshot-status-checker/internal/snapshot"
)

// ToReconcile are the collections to reconcile for a whole run: those that wait for something or, if only a notification
// is pending, any one, since its reconciliation also checks the run.
func ToReconcile(run Run) []snapshot.CollectionKey {
	var keys []snapshot.CollectionKey
	for _, c := range run.Collections {
		if c.WaitsFor != ForNothing {
			keys = append(keys, snapshot.CollectionKey{CorrelationID: run.Run, CollectionName: c.Collection})
		}
	}
	pending := func(n Notification) bool { return n.Delivery.State == Pending }
	if len(keys) == 0 && slices.ContainsFunc(run.Notifications, pending) {
		keys = append(keys, snapshot.CollectionKey{CorrelationID: run.Run,
			CollectionName: run.Collections[0].Collection})
	}
	return keys
}

// NewestFirst sorts runs by their first messages, the newest first.
func NewestFirst(runs []snapshot.Run) {
	slices.SortFunc(runs, func(x, y snapshot.Run) int {
		return cmp.Or(y.RegisteredAt.Compare(x.RegisteredAt), cmp.Compare(x.CorrelationID, y.CorrelationID))
	})
}
