// Package dynamotest is the conformance suite of DynamoDB's interface, for the local engine and DynamoDB Local.
package dynamotest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/tabletest"
)

// Run runs the suite of package tabletest and further tests of DynamoDB, over tables of the test's own.
func Run(t *testing.T, client *dynamodb.Client) {
	db := dynamo.New(client)
	one, other := Create(t, client, "one", "PK", "SK"), Create(t, client, "other", "CorrelationId", "CollectionName")
	tabletest.Run(t, db, one, other)
	t.Run("Query/PagesOfOneMegabyte", func(t *testing.T) { pages(t, db, one) })
	t.Run("Types/ForeignTypesAreNamed", func(t *testing.T) { foreignTypes(t, client, one) })
	t.Run("Errors/KeepTheirCause", func(t *testing.T) { otherErrors(t, db) })
}

// A page ends before or after the item that crosses 1 MB: 2.4 MB are 3 pages on the local engine, 2 on DynamoDB.
func pages(t *testing.T, db *dynamo.DB, name table.Name) {
	const items = 12
	for i := range items {
		write := table.Write{
			Ref: name.At(t.Name(), fmt.Sprintf("%02d", i)),
			Set: map[string]any{"Bulk": strings.Repeat("x", 200_000), "N": int64(i)},
		}
		if _, err := db.Update(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	query := table.Query{Name: name, Partition: t.Name(), Attributes: []string{"N"}, Consistent: true}
	pages, seen := 0, 0
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
	if seen != items || pages < 2 {
		t.Errorf("saw %d items in %d pages, want %d in 2 or more", seen, pages, items)
	}
}

func foreignTypes(t *testing.T, client *dynamodb.Client, name table.Name) {
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name.Table,
		Item: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: t.Name()}, "SK": &types.AttributeValueMemberS{Value: "s"},
			"Half": &types.AttributeValueMemberN{Value: "1.5"},
			"List": &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			"Null": &types.AttributeValueMemberNULL{Value: true},
		}})
	if err != nil {
		t.Fatal(err)
	}
	item, err := dynamo.New(client).Get(t.Context(), table.Read{Ref: name.At(t.Name(), "s"), Consistent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := item.Int("Half"); err == nil || !strings.Contains(err.Error(), "1.5") {
		t.Errorf("got %v, want an error that shows the number", err)
	}
	if null, _ := item["Null"].(table.Foreign); null.Type != table.Null {
		t.Errorf("null is %+v", item["Null"])
	}
	if _, err := item.String("List"); err == nil {
		t.Error("a list was read as a string")
	}
}

func otherErrors(t *testing.T, db *dynamo.DB) {
	missingTable := table.Name{Table: "no-such-table", PartitionKey: "PK", SortKey: "SK"}
	_, err := db.Get(t.Context(), table.Read{Ref: missingTable.At("p", "s")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
