package localtest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// A message in the deployed stack's queue is counted in its row.
func TestDeploy(t *testing.T) {
	stack := localtest.Deploy(t)
	if again := localtest.Deploy(t); again != stack {
		t.Error("deployed twice, want one stack for all tests of a process")
	}
	stack.StartPipes(t)
	database := dynamodb.NewFromConfig(stack.Config)
	key := map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: "localtest"},
		"CollectionName": &types.AttributeValueMemberS{Value: "db.database.collection"},
	}
	item := map[string]types.AttributeValue{
		"CollectionStatus": &types.AttributeValueMemberS{Value: "Sent"},
		"FilesSent":        &types.AttributeValueMemberN{Value: "2"},
	}
	for name, value := range key {
		item[name] = value
	}
	if _, err := database.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: &stack.Outputs.ExportStatusTableName, Item: item}); err != nil {
		t.Fatal(err)
	}
	if _, err := sqs.NewFromConfig(stack.Config).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &stack.Outputs.FileReceivedQueueUrl,
		MessageBody: aws.String(`{"correlation_id": "localtest", "collection_name": "db.database.collection",
			"snapshot_type": "full", "export_date": "2020-01-01"}`),
	}); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := database.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: &stack.Outputs.ExportStatusTableName, Key: key, ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		if received, ok := got.Item["FilesReceived"].(*types.AttributeValueMemberN); ok && received.Value == "1" {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited in vain for the message to be counted: %v", got.Item)
		case <-tick.C:
		}
	}
}
