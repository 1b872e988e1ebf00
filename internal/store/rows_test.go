package store_test

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// The tables, as others write them and as they stand.

// overwrite writes attributes of a row as the other writers do: without looking.
func (w *world) overwrite(collection string, attributes map[string]any) {
	w.Helper()
	w.write(table.Write{Ref: w.tables.Status.At(run, collection), Set: attributes})
}

// write writes past the protocol.
func (w *world) write(write table.Write) {
	w.Helper()
	if _, err := w.db.Update(w.Context(), write); err != nil {
		w.Fatal(err)
	}
}

func (w *world) row(collection, status string, sent int64) {
	w.Helper()
	w.overwrite(collection, map[string]any{"CollectionStatus": status, "FilesSent": sent})
}

// exportAgain is what the exporter does before it exports a collection again.
func (w *world) exportAgain(collection string) {
	w.Helper()
	w.overwrite(collection, map[string]any{"CollectionStatus": "Exporting", "FilesSent": int64(0),
		"FilesReceived": int64(0)})
}

// put replaces an item whole, which is no operation of package table: this system never does it. nil deletes it.
func (w *world) put(ref table.Ref, item table.Item) {
	w.Helper()
	if db, ok := w.db.(*memory.DB); ok {
		db.Put(ref, item)
		return
	}
	attributes := map[string]types.AttributeValue{
		ref.PartitionKey: &types.AttributeValueMemberS{Value: ref.Partition},
		ref.SortKey:      &types.AttributeValueMemberS{Value: ref.Sort},
	}
	client := dynamodb.NewFromConfig(config(w))
	var err error
	if item == nil {
		_, err = client.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: &ref.Table, Key: attributes})
	} else {
		for attribute, value := range item {
			switch value := value.(type) {
			case string:
				attributes[attribute] = &types.AttributeValueMemberS{Value: value}
			case int64:
				attributes[attribute] = &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
			default:
				w.Fatalf("attribute %s is a %T", attribute, value)
			}
		}
		_, err = client.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &ref.Table, Item: attributes})
	}
	if err != nil {
		w.Fatal(err)
	}
}

// replace replaces a row whole, by one that the exporter makes.
func (w *world) replace(collection, status string, sent int64) {
	w.Helper()
	w.put(w.tables.Status.At(run, collection), table.Item{"CollectionStatus": status, "FilesSent": sent})
}

func (w *world) remove(collection string) {
	w.Helper()
	w.put(w.tables.Status.At(run, collection), nil)
}

func (w *world) item(ref table.Ref) table.Item {
	w.Helper()
	item, err := w.db.Get(w.Context(), table.Read{Ref: ref, Consistent: true})
	if err != nil {
		w.Fatal(err)
	}
	return item
}

// stands reads a row's attributes.
func (w *world) stands(collection string) table.Item {
	w.Helper()
	return w.item(w.tables.Status.At(run, collection))
}

func (w *world) wantRow(collection string, want table.Item) {
	w.Helper()
	got := w.stands(collection)
	for attribute, value := range want {
		if got[attribute] != value {
			w.Errorf("%s of %s is %v, want %v", attribute, collection, got[attribute], value)
		}
	}
}

func received(files int64) table.Item {
	return table.Item{"FilesReceived": files, "SyncedFiles": files}
}

func status(status string) table.Item { return table.Item{"CollectionStatus": status} }
