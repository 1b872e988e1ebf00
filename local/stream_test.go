package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/statemachine"
)

// streamStack is a stack with a table, a state machine and the pipe between them, with the real pipe's filters.
type streamStack struct {
	name    string
	table   string
	machine string
	config  aws.Config
}

func streamTemplate(description string, batchSize int) map[string]any {
	var filters []any
	for _, filter := range statemachine.StreamFilters(nil) {
		filters = append(filters, map[string]any{"Pattern": filter})
	}
	return map[string]any{
		"Resources": map[string]any{
			"Table": map[string]any{"Type": "AWS::DynamoDB::Table", "Properties": map[string]any{
				"AttributeDefinitions": []any{map[string]any{"AttributeName": "CollectionName", "AttributeType": "S"}},
				"KeySchema":            []any{map[string]any{"AttributeName": "CollectionName", "KeyType": "HASH"}},
				"BillingMode":          "PAY_PER_REQUEST",
				"StreamSpecification":  map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"},
			}},
			"Machine": machineResource("STANDARD", succeeds),
			"Pipe": pipeResource(description, att("Table", "StreamArn"), "FIRE_AND_FORGET", map[string]any{
				"FilterCriteria": map[string]any{"Filters": filters},
				"DynamoDBStreamParameters": map[string]any{
					"StartingPosition": "LATEST", "BatchSize": batchSize, "MaximumBatchingWindowInSeconds": 1,
				},
			}),
		},
		"Outputs": outputs(map[string]any{"Table": ref("Table"), "Machine": ref("Machine")}),
	}
}

// deployStream deploys the stack, with the engine's own poller of the pipe stopped.
func deployStream(t *testing.T, batchSize int) streamStack {
	t.Helper()
	stack := streamStack{name: t.Name(), config: localtest.Config(localtest.Engine(t))}
	made := deployTemplate(t, stack.config, stack.name, streamTemplate("first", batchSize))
	stack.table, stack.machine = made["Table"], made["Machine"]
	stack.stopEngine(t)
	return stack
}

func (s streamStack) stopEngine(t *testing.T) {
	t.Helper()
	if err := local.StopStreamPipes(t.Context(), s.config, s.name); err != nil {
		t.Fatal(err)
	}
}

// write sets an attribute of a collection's row, and creates the row if necessary.
func (s streamStack) write(t *testing.T, collection, attribute string, value types.AttributeValue) {
	t.Helper()
	if _, err := dynamodb.NewFromConfig(s.config).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.table, UpdateExpression: aws.String("SET #a = :v"),
		Key:                       key(collection),
		ExpressionAttributeNames:  map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": value},
	}); err != nil {
		t.Fatal(err)
	}
}

func key(collection string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"CollectionName": &types.AttributeValueMemberS{Value: collection}}
}

func (s streamStack) status(t *testing.T, collection, status string) {
	t.Helper()
	s.write(t, collection, "CollectionStatus", &types.AttributeValueMemberS{Value: status})
}

func (s streamStack) count(t *testing.T, collection string, received int) {
	t.Helper()
	s.write(t, collection, "FilesReceived", &types.AttributeValueMemberN{Value: fmt.Sprint(received)})
}

func (s streamStack) remove(t *testing.T, collection string) {
	t.Helper()
	if _, err := dynamodb.NewFromConfig(s.config).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: key(collection),
	}); err != nil {
		t.Fatal(err)
	}
}

// delivered is the changes that executions were started with, in the order of the starts, one list for each execution:
// the collection with its new status, or "removed".
func (s streamStack) delivered(t *testing.T) (delivered [][]string) {
	t.Helper()
	for _, input := range inputs(t, s.config, s.machine) {
		delivered = append(delivered, changes(t, input))
	}
	return delivered
}

func changes(t *testing.T, input string) (changes []string) {
	t.Helper()
	type text struct{ S string }
	var records []struct {
		EventSource string
		EventName   string
		DynamoDB    struct {
			Keys     struct{ CollectionName text }
			NewImage struct{ CollectionStatus text }
		}
	}
	if err := json.Unmarshal([]byte(input), &records); err != nil {
		t.Fatalf("the input is not an array of records: %v", err)
	}
	for _, record := range records {
		if record.EventSource != "aws:dynamodb" {
			t.Errorf("a record from %q", record.EventSource)
		}
		change := record.DynamoDB.NewImage.CollectionStatus.S
		if record.EventName == "REMOVE" {
			change = "removed"
		}
		changes = append(changes, record.DynamoDB.Keys.CollectionName.S+" "+change)
	}
	return changes
}

// await waits for the change to be delivered.
func (s streamStack) await(t *testing.T, change string) {
	t.Helper()
	localtest.Await(t, change+" is delivered", func() bool {
		return slices.Contains(slices.Concat(s.delivered(t)...), change)
	})
}

