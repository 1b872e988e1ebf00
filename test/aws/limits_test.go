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

// The limits that the protocol relies on, each with the largest value that DynamoDB accepts and the next larger one
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
func TestLimitsAreAsDocumented(t *testing.T) {
	t.Parallel()
	client := dynamodb.NewFromConfig(dynamodblocal.Config(t))
	l := limits{
		DB:     dynamo.New(client),
		status: dynamotest.Create(t, client, "status", "CorrelationId", "CollectionName"),
		ledger: dynamotest.Create(t, client, "ledger", "PK", "SK"),
	}
	compared.Report(t, "DynamoDB Local: the suite of the tables, and 7 limits")
	t.Run("KeysOf2048And1024Bytes", l.keys)
	t.Run("KeysMayHoldAnyCharacter", l.characters)
	t.Run("ItemOf400KB", l.item)
	t.Run("ExpressionOf4KB", l.expression)
	t.Run("300OperatorsInACondition", l.operators)
	t.Run("100KeysOfTwoTablesInABatch", l.batch)
	t.Run("PageThatEndsOnTheLastItem", l.lastPage)
}

type limits struct {
	*dynamo.DB
	status, ledger table.Name
}

func (l limits) write(t *testing.T, ref table.Ref, set map[string]any) error {
	t.Helper()
	_, err := l.Update(t.Context(), table.Write{Ref: ref, Set: set})
	return err
}

// refused fails the test unless DynamoDB refused the request as invalid.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "ValidationException" {
		t.Errorf("%s: got %v, want a ValidationException", what, err)
	}
}

func accepted(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

var small = map[string]any{"N": int64(1)}

func (l limits) keys(t *testing.T) {
	accepted(t, "the longest keys", l.write(t, l.status.At(strings.Repeat("p", 2048), strings.Repeat("s", 1024)),
		small))
	for what, ref := range map[string]table.Ref{
		"a longer partition key":       l.status.At(strings.Repeat("p", 2049), "s"),
		"a longer sort key":            l.status.At("p", strings.Repeat("s", 1025)),
		"a key of 1,026 bytes in UTF8": l.status.At("p", strings.Repeat("é", 513)),
		"an empty partition key":       l.status.At("", "s"),
		"an empty sort key":            l.status.At("p", ""),
	} {
		refused(t, what, l.write(t, ref, small))
	}
}

func (l limits) characters(t *testing.T) {
	for _, text := range []string{"a\x00b", "\uFFFE", "é😀", "a\nb", "%23#", " "} {
		ref := l.ledger.At("odd"+text, text)
		accepted(t, text, l.write(t, ref, map[string]any{"S": text}))
		item, err := l.Get(t.Context(), table.Read{Ref: ref, Consistent: true})
		if err != nil || item["S"] != text {
			t.Errorf("%q: read %v, %v", text, item, err)
		}
	}
}

func (l limits) item(t *testing.T) {
	rest := len("PK") + len(t.Name()) + len("SK") + len("s") + len("Bulk")
	largest := strings.Repeat("x", 400<<10-rest)
	accepted(t, "400 KB", l.write(t, l.ledger.At(t.Name(), "s"), map[string]any{"Bulk": largest}))
	refused(t, "a byte more", l.write(t, l.ledger.At(t.Name(), "s"), map[string]any{"Bulk": largest + "x"}))
}

// An expression that sets n attributes is `SET #0 = :0, #1 = :1, …`.
func (l limits) expression(t *testing.T) {
	set := func(size int) map[string]any {
		attributes := map[string]any{}
		for length := len("SET "); ; length += len(", ") {
			length += len(fmt.Sprintf("#%d = :%[1]d", len(attributes)))
			if length > size {
				return attributes
			}
			attributes[fmt.Sprintf("A%03d", len(attributes))] = int64(1)
		}
	}
	accepted(t, "4 KB", l.write(t, l.ledger.At(t.Name(), "s"), set(4096)))
	refused(t, "more", l.write(t, l.ledger.At(t.Name(), "s"), set(4096+12)))
}

// A condition on n attributes is n comparisons, joined by n - 1 AND.
func (l limits) operators(t *testing.T) {
	update := func(conditions int) error {
		write := table.Write{Ref: l.ledger.At(t.Name(), "s"), Set: small}
		for i := range conditions {
			write.If = append(write.If, table.Condition{Attribute: fmt.Sprintf("A%03d", i), Value: int64(1)})
		}
		_, err := l.Update(t.Context(), write)
		return err
	}
	if err := update(150); !errors.Is(err, table.ErrConditionFailed) {
		t.Errorf("299 operators: got %v, want a condition that failed", err)
	}
	refused(t, "301 operators", update(151))
}

func (l limits) batch(t *testing.T) {
	var reads []table.Read
	for i := range table.MaxBatch / 2 {
		sort := fmt.Sprintf("%s%03d", strings.Repeat("n", 1021), i)
		for _, ref := range []table.Ref{l.status.At(strings.Repeat("r", 2048), sort), l.ledger.At(t.Name(), sort)} {
			accepted(t, "an item", l.write(t, ref, map[string]any{"N": int64(i)}))
			reads = append(reads, table.Read{Ref: ref, Attributes: []string{"N"}, Consistent: true})
		}
	}
	items, err := l.GetMany(t.Context(), reads)
	if err != nil || len(items) != table.MaxBatch {
		t.Fatalf("read %d items, %v", len(items), err)
	}
	more := table.Read{Ref: l.ledger.At("one", "more"), Attributes: []string{"N"}, Consistent: true}
	_, err = l.GetMany(t.Context(), append(reads, more))
	refused(t, "101 keys", err)
	_, err = l.GetMany(t.Context(), append(reads[:2:2], reads[0]))
	refused(t, "a key twice", err)
}

// Such a page announces another, which is empty.
func (l limits) lastPage(t *testing.T) {
	for _, sort := range []string{"a", "b"} {
		accepted(t, sort, l.write(t, l.ledger.At(t.Name(), sort), small))
	}
	query := table.Query{Name: l.ledger, Partition: t.Name(), Limit: 2, Consistent: true}
	page, err := l.Query(t.Context(), query)
	if err != nil || len(page.Items) != 2 || page.Next != "b" {
		t.Fatalf("got %+v, %v, want both items and a next page after b", page, err)
	}
	query.After = page.Next
	if page, err = l.Query(t.Context(), query); err != nil || len(page.Items) != 0 || page.Next != "" {
		t.Errorf("got %+v, %v, want an empty last page", page, err)
	}
}
