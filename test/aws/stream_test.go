//go:build testaws

package aws_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"snapshot-status-checker/internal/table/dynamo/dynamotest"
	"snapshot-status-checker/local"
	"snapshot-status-checker/test/aws/dynamodblocal"
)

// streamRecords writes rows of DynamoDB Local from status to status, with the writes that all systems use, and returns
// the records of the stream as a pipe delivers them.
func streamRecords(t *testing.T) []json.RawMessage {
	t.Helper()
	config := dynamodblocal.Config(t)
	client := dynamodb.NewFromConfig(config)
	rows := rows{T: t, client: client, table: createWithStream(t, client)}
	values := []types.AttributeValue{nil, &types.AttributeValueMemberNULL{Value: true}, number(1),
		&types.AttributeValueMemberSS{Value: []string{"Sent", "Received"}},
		&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"S": status("Sent")}},
	}
	for _, name := range statuses() {
		values = append(values, status(name))
	}
	for i, value := range values {
		row := fmt.Sprintf("db.c%03d", i)
		rows.put(row, value, 0)
		for _, next := range []string{"Exported", "Sent", "SENT", "Received", "received", "Success", "Blocked_Topic"} {
			rows.put(row, status(next), 3)
			rows.put(row, value, 3)
		}
		rows.remove(row)
	}
	return rows.records(dynamodbstreams.NewFromConfig(config))
}

// createWithStream makes an export status table with a stream of new and old images.
func createWithStream(t *testing.T, client *dynamodb.Client) (name string) {
	t.Helper()
	name = dynamotest.Create(t, client, "rows", "CorrelationId", "CollectionName").Table
	_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name,
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		}})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// rows writes rows as other systems do, without conditions.
type rows struct {
	*testing.T
	client *dynamodb.Client
	table  string
}

func (r rows) key(row string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"CorrelationId": status("run-rows"), "CollectionName": status(row)}
}

func (r rows) put(row string, status types.AttributeValue, filesSent int) {
	r.Helper()
	item := r.key(row)
	item["FilesSent"] = number(filesSent)
	if status != nil {
		item["CollectionStatus"] = status
	}
	if _, err := r.client.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: &r.table, Item: item}); err != nil {
		r.Fatal(err)
	}
}

func (r rows) remove(row string) {
	r.Helper()
	input := &dynamodb.DeleteItemInput{TableName: &r.table, Key: r.key(row)}
	if _, err := r.client.DeleteItem(r.Context(), input); err != nil {
		r.Fatal(err)
	}
}

// records returns all records of the table's stream up to now, as a pipe delivers them.
func (r rows) records(client *dynamodbstreams.Client) (records []json.RawMessage) {
	r.Helper()
	last := rand.Text()
	r.put(last, nil, 0)
	streams, err := client.ListStreams(r.Context(), &dynamodbstreams.ListStreamsInput{TableName: &r.table})
	if err != nil || len(streams.Streams) != 1 {
		r.Fatalf("found %+v, %v, want one stream", streams, err)
	}
	arn := streams.Streams[0].StreamArn
	described, err := client.DescribeStream(r.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil || len(described.StreamDescription.Shards) != 1 {
		r.Fatalf("the stream is %+v, %v, want one shard", described, err)
	}
	iterator, err := client.GetShardIterator(r.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: arn,
		ShardId:           described.StreamDescription.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		r.Fatal(err)
	}
	for next := iterator.ShardIterator; next != nil; {
		read, err := client.GetRecords(r.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: next})
		if err != nil {
			r.Fatal(err)
		}
		for _, record := range read.Records {
			delivered, _, err := local.StreamRecord(aws.ToString(arn), record)
			if err != nil {
				r.Fatal(err)
			}
			records = append(records, delivered)
			if strings.Contains(string(delivered), last) {
				return records
			}
		}
		next = read.NextShardIterator
	}
	r.Fatalf("the stream ended after %d records", len(records))
	return nil
}

func status(name string) types.AttributeValue { return &types.AttributeValueMemberS{Value: name} }

func number(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }
