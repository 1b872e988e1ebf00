package localtest

import (
	"maps"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is an item of a table.
type Item = map[string]types.AttributeValue

// Text is an attribute's value.
func Text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

// Number is an attribute's value.
func Number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// RowKey is the key of a collection's row.
func RowKey(run, collection string) Item {
	return Item{"CorrelationId": Text(run), "CollectionName": Text(collection)}
}

// PutRow writes a collection's row as the exporter does: without FilesReceived unless it is among further.
func (s *Stack) PutRow(
	t testing.TB, run, collection, status string, sent types.AttributeValue, further ...Item,
) {
	t.Helper()
	row := RowKey(run, collection)
	row["CollectionStatus"], row["FilesSent"] = Text(status), sent
	for _, attributes := range further {
		maps.Copy(row, attributes)
	}
	if _, err := s.tables().PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: &s.Outputs.ExportStatusTableName, Item: row}); err != nil {
		t.Fatal(err)
	}
}

// SetRow writes one attribute of a row without a condition, as the sender does. It makes the row if there is none.
func (s *Stack) SetRow(t testing.TB, run, collection, attribute string, value types.AttributeValue) {
	t.Helper()
	if _, err := s.tables().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.Outputs.ExportStatusTableName, Key: RowKey(run, collection),
		UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": attribute},
		ExpressionAttributeValues: Item{":v": value},
	}); err != nil {
		t.Fatal(err)
	}
}

// RemoveRow deletes a row, as a person or TTL does.
func (s *Stack) RemoveRow(t testing.TB, run, collection string) {
	t.Helper()
	if _, err := s.tables().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &s.Outputs.ExportStatusTableName, Key: RowKey(run, collection)}); err != nil {
		t.Fatal(err)
	}
}

// Row reads a collection's row, empty if there is none.
func (s *Stack) Row(t testing.TB, run, collection string) Item {
	t.Helper()
	return s.item(t, s.Outputs.ExportStatusTableName, RowKey(run, collection))
}

// RowState reads a row as "status received".
func (s *Stack) RowState(t testing.TB, run, collection string) string {
	t.Helper()
	row := s.Row(t, run, collection)
	status, _ := row["CollectionStatus"].(*types.AttributeValueMemberS)
	if status == nil {
		return "no row"
	}
	received := "0"
	if n, ok := row["FilesReceived"].(*types.AttributeValueMemberN); ok {
		received = n.Value
	}
	return status.Value + " " + received
}

// LedgerItem reads an item of the ledger, empty if there is none.
func (s *Stack) LedgerItem(t testing.TB, partition, sort string) Item {
	t.Helper()
	return s.item(t, s.Outputs.LedgerTableName, Item{"PK": Text(partition), "SK": Text(sort)})
}

func (s *Stack) item(t testing.TB, table string, key Item) Item {
	t.Helper()
	got, err := s.tables().GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return got.Item
}

func (s *Stack) tables() *dynamodb.Client { return dynamodb.NewFromConfig(s.Config) }
