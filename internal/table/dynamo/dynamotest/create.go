package dynamotest

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
)

// Create makes an empty table for the test, whose name begins with the test's, and waits until it is active.
func Create(t *testing.T, client *dynamodb.Client, name, partitionKey, sortKey string) table.Name {
	t.Helper()
	name = strings.NewReplacer("/", "-").Replace(t.Name()) + "-" + name
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: &partitionKey, AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: &sortKey, AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: &partitionKey, KeyType: types.KeyTypeHash},
			{AttributeName: &sortKey, KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	described := &dynamodb.DescribeTableInput{TableName: &name}
	if err := dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), described, time.Minute); err != nil {
		t.Fatal(err)
	}
	return table.Name{Table: name, PartitionKey: partitionKey, SortKey: sortKey}
}
