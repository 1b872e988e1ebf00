//go:build testaws

package aws_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
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
	rows := rows{T: t, client: client, table: createWithStream(t, client), run: "run-1"}
	sent := &types.AttributeValueMemberS{Value: "Sent"}
	values := []types.AttributeValue{
		nil, &types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberN{Value: "1"},
		&types.AttributeValueMemberSS{Value: []string{"Sent", "Received"}},
		&types.AttributeValueMemberL{Value: []types.AttributeValue{sent}},
		&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"S": sent}},
	}
	for _, status := range statuses() {
		values = append(values, &types.AttributeValueMemberS{Value: status})
	}
	for i, status := range values {
		row := fmt.Sprintf("db.c%03d", i)
		rows.put(row, status, "0")
		rows.count(row)
		for _, next := range []string{"Exported", "Sent", "SENT", "Received", "received", "Success", "Blocked_Topic"} {
			rows.put(row, &types.AttributeValueMemberS{Value: next}, "3")
			rows.put(row, status, "3")
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

// rows writes rows of a run as other systems do, without conditions.
type rows struct {
	*testing.T
	client *dynamodb.Client
	table  string
	run    string
}

// of writes rows of another run.
func (r rows) of(run string) rows {
	r.run = run
	return r
}

func (r rows) key(row string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: r.run},
		"CollectionName": &types.AttributeValueMemberS{Value: row},
	}
}

func (r rows) put(row string, status types.AttributeValue, filesSent string) {
	r.Helper()
	item := r.key(row)
	item["FilesSent"] = &types.AttributeValueMemberN{Value: filesSent}
	if status != nil {
		item["CollectionStatus"] = status
	}
	if _, err := r.client.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: &r.table, Item: item}); err != nil {
		r.Fatal(err)
	}
}

// set sets attributes of an existing row.
func (r rows) set(row string, attributes map[string]types.AttributeValue) {
	r.Helper()
	updates := map[string]types.AttributeValueUpdate{}
	for name, value := range attributes {
		updates[name] = types.AttributeValueUpdate{Action: types.AttributeActionPut, Value: value}
	}
	_, err := r.client.UpdateItem(r.Context(),
		&dynamodb.UpdateItemInput{TableName: &r.table, Key: r.key(row), AttributeUpdates: updates})
	if err != nil {
		r.Fatal(err)
	}
}

func (r rows) count(row string) {
	r.Helper()
	_, err := r.client.UpdateItem(r.Context(), &dynamodb.UpdateItemInput{TableName: &r.table, Key: r.key(row),
		UpdateExpression: aws.String("ADD FilesReceived :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":one": &types.AttributeValueMemberN{Value: "1"}}})
	if err != nil {
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
func (r rows) records(streams *dynamodbstreams.Client) []json.RawMessage {
	r.Helper()
	last := rand.Text()
	r.of("end of the records").put(last, nil, "0")
	return readStream(r.T, streams, r.table, func(change *streamtypes.StreamRecord) bool {
		key, _ := change.Keys["CollectionName"].(*streamtypes.AttributeValueMemberS)
		return key.Value == last
	})
}

// readStream returns the records of the table's stream from its beginning to the last one.
func readStream(
	t *testing.T, client *dynamodbstreams.Client, table string, isLast func(*streamtypes.StreamRecord) bool,
) (records []json.RawMessage) {
	t.Helper()
	streams, err := client.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: &table})
	if err != nil || len(streams.Streams) != 1 {
		t.Fatalf("found %+v, %v, want one stream", streams, err)
	}
	arn := streams.Streams[0].StreamArn
	described, err := client.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil || len(described.StreamDescription.Shards) != 1 {
		t.Fatalf("the stream is %+v, %v, want one shard", described, err)
	}
	iterator, err := client.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: arn,
		ShardId:           described.StreamDescription.Shards[0].ShardId,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	for next := iterator.ShardIterator; next != nil; {
		read, err := client.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: next})
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range read.Records {
			delivered, _, err := local.StreamRecord(aws.ToString(arn), record)
			if err != nil {
				t.Fatal(err)
			}
			if records = append(records, delivered); isLast(record.Dynamodb) {
				return records
			}
		}
		next = read.NextShardIterator
	}
	t.Fatalf("the stream ended after %d records", len(records))
	return nil
}
