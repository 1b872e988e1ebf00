package local_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

const (
	succeeds = `{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}`
	fails    = `{"StartAt": "Failed", "States": {"Failed": {"Type": "Fail", "Error": "No"}}}`
)

// pipeStack is a stack with a queue, a state machine and the pipe between them.
type pipeStack struct {
	name     string
	queueURL string
	deadURL  string
	queueARN string
	machine  string
	config   aws.Config
}

// deployPipe deploys a stack whose messages are visible again after the visibility timeout (seconds), and are dead
// letters after two receives.
func deployPipe(t *testing.T, kind, definition, invocation string, visibility, batchSize, batchWindow int) pipeStack {
	t.Helper()
	stack := pipeStack{name: strings.ReplaceAll(t.Name(), "/", "-"), config: localtest.Config(localtest.Engine(t))}
	outputs := deployTemplate(t, stack.config, stack.name, map[string]any{
		"Resources": map[string]any{
			"Dead": map[string]any{"Type": "AWS::SQS::Queue"},
			"Queue": map[string]any{"Type": "AWS::SQS::Queue", "Properties": map[string]any{
				"VisibilityTimeout": visibility,
				"RedrivePolicy": map[string]any{
					"deadLetterTargetArn": map[string]any{"Fn::GetAtt": []string{"Dead", "Arn"}}, "maxReceiveCount": 2,
				},
			}},
			"Machine": machineResource(kind, definition),
			"Pipe": map[string]any{"Type": "AWS::Pipes::Pipe", "Properties": map[string]any{
				"RoleArn": "arn:aws:iam::000000000000:role/any",
				"Source":  map[string]any{"Fn::GetAtt": []string{"Queue", "Arn"}},
				"Target":  map[string]any{"Ref": "Machine"},
				"SourceParameters": map[string]any{"SqsQueueParameters": map[string]any{
					"BatchSize": batchSize, "MaximumBatchingWindowInSeconds": batchWindow,
				}},
				"TargetParameters": map[string]any{"StepFunctionStateMachineParameters": map[string]any{
					"InvocationType": invocation,
				}},
			}},
		},
		"Outputs": map[string]any{
			"Url":     map[string]any{"Value": map[string]any{"Ref": "Queue"}},
			"Dead":    map[string]any{"Value": map[string]any{"Ref": "Dead"}},
			"Arn":     map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{"Queue", "Arn"}}},
			"Machine": map[string]any{"Value": map[string]any{"Ref": "Machine"}},
		},
	})
	stack.queueURL, stack.deadURL = outputs["Url"], outputs["Dead"]
	stack.queueARN, stack.machine = outputs["Arn"], outputs["Machine"]
	return stack
}

func machineResource(kind, definition string) map[string]any {
	return map[string]any{"Type": "AWS::StepFunctions::StateMachine", "Properties": map[string]any{
		"DefinitionString": definition, "StateMachineType": kind, "RoleArn": "arn:aws:iam::000000000000:role/any",
	}}
}

// deployTemplate creates a stack and returns its outputs.
func deployTemplate(t *testing.T, config aws.Config, name string, template map[string]any) map[string]string {
	t.Helper()
	body, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	client := cloudformation.NewFromConfig(config)
	if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: aws.String(string(body)),
	}); err != nil {
		t.Fatal(err)
	}
	named := &cloudformation.DescribeStacksInput{StackName: &name}
	if err := cloudformation.NewStackCreateCompleteWaiter(client,
		func(o *cloudformation.StackCreateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
		}).Wait(t.Context(), named, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeStacks(t.Context(), named)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, output := range described.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs
}

// run serves the stack's pipes until the test ends.
func (s pipeStack) run(t *testing.T) {
	t.Helper()
	stop := serve(t, s.config, s.name, slog.New(slog.NewTextHandler(t.Output(), nil)))
	t.Cleanup(stop)
}

// serve serves the stack's pipes until stop is called, which waits for batches in progress.
func serve(t *testing.T, config aws.Config, stack string, log *slog.Logger) (stop func()) {
	t.Helper()
	pipes, err := local.Pipes(t.Context(), config, stack)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- local.RunPipes(ctx, config, pipes, log) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// send sends messages with the texts "0", "1", …, each with an attribute, and returns their ids.
func (s pipeStack) send(t *testing.T, count int) (ids []string) {
	t.Helper()
	for i := range count {
		sent, err := sqs.NewFromConfig(s.config).SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: &s.queueURL, MessageBody: aws.String(strconv.Itoa(i)),
			MessageAttributes: map[string]types.MessageAttributeValue{
				"kind": {DataType: aws.String("String"), StringValue: aws.String("test")},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, aws.ToString(sent.MessageId))
	}
	return ids
}

func (s pipeStack) inQueue(t *testing.T) int {
	t.Helper()
	return inQueue(t, s.config, s.queueURL)
}

// inQueue is the number of messages in the queue, including hidden ones.
func inQueue(t *testing.T, config aws.Config, url string) int {
	t.Helper()
	got, err := sqs.NewFromConfig(config).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		n, err := strconv.Atoi(got.Attributes[name])
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}

type gotRecord struct {
	MessageID         string            `json:"messageId"`
	Body              string            `json:"body"`
	Attributes        map[string]string `json:"attributes"`
	MessageAttributes map[string]struct {
		StringValue string `json:"stringValue"`
	} `json:"messageAttributes"`
	EventSourceARN string `json:"eventSourceARN"`
}

// batches are the inputs of all executions so far.
func (s pipeStack) batches(t *testing.T) (batches [][]gotRecord) {
	t.Helper()
	client := sfn.NewFromConfig(s.config)
	listed, err := client.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &s.machine})
	if err != nil {
		t.Fatal(err)
	}
	for _, execution := range listed.Executions {
		described, err := client.DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: execution.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		var batch []gotRecord
		if err := json.Unmarshal([]byte(aws.ToString(described.Input)), &batch); err != nil {
			t.Fatalf("the input is not an array of records: %v", err)
		}
		batches = append(batches, batch)
	}
	return batches
}

