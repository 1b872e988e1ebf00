package store_test

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// The tables: writes of other systems, and checks.

// overwrite writes attributes of a row unconditionally, as other systems do.
func (ts *testStore) overwrite(collection string, attributes map[string]any) {
	ts.Helper()
	ts.write(table.Write{Ref: ts.tables.Status.At(run, collection), Set: attributes})
}

// write writes without the store.
func (ts *testStore) write(write table.Write) {
	ts.Helper()
	if _, err := ts.db.Update(ts.Context(), write); err != nil {
		ts.Fatal(err)
	}
}

func (ts *testStore) row(collection, status string, sent int64) {
	ts.Helper()
	ts.overwrite(collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

// exportAgain resets a row as the exporter does before it exports a collection again.
func (ts *testStore) exportAgain(collection string) {
	ts.Helper()
	ts.overwrite(collection, map[string]any{"CollectionStatus": "Exporting", "FilesSent": int64(0),
		"FilesReceived": int64(0)})
}

// put replaces an item, or deletes it for nil. Package table has no such operation.
func (ts *testStore) put(ref table.Ref, item table.Item) {
	ts.Helper()
	if db, ok := ts.db.(*memory.DB); ok {
		db.Put(ref, item)
		return
	}
	attributes := map[string]types.AttributeValue{
		ref.PartitionKey: &types.AttributeValueMemberS{Value: ref.Partition},
		ref.SortKey:      &types.AttributeValueMemberS{Value: ref.Sort},
	}
	client := dynamodb.NewFromConfig(config(ts))
	var err error
	if item == nil {
		_, err = client.DeleteItem(ts.Context(), &dynamodb.DeleteItemInput{TableName: &ref.Table, Key: attributes})
	} else {
		for attribute, value := range item {
			switch value := value.(type) {
			case string:
				attributes[attribute] = &types.AttributeValueMemberS{Value: value}
			case int64:
				attributes[attribute] = &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
			default:
				ts.Fatalf("attribute %s is a %T", attribute, value)
			}
		}
		_, err = client.PutItem(ts.Context(), &dynamodb.PutItemInput{TableName: &ref.Table, Item: attributes})
	}
	if err != nil {
		ts.Fatal(err)
	}
}

// replace replaces a row by one that the exporter makes.
func (ts *testStore) replace(collection, status string, sent int64) {
	ts.Helper()
	ts.put(ts.tables.Status.At(run, collection), table.Item{"CollectionStatus": status, "FilesSent": sent})
}

func (ts *testStore) remove(collection string) {
	ts.Helper()
	ts.put(ts.tables.Status.At(run, collection), nil)
}

func (ts *testStore) item(ref table.Ref) table.Item {
	ts.Helper()
	item, err := ts.db.Get(ts.Context(), table.Read{Ref: ref, Consistent: true})
	if err != nil {
		ts.Fatal(err)
	}
	return item
}

// stands reads a row's attributes.
func (ts *testStore) stands(collection string) table.Item {
	ts.Helper()
	return ts.item(ts.tables.Status.At(run, collection))
}

func (ts *testStore) wantRow(collection string, want table.Item) {
	ts.Helper()
	got := ts.stands(collection)
	for attribute, value := range want {
		if got[attribute] != value {
			ts.Errorf("%s of %s is %v, want %v", attribute, collection, got[attribute], value)
		}
	}
}

func received(files int64) table.Item {
	return table.Item{"FilesReceived": files, "SyncedFiles": files}
}

func status(status string) table.Item { return table.Item{"CollectionStatus": status} }