func TestStreamPipeDeliversChangesThatMatch(t *testing.T) {
	t.Parallel()
	stack := deployStream(t, 10)
	localtest.Serve(t, stack.config, stack.name)
	files := func(collection string, sent int) {
		stack.write(t, collection, "FilesSent", &types.AttributeValueMemberN{Value: fmt.Sprint(sent)})
	}
	stack.status(t, "a", "Exported")
	files("a", 3)
	stack.count(t, "a", 1) // counting
	stack.status(t, "a", "SENT")
	stack.count(t, "a", 2)
	stack.status(t, "a", "RECEIVED") // moves of this system
	stack.count(t, "a", 3)
	stack.status(t, "a", "SUCCESS")
	stack.status(t, "b", "Exporting")
	stack.status(t, "b", "Received") // by another system
	stack.status(t, "a", "Sent")     // over Success
	files("c", 0)
	stack.status(t, "c", "Sent")
	stack.status(t, "c", "Received") // the sender's own move of a collection without files
	stack.status(t, "a", "Success")  // from Sent: by another system
	stack.remove(t, "b")
	stack.status(t, "end", "Sent")
	stack.await(t, "end Sent")
	want := []string{"a SENT", "b Received", "a Sent", "c Sent", "c Received", "a Success", "b removed", "end Sent"}
	if diff := cmp.Diff(want, slices.Concat(stack.delivered(t)...)); diff != "" {
		t.Errorf("delivered changes differ (-want +got):\n%s", diff)
	}
}

func TestStreamPipeDeliversEarlierChangesInBatches(t *testing.T) {
	t.Parallel()
	stack := deployStream(t, 4)
	var want [][]string
	for i := range 10 {
		name := fmt.Sprintf("c%d", i)
		stack.status(t, name, "Exported")
		stack.status(t, name, "Sent")
		if i%4 == 0 {
			want = append(want, nil)
		}
		want[i/4] = append(want[i/4], name+" Sent")
	}
	stack.count(t, "c9", 1)
	localtest.Serve(t, stack.config, stack.name)
	stack.await(t, "c9 Sent")
	if diff := cmp.Diff(want, stack.delivered(t)); diff != "" {
		t.Errorf("executions differ (-want +got):\n%s", diff)
	}
}

func TestStreamPipeRetriesInOrder(t *testing.T) {
	t.Parallel()
	stack := deployStream(t, 1)
	client := sfn.NewFromConfig(stack.config)
	made, err := client.DescribeStateMachine(t.Context(),
		&sfn.DescribeStateMachineInput{StateMachineArn: &stack.machine})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteStateMachine(t.Context(),
		&sfn.DeleteStateMachineInput{StateMachineArn: &stack.machine}); err != nil {
		t.Fatal(err)
	}
	stack.status(t, "a", "Sent")
	stack.status(t, "b", "Sent")
	var log syncBuffer
	stop, err := local.Serve(t.Context(), stack.config, stack.name, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	localtest.Await(t, "a second start", func() bool {
		return strings.Count(log.String(), "starting an execution") >= 2
	})
	if _, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: made.Name, Definition: made.Definition, RoleArn: made.RoleArn,
	}); err != nil {
		t.Fatal(err)
	}
	stack.await(t, "b Sent")
	if diff := cmp.Diff([][]string{{"a Sent"}, {"b Sent"}}, stack.delivered(t)); diff != "" {
		t.Errorf("executions differ (-want +got):\n%s", diff)
	}
}

func TestStreamPipeDeliversAfterRestart(t *testing.T) {
	t.Parallel()
	stack := deployStream(t, 10)
	stop, err := local.Serve(t.Context(), stack.config, stack.name, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	stack.status(t, "a", "Sent")
	stack.await(t, "a Sent")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	stack.status(t, "b", "Sent")
	localtest.Serve(t, stack.config, stack.name)
	stack.await(t, "b Sent")
}

func TestStopStreamPipesAfterAnUpdate(t *testing.T) {
	t.Parallel()
	stack := deployStream(t, 10)
	stack.wantState(t, pipestypes.PipeStateStopped)
	body, err := json.Marshal(streamTemplate("second", 10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cloudformation.NewFromConfig(stack.config).UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
		StackName: &stack.name, TemplateBody: aws.String(string(body)),
	}); err != nil {
		t.Fatal(err)
	}
	localtest.Await(t, "the start of the poller",
		func() bool { return stack.state(t) == pipestypes.PipeStateRunning })
	stack.stopEngine(t)
	stack.wantState(t, pipestypes.PipeStateStopped)
	stack.stopEngine(t)
	stack.wantState(t, pipestypes.PipeStateStopped)
}

func (s streamStack) wantState(t *testing.T, want pipestypes.PipeState) {
	t.Helper()
	if got := s.state(t); got != want {
		t.Errorf("the engine's poller is %s, want %s", got, want)
	}
}

func (s streamStack) state(t *testing.T) pipestypes.PipeState {
	t.Helper()
	deployed, err := local.Pipes(t.Context(), s.config, s.name)
	if err != nil {
		t.Fatal(err)
	}
	described, err := pipes.NewFromConfig(s.config).DescribePipe(t.Context(),
		&pipes.DescribePipeInput{Name: &deployed[0].Name})
	if err != nil {
		t.Fatal(err)
	}
	return described.CurrentState
}

// syncBuffer is a buffer for concurrent use.
type syncBuffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(p)
}

func (b *syncBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}
