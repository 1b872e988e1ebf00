package dynamo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"snapshot-status-checker/internal/table"
	"snapshot-status-checker/internal/table/dynamo"
	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// test/aws runs the same suite over DynamoDB Local.
func TestOverTheLocalEngine(t *testing.T) {
	dynamotest.Run(t, dynamodb.NewFromConfig(localtest.Config(localtest.Engine(t))))
}

// answering is a client whose calls return the function's answer to a request's body at once, to see requests and to
// measure the process itself: expressions, attributes, JSON and signature.
func answering(answer func(request string) string) *dynamodb.Client {
	return dynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient: doer(func(request *http.Request) (*http.Response, error) {
			text, err := io.ReadAll(request.Body)
			return &http.Response{StatusCode: http.StatusOK,
					Body: io.NopCloser(strings.NewReader(answer(string(text))))},
				err
		}),
	}, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true }) // the answers carry none
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(request *http.Request) (*http.Response, error) { return d(request) }

var (
	rows   = table.Name{Table: "statuses", PartitionKey: "CorrelationId", SortKey: "CollectionName"}
	ledger = table.Name{Table: "ledger", PartitionKey: "PK", SortKey: "SK"}
)

// counted is the update that counts so many messages of one collection.
func counted(files int) table.Write {
	var digests []string
	for i := range files {
		digests = append(digests, fmt.Sprintf("digest-%05d", i))
	}
	return table.Write{
		Ref: ledger.At("collection#run-1#db.database.collection", "collection"),
		Set: map[string]any{"SnapshotType": "full", "ExportDate": "2020-01-01", "ShutdownFlag": true,
			"ReprocessFiles": true,
			"CountedAt":      int64(1577880000), "ExpiresAt": int64(1588248000)},
		Add: map[string]any{"Counted": int64(files), "Recent": table.NewBlobs(digests...)},
		If: []table.Condition{{Attribute: "Pages", Operator: table.Absent},
			{Attribute: "Recent", Operator: table.ContainsNone, Value: table.NewBlobs(digests...)},
			{Attribute: "Counted", Operator: table.AtLeast, Value: int64(7)}},
	}
}

// An expression has at most 4 KB and 300 operators and functions
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). Equal writes are equal requests:
// names and values are numbered in a fixed order.
func TestTheLargestConditionFitsAndHasOneForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	db := dynamo.New(answering(func(request string) string {
		var fields map[string]any // which encoding/json writes in the order of their names
		if err := json.Unmarshal([]byte(request), &fields); err != nil {
			t.Error(err)
		}
		expression := fields["ConditionExpression"].(string)
		operators := 0
		for _, operator := range []string{"contains(", " OR ", " AND ", "NOT ", " >= ", "attribute_not_exists("} {
			operators += strings.Count(expression, operator)
		}
		if len(expression) > 4096 || operators > 300 {
			t.Errorf("%d bytes and %d operators", len(expression), operators)
		}
		ordered, _ := json.Marshal(fields) // values decoded from JSON always marshal
		seen[string(ordered)] = true
		return `{}`
	}))
	for range 50 {
		if _, err := db.Update(t.Context(), counted(table.MaxContained)); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("one write gave %d requests", len(seen))
	}
}

// Only the keys that DynamoDB leaves unprocessed are asked for again, after a pause if it processed none.
func TestUnprocessedKeysAreAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		item := func(name string) string {
			return fmt.Sprintf(`{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":%q},"FilesSent":{"N":"1"}}`, name)
		}
		left := `{"statuses":{"Keys":[{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":"b"}}],` +
			`"ConsistentRead":true}}`
		none := `{"Responses":{},"UnprocessedKeys":` + left + `}`
		answers := []string{
			`{"Responses":{"statuses":[` + item("a") + `]},"UnprocessedKeys":` + left + `}`, none, none,
			`{"Responses":{"statuses":[` + item("b") + `]},"UnprocessedKeys":{}}`,
		}
		var asked []string
		db := dynamo.New(answering(func(request string) string {
			asked = append(asked, request)
			return answers[min(len(asked), len(answers))-1]
		}))
		reads := []table.Read{{Ref: rows.At("run-1", "a"), Consistent: true}, {Ref: rows.At("run-1", "b"),
			Consistent: true}}
		began := time.Now()
		items, err := db.GetMany(t.Context(), reads)
		if err != nil || len(items) != 2 || time.Since(began) == 0 {
			t.Fatalf("%v, %v after %v, want both items, and pauses", items, err, time.Since(began))
		}
		if len(asked) != 4 || strings.Contains(asked[1], `"a"`) ||
			!strings.Contains(asked[1], `"ConsistentRead":true`) {
			t.Errorf("asked %q, want after the first for b alone, consistent", asked)
		}
		answers = []string{none}
		if items, err := db.GetMany(t.Context(), reads[1:]); err == nil {
			t.Errorf("unread items were taken for missing ones: %v", items)
		}
	})
}

// The count of so many messages of one collection: the most frequent write.
func BenchmarkCount(b *testing.B) {
	for _, files := range []int{1, 100} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			db := dynamo.New(answering(func(string) string {
				return `{"Attributes":{"Counted":{"N":"8"},"Recent":{"BS":["AAAAAAAAAAAAAAAA"]}}}`
			}))
			write := counted(files)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Update(b.Context(), write); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdate(b *testing.B) {
	db := dynamo.New(answering(func(string) string {
		return `{"Attributes":{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":"db.database.collection"},` +
			`"FilesSent":{"N":"125"},"FilesReceived":{"N":"8"},"EpochStart":{"N":"0"},"SyncedFiles":{"N":"8"}}}`
	}))
	write := table.Write{Ref: rows.At("run-1", "db.database.collection"),
		Set: map[string]any{"FilesReceived": int64(8), "SyncedFiles": int64(8)},
		If: []table.Condition{{Attribute: "EpochStart", Value: int64(0)},
			{Attribute: "FilesReceived", Operator: table.EqualsAttribute, Value: "SyncedFiles"}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := db.Update(b.Context(), write); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetMany(b *testing.B) {
	const collections = 50
	var reads []table.Read
	var answers []string
	for i := range collections {
		name := fmt.Sprint("db.database.c", i)
		reads = append(reads, table.Read{Ref: rows.At("run-1", name), Attributes: []string{"FilesReceived"}})
		answers = append(answers, fmt.Sprintf(
			`{"CorrelationId":{"S":"run-1"},"CollectionName":{"S":%q},"FilesReceived":{"N":"7"}}`, name))
	}
	db := dynamo.New(answering(func(string) string {
		return `{"Responses":{"statuses":[` + strings.Join(answers, ",") + `]},"UnprocessedKeys":{}}`
	}))
	b.ReportAllocs()
	for b.Loop() {
		if items, err := db.GetMany(b.Context(), reads); err != nil || len(items) != collections {
			b.Fatal(len(items), err)
		}
	}
}
