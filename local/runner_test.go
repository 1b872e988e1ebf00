package local_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
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
	made := deployTemplate(t, stack.config, stack.name, map[string]any{
		"Resources": map[string]any{
			"Dead": map[string]any{"Type": "AWS::SQS::Queue"},
			"Queue": map[string]any{"Type": "AWS::SQS::Queue", "Properties": map[string]any{
				"VisibilityTimeout": visibility,
				"RedrivePolicy": map[string]any{
					"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 2,
				},
			}},
			"Machine": machineResource(kind, definition),
			"Pipe": pipeResource("", att("Queue", "Arn"), invocation, map[string]any{
				"SqsQueueParameters": map[string]any{
					"BatchSize": batchSize, "MaximumBatchingWindowInSeconds": batchWindow,
				},
			}),
		},
		"Outputs": outputs(map[string]any{
			"Url": ref("Queue"), "Dead": ref("Dead"), "Arn": att("Queue", "Arn"), "Machine": ref("Machine"),
		}),
	})
	stack.queueURL, stack.deadURL = made["Url"], made["Dead"]
	stack.queueARN, stack.machine = made["Arn"], made["Machine"]
	return stack
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

// awaitEmpty waits until all messages are deleted.
func (s pipeStack) awaitEmpty(t *testing.T) {
	t.Helper()
	localtest.Await(t, "deletion of all messages",
		func() bool { return localtest.Waiting(t, s.config, s.queueURL) == 0 })
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

// batches are the records of all executions so far.
func (s pipeStack) batches(t *testing.T) (batches [][]gotRecord) {
	t.Helper()
	for _, input := range inputs(t, s.config, s.machine) {
		var batch []gotRecord
		if err := json.Unmarshal([]byte(input), &batch); err != nil {
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
	localtest.Serve(t, stack.config, stack.name)
	stack.awaitEmpty(t)

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
	localtest.Serve(t, stack.config, stack.name)
	stack.awaitEmpty(t)
	total, largest := 0, 0
	for _, batch := range stack.batches(t) {
		total, largest = total+len(batch), max(largest, len(batch))
	}
	if total != 200 || largest <= 10 || largest > 25 {
		t.Errorf("%d records, largest batch %d, want 200 in batches of more than 10 and at most 25", total, largest)
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
		localtest.Serve(t, stack.config, stack.name)
		stack.awaitEmpty(t)
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
	localtest.Serve(t, s.config, s.name)
	localtest.Await(t, "the message is a dead letter",
		func() bool { return localtest.Waiting(t, s.config, s.deadURL) == 1 })
}
