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
	s.calls.takeChecked()
	s.servePipes(t)
	for _, part := range []struct {
		want     string
		messages []string
	}{{"Received 1", files}, {"Success 1", successFiles}} {
		// All at once would be more than the engine has functions for (100): looks would be given up, and left to the sweep.
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
	units := s.calls.takeChecked() / collections
	t.Logf("%.2f read units for each collection", units)
	if units <= 1 || units > 5 { // whoever reads the whole run at every check reads more than 20
		t.Errorf("%.2f read units for each of %d collections, want at most 5 and more than none", units, collections)
	}
	got, err := s.table.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.outputs.LedgerTableName, ConsistentRead: aws.Bool(true), Key: row{"PK": text("run"), "SK": text(run)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, news := range []string{"AllReceivedDelivered", "AllSuccessfulDelivered"} {
		if told, _ := got.Item[news].(*types.AttributeValueMemberBOOL); told == nil || !told.Value {
			t.Errorf("%s is not set: %v", news, got.Item)
		}
	}
}
