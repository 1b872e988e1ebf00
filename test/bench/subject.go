package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/local"
)

// subject is a deployed system that counts files: the stack, or the baseline.
type subject struct {
	statusTable, inURL, requestsURL, notificationsURL string
	machine                                           string // ARN of the state machine; empty: it has none
	express                                           bool
	definition                                        int             // length in bytes
	seen                                              map[string]bool // executions that were counted already
	functions                                         []deployed
	// from its queue; the batch size is set for each measurement
	feed local.Pipe
}

// deployed is a function as it is deployed.
type deployed struct {
	name, task  string
	memoryMB    float64
	environment map[string]string
}

// environ is its environment in the form NAME=value.
func (d deployed) environ() (variables []string) {
	for name, value := range d.environment {
		variables = append(variables, name+"="+value)
	}
	return variables
}

// deployStack deploys the project's CDK app. The pipe from the table's stream is served from now on; the one from the
// queue by the measurements. The batch size of the deployment only decides on the largest message, so the strictest is
// taken.
func (w *world) deployStack(ctx context.Context, project local.Project, workflowType string) (*subject, error) {
	dir, err := os.MkdirTemp("", "bench-outputs-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the outputs: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "outputs.json")
	if err := project.Deploy(ctx, w.engine.Endpoint, file, []string{"workflowType=" + workflowType, "batchSize=100",
		"sweepEveryMinutes=60"}, local.Log{Steps: io.Discard, Output: io.Discard}); err != nil {
		return nil, err
	}
	stack, outputs, err := local.ReadOutputs(file)
	if err != nil {
		return nil, err
	}
	s := &subject{statusTable: outputs.ExportStatusTableName, inURL: outputs.FileReceivedQueueUrl,
		requestsURL: outputs.ExportStateQueueUrl, machine: outputs.StateMachineArn, express: workflowType == "EXPRESS",
		seen: map[string]bool{}}
	if s.notificationsURL, err = w.subscribe(ctx, outputs.MonitoringTopicArn); err != nil {
		return nil, err
	}
	if s.functions, err = w.deployedFunctions(ctx, stack); err != nil {
		return nil, err
	}
	described, err := w.machines.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &s.machine})
	if err != nil {
		return nil, fmt.Errorf("reading the definition: %w", err)
	}
	s.definition = len(aws.ToString(described.Definition))
	pipes, err := local.Pipes(ctx, w.config, stack)
	if err != nil {
		return nil, err
	}
	for _, pipe := range pipes {
		if strings.HasPrefix(pipe.Source, "arn:aws:sqs:") {
			s.feed = pipe
			continue
		}
		stop := w.serve(context.WithoutCancel(ctx), pipe)
		w.undo = append(w.undo, stop)
	}
	if s.feed.Source == "" {
		return nil, errors.New("the stack has no pipe from a queue")
	}
	return s, nil
}

// deployedFunctions lists the stack's functions. A task is what follows on the stack's name in its function's.
func (w *world) deployedFunctions(ctx context.Context, stack string) ([]deployed, error) {
	listed, err := w.lambdas.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return nil, fmt.Errorf("listing the functions: %w", err)
	}
	var functions []deployed
	for _, f := range listed.Functions {
		found := deployed{name: aws.ToString(f.FunctionName), memoryMB: float64(aws.ToInt32(f.MemorySize))}
		found.task = strings.TrimPrefix(found.name, stack+"-")
		if f.Environment != nil {
			found.environment = f.Environment.Variables
		}
		functions = append(functions, found)
	}
	return functions, nil
}

// subscribe makes a queue that gets the topic's messages.
func (w *world) subscribe(ctx context.Context, topic string) (url string, err error) {
	url, arn, err := w.makeQueue(ctx, "bench-notifications")
	if err != nil {
		return "", err
	}
	if _, err := w.topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"),
		Endpoint:   &arn,
		Attributes: map[string]string{"RawMessageDelivery": "true"}}); err != nil {
		return "", fmt.Errorf("subscribing to the notifications: %w", err)
	}
	return url, nil
}

