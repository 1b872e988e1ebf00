package store_test

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/local/localtest"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/memory"
)

// put replaces a row whole, which is no operation of package table: this system never does it.
func put(w *world, collection string, item table.Item) {
	w.Helper()
	if db, ok := w.db.DB.(*memory.DB); ok {
		db.Put(w.tables.Status.At(run, collection), item)
		return
	}
	attributes := map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: run},
		"CollectionName": &types.AttributeValueMemberS{Value: collection},
	}
	for attribute, value := range item {
		switch value := value.(type) {
		case string:
			attributes[attribute] = &types.AttributeValueMemberS{Value: value}
		case int64:
			attributes[attribute] = &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
		}
	}
	client := dynamodb.NewFromConfig(localtest.Config(localtest.Engine(w)))
	if _, err := client.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &w.tables.Status.Table, Item: attributes}); err != nil {
		w.Fatal(err)
	}
}
