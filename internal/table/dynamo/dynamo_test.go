package dynamo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/local/localtest"
	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/tabletest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

func client(t *testing.T) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(localtest.Config(localtest.Engine(t)))
}

// create makes a table of its own for the test.
func create(t *testing.T, client *dynamodb.Client, name, partitionKey, sortKey string) table.Name {
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
	err = dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return table.Name{Table: name, PartitionKey: partitionKey, SortKey: sortKey}
}

func TestConformance(t *testing.T) {
	c := client(t)
	one, other := create(t, c, "one", "PK", "SK"), create(t, c, "other", "CorrelationId", "CollectionName")
	tabletest.Run(t, dynamo.New(c), one, other)
}

// A page ends at 1 MB, wherever that is.
func TestQueryGoesOverPagesOfOneMegabyte(t *testing.T) {
	c := client(t)
	name := create(t, c, "large", "PK", "SK")
	db := dynamo.New(c)
	const items = 12
	for i := range items {
		write := table.Write{Ref: name.At("p", fmt.Sprintf("%02d", i)), Set: map[string]any{"Bulk": strings.Repeat("x", 200_000), "N": int64(i)}}
		if _, err := db.Update(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	query, pages, seen := table.Query{Name: name, Partition: "p", Attributes: []string{"N"}, Consistent: true}, 0, 0
	for {
		page, err := db.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		pages, seen = pages+1, seen+len(page.Items)
		if page.Next == "" {
			break
		}
		query.After = page.Next
	}
	if seen != items || pages < 3 {
		t.Errorf("saw %d items in %d pages, want %d in 3 or more", seen, pages, items)
	}
}

func TestForeignTypesAreNamed(t *testing.T) {
	c := client(t)
	name := create(t, c, "foreign", "PK", "SK")
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name.Table, Item: map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "p"}, "SK": &types.AttributeValueMemberS{Value: "s"},
		"Half": &types.AttributeValueMemberN{Value: "1.5"},
		"List": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	item, err := dynamo.New(c).Get(t.Context(), table.Read{Ref: name.At("p", "s"), Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := item.Int("Half"); err == nil || !strings.Contains(err.Error(), "1.5") {
		t.Errorf("got %v, want an error that shows the number", err)
	}
	if _, err := item.String("List"); err == nil {
		t.Error("a list was read as a string")
	}
}

func TestOtherErrorsKeepTheirCause(t *testing.T) {
	c := client(t)
	_, err := dynamo.New(c).Get(t.Context(), table.Read{Ref: table.Name{Table: "no-such-table", PartitionKey: "PK", SortKey: "SK"}.At("p", "s")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