func (w *world) makeQueue(ctx context.Context, name string) (url, arn string, err error) {
	made, err := w.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name,
		Attributes: map[string]string{"VisibilityTimeout": "300"}})
	if err != nil {
		return "", "", fmt.Errorf("making the queue %s: %w", name, err)
	}
	url = aws.ToString(made.QueueUrl)
	attribute := sqstypes.QueueAttributeNameQueueArn
	got, err := w.queues.GetQueueAttributes(ctx,
		&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{attribute}})
	if err != nil {
		return "", "", fmt.Errorf("making the queue %s: %w", name, err)
	}
	return url, got.Attributes[string(attribute)], nil
}

// deployBaseline makes the baseline with a queue, a table and a topic of its own.
func (w *world) deployBaseline(ctx context.Context) (*subject, error) {
	s := &subject{statusTable: "bench-baseline-status", functions: []deployed{{name: baselineName, task: baselineName,
		memoryMB: baselineMemory}}}
	var inARN string
	var err error
	if s.inURL, inARN, err = w.makeQueue(ctx, "bench-baseline-in"); err != nil {
		return nil, err
	}
	if s.requestsURL, _, err = w.makeQueue(ctx, "bench-baseline-requests"); err != nil {
		return nil, err
	}
	topic, err := w.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("bench-baseline")})
	if err != nil {
		return nil, fmt.Errorf("making the baseline's topic: %w", err)
	}
	if s.notificationsURL, err = w.subscribe(ctx, aws.ToString(topic.TopicArn)); err != nil {
		return nil, err
	}
	if err := w.makeTable(ctx, s.statusTable); err != nil {
		return nil, err
	}
	code, _, err := functionZip(ctx, w.Project, baselineFolder)
	if err != nil {
		return nil, err
	}
	made, err := w.lambdas.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(baselineName), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler:    aws.String("bootstrap"),
		Role:       aws.String("arn:aws:iam::000000000000:role/bench-baseline"),
		Code:       &lambdatypes.FunctionCode{ZipFile: code},
		MemorySize: aws.Int32(baselineMemory), Timeout: aws.Int32(30),
		Environment: &lambdatypes.Environment{Variables: map[string]string{
			"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": s.statusTable, "EXPORT_STATE_SQS_QUEUE_URL": s.requestsURL,
			"MONITORING_SNS_TOPIC_ARN": aws.ToString(topic.TopicArn),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("making the baseline's function: %w", err)
	}
	s.feed = local.Pipe{Name: "bench-baseline", Source: inARN, Target: aws.ToString(made.FunctionArn),
		Synchronous: true}
	waiter := lambda.NewFunctionActiveV2Waiter(w.lambdas)
	if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(baselineName)},
		time.Minute); err != nil {
		return nil, fmt.Errorf("waiting for the baseline's function: %w", err)
	}
	return s, nil
}

func (w *world) makeTable(ctx context.Context, name string) error {
	attribute := func(name string) dynamodbtypes.AttributeDefinition {
		return dynamodbtypes.AttributeDefinition{AttributeName: &name,
			AttributeType: dynamodbtypes.ScalarAttributeTypeS}
	}
	_, err := w.table.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{attribute("CorrelationId"),
			attribute("CollectionName")},
		KeySchema: []dynamodbtypes.KeySchemaElement{
			{AttributeName: aws.String("CorrelationId"), KeyType: dynamodbtypes.KeyTypeHash},
			{AttributeName: aws.String("CollectionName"), KeyType: dynamodbtypes.KeyTypeRange},
		},
	})
	if err != nil {
		return fmt.Errorf("making the table %s: %w", name, err)
	}
	return nil
}

// mapQueue has the engine itself feed the baseline, with so many batches side by side, until the returned function is
// called.
func (w *world) mapQueue(ctx context.Context, s *subject, batch, sideBySide int) (stop func() error, err error) {
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &s.feed.Source, FunctionName: &s.feed.Target,
		BatchSize:     aws.Int32(int32(batch)),
		ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(int32(sideBySide))}}
	made, err := w.lambdas.CreateEventSourceMapping(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("mapping the queue to the function: %w", err)
	}
	return func() error {
		_, err := w.lambdas.DeleteEventSourceMapping(context.WithoutCancel(ctx),
			&lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
		return err
	}, nil
}
