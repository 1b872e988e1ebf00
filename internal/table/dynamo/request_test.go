package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
)

// answering is a client whose calls are answered at once with this body, so that what is measured is what the process
// does itself: expressions, attributes, JSON and signature. asked is told each request's body, if it is not nil.
func answering(body string, asked func(request string)) *dynamodb.Client {
	return answeringWith(func(request *http.Request) (string, error) {
		if asked == nil {
			return body, nil
		}
		text, err := io.ReadAll(request.Body)
		asked(string(text))
		return body, err
	})
}

// answeringWith is a client whose calls are answered with what the function returns.
func answeringWith(answer func(*http.Request) (string, error)) *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient: doer(func(request *http.Request) (*http.Response, error) {
			body, err := answer(request)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, err
		}),
	}, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true }) // the answers carry none
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(request *http.Request) (*http.Response, error) { return d(request) }

var (
	rows   = table.Name{Table: "statuses", PartitionKey: "CorrelationId", SortKey: "CollectionName"}
	ledger = table.Name{Table: "ledger", PartitionKey: "PK", SortKey: "SK"}
)

// marker and counted are what counting writes in one transaction.
func marker(i int) table.Write {
	return table.Write{
		Ref: ledger.At("collection#run-1#db.database.collection", fmt.Sprintf("marker#059f36b4-87a3-44ab-83d2-%012d", i)),
		Set: map[string]any{"Identity": fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i), "Digest": strings.Repeat("0f", 32), "Filename": "db.database.collection-001.gz.enc",
			"Kind": "FILE", "CountedAt": int64(1577880000), "ExecutionId": "arn:aws:states:eu-west-1:123456789012:execution:status-checker:e1", "ExpiresAt": int64(1583064000)},
		If: []table.Condition{{Attribute: "PK", Operator: table.Absent}},
	}
}

func counted(files int64) table.Write {
	return table.Write{
		Ref: ledger.At("collection#run-1#db.database.collection", "collection"),
		Set: map[string]any{"SnapshotType": "full", "ExportDate": "2020-01-01", "ShutdownFlag": true, "ReprocessFiles": true,
			"ExpiresAt": int64(1588248000), "Projected": true},
		SetOnce: map[string]any{"CorrelationId": "run-1", "CollectionName": "db.database.collection"},
		Add:     map[string]table.Sum{"Counted": {From: 7, N: files}},
	}
}

// DynamoDB takes a transaction that is sent again for the same one only if it asks for the same.
func TestOneWriteGivesOneRequest(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	db := dynamo.New(answering(`{}`, func(request string) {
		var fields map[string]any // which encoding/json writes in the order of their names
		if err := json.Unmarshal([]byte(request), &fields); err != nil {
			t.Error(err)
		}
		ordered, _ := json.Marshal(fields) // what came out of JSON marshals
		seen[string(ordered)]++
	}))
	const times = 50
	for range times {
		if _, err := db.Update(t.Context(), counted(1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("one write gave %d requests, such as %v", len(seen), seen)
	}
}

// What DynamoDB leaves out of a batch is asked for again, and nothing but that. If it processes nothing the batch is too
// much for it.
func TestUnprocessedKeysAreAskedForAgain(t *testing.T) {
	t.Parallel()
	item := func(name string) string {
		return fmt.Sprintf(`{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":%q},"FilesSent":{"N":"1"}}`, name)
	}
	left := `{"statuses":{"Keys":[{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":"b"}}],"ConsistentRead":true}}`
	answers := []string{
		`{"Responses":{"statuses":[` + item("a") + `]},"UnprocessedKeys":` + left + `}`,
		`{"Responses":{"statuses":[` + item("b") + `]},"UnprocessedKeys":{}}`,
	}
	var asked []string
	db := dynamo.New(answeringWith(func(request *http.Request) (string, error) {
		text, err := io.ReadAll(request.Body)
		asked = append(asked, string(text))
		answer := answers[0]
		answers = answers[1:]
		return answer, err
	}))
	reads := []table.Read{{Ref: rows.At("run-1", "a"), Consistent: true}, {Ref: rows.At("run-1", "b"), Consistent: true}}
	items, err := db.GetMany(t.Context(), reads)
	if err != nil || len(items) != 2 {
		t.Fatalf("%v, %v, want both items", items, err)
	}
	if len(asked) != 2 || strings.Contains(asked[1], `"a"`) || !strings.Contains(asked[1], `"ConsistentRead":true`) {
		t.Errorf("asked %q, want the second time for b alone, consistent", asked)
	}
	answers = []string{`{"Responses":{},"UnprocessedKeys":` + left + `}`}
	if _, err := db.GetMany(t.Context(), reads[1:]); !errors.Is(err, table.ErrContention) {
		t.Errorf("%v, want contention", err)
	}
}