// longVisibility is a visibility timeout, in seconds, within which a busy machine starts an execution and deletes its
// messages.
const longVisibility = 900

func TestPipesReadsTheDeployedDefinition(t *testing.T) {
	t.Parallel()
	stack := deployPipe(t, "STANDARD", succeeds, "FIRE_AND_FORGET", longVisibility, 7, 3)
	got, err := local.Pipes(t.Context(), stack.config, stack.name)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Name == "" {
		t.Fatalf("got %+v, want one named pipe", got)
	}
	want := local.Pipe{
		Name: got[0].Name, Source: stack.queueARN, Target: stack.machine,
		BatchSize: 7, BatchWindow: 3 * time.Second,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("pipe differs (-want +got):\n%s", diff)
	}
}

func TestRunPipesDeliversEveryMessageOnce(t *testing.T) {
	t.Parallel()
	stack := deployPipe(t, "STANDARD", succeeds, "FIRE_AND_FORGET", longVisibility, 1, 0)
	ids := stack.send(t, 25)
	stack.run(t)
	eventually(t, "all messages are deleted", func() bool { return stack.inQueue(t) == 0 })

	bodies := map[string]string{}
	for _, batch := range stack.batches(t) {
		if len(batch) != 1 {
			t.Fatalf("an execution with %d records, want 1", len(batch))
		}
		record := batch[0]
		bodies[record.MessageID] += record.Body
		if record.EventSourceARN != stack.queueARN || record.Attributes["ApproximateReceiveCount"] != "1" ||
			record.MessageAttributes["kind"].StringValue != "test" {
			t.Errorf("record %+v, want one of %s, received once, with its attributes", record, stack.queueARN)
		}
	}
	want := map[string]string{}
	for i, id := range ids {
		want[id] = strconv.Itoa(i)
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("delivered messages differ (-want +got):\n%s", diff)
	}
}

func TestRunPipesFillsBatchesWithinTheWindow(t *testing.T) {
	t.Parallel()
	stack := deployPipe(t, "STANDARD", succeeds, "FIRE_AND_FORGET", longVisibility, 25, 20)
	stack.send(t, 200)
	stack.run(t)
	eventually(t, "all messages are deleted", func() bool { return stack.inQueue(t) == 0 })
	total, largest := 0, 0
	for _, batch := range stack.batches(t) {
		total, largest = total+len(batch), max(largest, len(batch))
	}
	if total != 200 || largest <= 10 || largest > 25 {
		t.Errorf("%d records, largest batch %d, want 200 in batches of more than one receive (10) and at most 25", total,
			largest)
	}
}

func TestRunPipesLeavesMessagesThatStartNothing(t *testing.T) {
	t.Parallel()
	stack := deployPipe(t, "STANDARD", succeeds, "FIRE_AND_FORGET", 1, 1, 0)
	if _, err := sfn.NewFromConfig(stack.config).DeleteStateMachine(t.Context(),
		&sfn.DeleteStateMachineInput{StateMachineArn: &stack.machine}); err != nil {
		t.Fatal(err)
	}
	stack.leaves(t)
}

func TestRunPipesDeletesAfterSynchronousSuccessOnly(t *testing.T) {
	t.Parallel()
	t.Run("Succeeded", func(t *testing.T) {
		t.Parallel()
		stack := deployPipe(t, "EXPRESS", succeeds, "REQUEST_RESPONSE", longVisibility, 2, 0)
		stack.send(t, 5)
		stack.run(t)
		eventually(t, "all messages are deleted", func() bool { return stack.inQueue(t) == 0 })
	})
	t.Run("Failed", func(t *testing.T) {
		t.Parallel()
		deployPipe(t, "EXPRESS", fails, "REQUEST_RESPONSE", 1, 1, 0).leaves(t)
	})
}

// leaves asserts that an undelivered message becomes a dead letter.
func (s pipeStack) leaves(t *testing.T) {
	t.Helper()
	s.send(t, 1)
	s.run(t)
	eventually(t, "the message is a dead letter", func() bool { return inQueue(t, s.config, s.deadURL) == 1 })
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Minute) // the machine may be busy
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("timed out waiting for: %s", what)
		case <-tick.C:
		}
	}
}
