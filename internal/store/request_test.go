package store_test

import (
	"strconv"
	"testing"
)

// The request of a collection: when it is enqueued, and which owner delivers it.

func TestReconciliationsAtOnceEnqueueOnce(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		sum := concurrently(10, func(i int) (sum int) {
			at, err := ts.another().Reconcile(ts.Context(), key("a"), strconv.Itoa(i))
			if err != nil {
				ts.Error(err)
			}
			if at.Pending != nil {
				sum++
			}
			return sum + 100*len(at.Moves)
		})
		if sum != 101 {
			ts.Errorf("%d of 10 own the request, %d moved the collection", sum%100, sum/100)
		}
	})
}

// FilesSent grows between the entry and the move: the owner releases its lease, and the owner that moves the collection
// later delivers at once.
func TestTheRequestIsReleasedWhenFilesSentGrows(t *testing.T) {
	everywhere(t, func(ts *testStore) {
		ts.counted("a", "Sent", 1)
		ts.meanwhile(ts.updates("row"), func() { ts.row("a", "Sent", 2) })
		if at := ts.reconcile("a", "first"); at.Pending != nil || at.Moved() {
			ts.Errorf("got %+v", at)
		}
		if entry := ts.ledger("a").Request; entry.Owner != "" || !entry.Pending(0) {
			ts.Errorf("the request is %+v, want it released", entry)
		}
		ts.count(receipt("a", "second"))
		at := ts.reconcile("a", "second")
		ts.wantRow("a", status("Received"))
		if at.Pending == nil || !ts.deliver(*at.Pending, "second") {
			ts.Errorf("got %+v, want the request to be the second's", at)
		}
		ts.wantSent(request("a", 0))
	})
}
