package hotpath

import (
	"fmt"
	"testing"

	"snapshot-status-checker/local/localtest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// 200 collections of a run complete, several at a time: the reads of check-all stay linear. (Package store tests larger
// runs and other orders.)
func linearReads(t *testing.T, s *stack) {
	const run, collections = "run-of-200", 200
	var names, files, successFiles []string
	for i := range collections {
		name := fmt.Sprintf("db.database.collection-%03d", i)
		s.PutRow(t, run, name, "Sent", localtest.Number(1))
		names = append(names, name)
		files = append(files, receipt(run, name, "file"))
		successFiles = append(successFiles, encode(map[string]any{"correlation_id": run, "collection_name": name,
			"snapshot_type": "full", "export_date": "2020-01-01", "is_success_file": true}))
	}
	s.calls.takeReads()
	s.StartPipes(t)
	for _, part := range []struct {
		want     string
		messages []string
	}{{"Received 1", files}, {"Success 1", successFiles}} {
		// All at once would need more than the 100 functions that the engine runs, and some be left to the sweep.
		for first := 0; first < collections; first += 20 {
			some := names[first : first+20]
			s.send(t, part.messages[first:first+20]...)
			localtest.AwaitNothing(t, func() string {
				for _, name := range some {
					if got := s.RowState(t, run, name); got != part.want {
						return fmt.Sprintf("%s is %s, want %s", name, got, part.want)
					}
				}
				return ""
			})
		}
		s.Settle(t)
	}
	pages, runs, rows := s.checkAllReads(collections)
	units := (pages + runs + rows) / collections
	t.Logf("%.2f read units for each collection: %.2f of pages, %.2f of the run, %.2f of single rows", units,
		pages/collections, runs/collections, rows/collections)
	// The goal is 3, which package store tests in every order. Concurrent moves of blockers cost some more here.
	// Reading the run once for each notification would cost 3.7, reading all of its rows more than 20.
	if units <= 1 || units > 3.5 {
		t.Errorf("check-all took %.2f read units for each of %d collections, want at most 3.5 and more than 1", units,
			collections)
	}
	stored := s.LedgerItem(t, "run", run)
	for _, notification := range []string{"AllReceivedDelivered", "AllSuccessfulDelivered"} {
		if delivered, _ := stored[notification].(*types.AttributeValueMemberBOOL); delivered == nil ||
			!delivered.Value {
			t.Errorf("%s is not set: %v", notification, stored)
		}
	}
}

// checkAllReads is the read units of check-all since the last time, for a run of which every collection was counted
// first, request for its success file, and moved twice. Pages are read by check-all alone. Of single items the others
// read:
//   - check-collection the ledger's collection with every row, and the run before it enqueues a request;
//   - increment the ledger's collection when it adopts the row, and notify before it delivers the request;
//   - notify the run before it delivers each of the two notifications.
func (s *stack) checkAllReads(collections float64) (pages, runs, rows float64) {
	pages, items := s.calls.takeReads()
	return pages, items["run"] - collections - 2, items["row"] - (items["collection"] - 2*collections)
}
