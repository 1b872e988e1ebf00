//go:build testaws

package aws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/test/aws/dynamodblocal"
	"snapshot-status-checker/test/aws/internal/compared"
)

// The tests of internal/table/dynamo run the same suite on the local engine.
func TestDynamoDBLocalPassesTheSuite(t *testing.T) {
	t.Parallel()
	dynamotest.Run(t, dynamodb.NewFromConfig(dynamodblocal.Config(t)))
}

// The limits that the protocol relies on, each with the largest value that DynamoDB accepts and the next larger one
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
func TestLimitsAreAsDocumented(t *testing.T) {
	t.Parallel()
	client := dynamodb.NewFromConfig(dynamodblocal.Config(t))
	db := dynamo.New(client)
	status := dynamotest.Create(t, client, "status", "CorrelationId", "CollectionName")
	ledger := dynamotest.Create(t, client, "ledger", "PK", "SK")
	compared.Report(t, "DynamoDB Local: the suite of the tables, and 9 limits")
	small := map[string]any{"N": int64(1)}
	times := strings.Repeat
	keys := func(partition, sort string) table.Write {
		return table.Write{Ref: status.At(partition, sort), Set: small}
	}
	item := func(bytes int) table.Write {
		rest := len("PK") + len("item") + len("SK") + len("s") + len("Bulk")
		return table.Write{Ref: ledger.At("item", "s"), Set: map[string]any{"Bulk": strings.Repeat("x", bytes-rest)}}
	}
	for name, limit := range map[string]struct{ most, more table.Write }{
		"partition keys of 2,048 bytes":     {keys(times("p", 2048), "s"), keys(times("p", 2049), "s")},
		"sort keys of 1,024 bytes":          {keys("p", times("s", 1024)), keys("p", times("s", 1025))},
		"sort keys of 1,024 bytes in UTF-8": {keys("p", times("é", 512)), keys("p", times("é", 513))},
		"partition keys with a letter":      {keys("p", "s"), keys("", "s")},
		"sort keys with a letter":           {keys("p", "s"), keys("p", "")},
		"items of 400 KB":                   {item(400 << 10), item(400<<10 + 1)},
		"expressions of 4 KB": {table.Write{Ref: ledger.At("expression", "s"), Set: setting(4096)},
			table.Write{Ref: ledger.At("expression", "s"), Set: setting(4096 + 12)}},
		// n comparisons are joined by n - 1 AND.
		"299 operators in a condition": {table.Write{Ref: ledger.At("operators", "s"), Set: small, If: comparing(150)},
			table.Write{Ref: ledger.At("operators", "s"), Set: small, If: comparing(151)}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := db.Update(t.Context(), limit.most); err != nil && !errors.Is(err, table.ErrConditionFailed) {
				t.Errorf("the largest: %v", err)
			}
			_, err := db.Update(t.Context(), limit.more)
			wantRefused(t, "a larger one", err)
		})
	}
	t.Run("100 keys of two tables in a batch", func(t *testing.T) {
		var reads []table.Read
		for i := range table.MaxBatch / 2 {
			sort := fmt.Sprintf("%s%03d", strings.Repeat("n", 1021), i)
			for _, ref := range []table.Ref{status.At(strings.Repeat("r", 2048), sort), ledger.At("batch", sort)} {
				if _, err := db.Update(t.Context(), table.Write{Ref: ref, Set: small}); err != nil {
					t.Fatal(err)
				}
				reads = append(reads, table.Read{Ref: ref, Attributes: []string{"N"}, Consistent: true})
			}
		}
		if items, err := db.GetMany(t.Context(), reads); err != nil || len(items) != table.MaxBatch {
			t.Errorf("read %d items, %v", len(items), err)
		}
		more := table.Read{Ref: ledger.At("one", "more"), Attributes: []string{"N"}, Consistent: true}
		_, err := db.GetMany(t.Context(), append(reads, more))
		wantRefused(t, "101 keys", err)
		_, err = db.GetMany(t.Context(), append(reads[:2:2], reads[0]))
		wantRefused(t, "a key twice", err)
	})
}

// setting are as many attributes as an expression of this size sets: `SET #0 = :0, #1 = :1, …`.
func setting(size int) map[string]any {
	attributes := map[string]any{}
	for length := len("SET "); ; length += len(", ") {
		if length += len(fmt.Sprintf("#%d = :%[1]d", len(attributes))); length > size {
			return attributes
		}
		attributes[fmt.Sprintf("A%03d", len(attributes))] = int64(1)
	}
}

func comparing(attributes int) (conditions []table.Condition) {
	for i := range attributes {
		conditions = append(conditions, table.Condition{Attribute: fmt.Sprintf("A%03d", i), Value: int64(1)})
	}
	return conditions
}

// wantRefused fails the test unless DynamoDB refused the request as invalid.
func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "ValidationException" {
		t.Errorf("%s: got %v, want a ValidationException", what, err)
	}
}
