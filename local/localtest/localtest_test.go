package localtest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// The sweep runs too late to do the pipe's work.
func TestDeployedStackCountsAndReconciles(t *testing.T) {
	stack := localtest.Deploy(t, "sweepEveryMinutes=60")
	if again := localtest.Deploy(t, "sweepEveryMinutes=60"); again != stack {
		t.Error("second deployment, want one stack for all tests of a process")
	}
	wantEnginesPollerStopped(t, stack)
	stack.StartPipes(t)
	database := dynamodb.NewFromConfig(stack.Config)
	key := map[string]types.AttributeValue{
		"CorrelationId":  &types.AttributeValueMemberS{Value: "localtest"},
		"CollectionName": &types.AttributeValueMemberS{Value: "db.database.collection"},
	}
	item := map[string]types.AttributeValue{
		"CollectionStatus": &types.AttributeValueMemberS{Value: "Exported"},
		"FilesSent":        &types.AttributeValueMemberN{Value: "1"},
	}
	for name, value := range key {
		item[name] = value
	}
	if _, err := database.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: &stack.Outputs.ExportStatusTableName, Item: item}); err != nil {
		t.Fatal(err)
	}
	row := func() map[string]types.AttributeValue {
		got, err := database.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: &stack.Outputs.ExportStatusTableName, Key: key, ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Item
	}
	if _, err := sqs.NewFromConfig(stack.Config).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &stack.Outputs.FileReceivedQueueUrl,
		MessageBody: aws.String(`{"correlation_id": "localtest", "collection_name": "db.database.collection",
			"snapshot_type": "full", "export_date": "2020-01-01"}`),
	}); err != nil {
		t.Fatal(err)
	}
	localtest.Await(t, "the count of the message", func() bool {
		received, ok := row()["FilesReceived"].(*types.AttributeValueMemberN)
		return ok && received.Value == "1"
	})
	if _, err := database.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &stack.Outputs.ExportStatusTableName, Key: key,
		UpdateExpression:          aws.String("SET CollectionStatus = :s"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: "Sent"}},
	}); err != nil {
		t.Fatal(err)
	}
	localtest.Await(t, "the reconciliation after the change of status", func() bool {
		status, ok := row()["CollectionStatus"].(*types.AttributeValueMemberS)
		return ok && status.Value == "Received"
	})
}

// wantEnginesPollerStopped checks that only StartPipes serves the stream.
func wantEnginesPollerStopped(t *testing.T, stack *localtest.Stack) {
	t.Helper()
	client := pipes.NewFromConfig(stack.Config)
	listed, err := client.ListPipes(t.Context(), &pipes.ListPipesInput{SourcePrefix: aws.String("arn:aws:dynamodb:")})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.Pipes) != 1 || listed.Pipes[0].CurrentState != pipestypes.PipeStateStopped {
		t.Errorf("pipes from streams: %+v, want one, stopped", listed.Pipes)
	}
}
