package hotpath

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A run of 200 collections that complete as their messages come, several at a time: what check-all reads stays linear.
// (Package store counts the same for larger runs, and for other orders.)
func TestReadsOfARun(t *testing.T) {
	engine, calls := engine(t, "0.2")
	s := deploy(t, engine, calls, "STANDARD", 10)
	const run, collections = "run-of-200", 200
	var names, files, successFiles []string
	for i := range collections {
		name := fmt.Sprintf("db.database.collection-%03d", i)
		s.put(t, run, name, number(1))
		names = append(names, name)
		files = append(files, receipt(run, name, "file"))
		successFiles = append(successFiles, encode(map[string]any{"correlation_id": run, "collection_name": name,
			"snapshot_type": "full", "export_date": "2020-01-01", "is_success_file": true}))
	}
	s.calls.takeReads()
	s.servePipes(t)
	for _, part := range []struct {
		want     string
		messages []string
	}{{"Received 1", files}, {"Success 1", successFiles}} {
		// All at once would be more than the engine has functions for (100): tasks would be given up, and left to the
		// sweep.
		for first := 0; first < collections; first += 20 {
			some := names[first : first+20]
			s.send(t, part.messages[first:first+20]...)
			await(t, func() string {
				for _, name := range some {
					if got := s.stands(t, run, name); got != part.want {
						return fmt.Sprintf("%s stands at %s, want %s", name, got, part.want)
					}
				}
				return ""
			})
		}
		s.settle(t)
	}
	pages, runs, rows := s.checkAllReads(collections)
	units := (pages + runs + rows) / collections
	t.Logf("%.2f read units for each collection: %.2f of pages, %.2f of the run, %.2f of single rows", units,
		pages/collections, runs/collections, rows/collections)
	// 3 are the goal, held by package store in every order. Here some more go into blockers that others move meanwhile,
	// if the machine is busy. Reading the run once for each notification takes 3.7, reading all of its rows more than
	// 20.
	if units <= 1 || units > 3.5 {
		t.Errorf("check-all took %.2f read units for each of %d collections, want at most 3.5 and more than 1", units,
			collections)
	}
	got, err := s.table.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.outputs.LedgerTableName, ConsistentRead: aws.Bool(true),
		Key: row{"PK": text("run"), "SK": text(run)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, notification := range []string{"AllReceivedDelivered", "AllSuccessfulDelivered"} {
		if delivered, _ := got.Item[notification].(*types.AttributeValueMemberBOOL); delivered == nil ||
			!delivered.Value {
			t.Errorf("%s is not set: %v", notification, got.Item)
		}
	}
}

// checkAllReads is the read units of check-all since the last time, for a run of which every collection was counted
// first, asked for its success file, and moved twice. Pages are read by check-all alone. Of single items the others
// read:
//   - check-collection the ledger's collection with every row, and the run before it enqueues a request;
//   - increment the ledger's collection when it adopts the row, and notify before it delivers the request;
//   - notify the run before it delivers each of the two notifications.
func (s *stack) checkAllReads(collections float64) (pages, runs, rows float64) {
	pages, items := s.calls.takeReads()
	return pages, items["run"] - collections - 2, items["row"] - (items["collection"] - 2*collections)
}
