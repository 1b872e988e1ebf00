package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"snapshot-status-checker/local"
)

// The baseline's function: its name, the package of its program, and its memory in MB.
const (
	baselineName   = "bench-baseline"
	baselineFolder = "./test/bench/baseline"
	baselineMemory = 256
)

// system is a deployed system that counts files: the stack, or the baseline.
type system struct {
	statusTable, inURL, requestsURL, notificationsURL string
	machine                                           string // ARN of the state machine; empty: it has none
	express                                           bool
	definition                                        string
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
// queue by the measurements. The deployment's batch size only bounds the size of a message: the strictest is taken.
func (w *testbed) deployStack(ctx context.Context, project local.Project, workflowType string) (*system, error) {
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
	s := &system{statusTable: outputs.ExportStatusTableName, inURL: outputs.FileReceivedQueueUrl,
		requestsURL: outputs.ExportStateQueueUrl, machine: outputs.StateMachineArn, express: workflowType == "EXPRESS",
		seen: map[string]bool{}}
	if s.notificationsURL, err = w.subscribe(ctx, &outputs.MonitoringTopicArn); err != nil {
		return nil, err
	}
	if s.functions, err = w.deployedFunctions(ctx, stack); err != nil {
		return nil, err
	}
	described, err := w.machines.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &s.machine})
	if err != nil {
		return nil, fmt.Errorf("reading the definition: %w", err)
	}
	s.definition = aws.ToString(described.Definition)
	pipes, err := local.Pipes(ctx, w.config, stack)
	if err != nil {
		return nil, err
	}
	for _, pipe := range pipes {
		if strings.HasPrefix(pipe.Source, "arn:aws:sqs:") {
			s.feed = pipe
			continue
		}
		w.undo = append(w.undo, w.serve(context.WithoutCancel(ctx), pipe))
	}
	if s.feed.Source == "" {
		return nil, errors.New("the stack has no pipe from a queue")
	}
	return s, nil
}

// deployedFunctions lists the stack's functions, whose names are the stack's name and a task's.
func (w *testbed) deployedFunctions(ctx context.Context, stack string) ([]deployed, error) {
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

// deployBaseline makes the baseline with a queue, a table and a topic of its own.
func (w *testbed) deployBaseline(ctx context.Context) (*system, error) {
	s := &system{statusTable: "bench-baseline-status", functions: []deployed{{name: baselineName, task: baselineName,
		memoryMB: baselineMemory}}}
	s.feed = local.Pipe{Name: baselineName, Synchronous: true}
	var err error
	if s.inURL, s.feed.Source, err = w.makeQueue(ctx, "bench-baseline-in"); err != nil {
		return nil, err
	}
	if s.requestsURL, _, err = w.makeQueue(ctx, "bench-baseline-requests"); err != nil {
		return nil, err
	}
	topic, err := w.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(baselineName)})
	if err != nil {
		return nil, fmt.Errorf("making the baseline's topic: %w", err)
	}
	if s.notificationsURL, err = w.subscribe(ctx, topic.TopicArn); err != nil {
		return nil, err
	}
	if err := w.makeTable(ctx, s.statusTable); err != nil {
		return nil, err
	}
	s.feed.Target, err = w.makeFunction(ctx, baselineName, baselineFolder, map[string]string{
		"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": s.statusTable, "EXPORT_STATE_SQS_QUEUE_URL": s.requestsURL,
		"MONITORING_SNS_TOPIC_ARN": aws.ToString(topic.TopicArn),
	})
	return s, err
}

// mapQueue lets the engine itself feed the baseline, until stop is called.
func (w *testbed) mapQueue(ctx context.Context, s *system, f feeding) (stop func() error, err error) {
	made, err := w.lambdas.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: &s.feed.Source, FunctionName: &s.feed.Target, BatchSize: aws.Int32(int32(f.Batch)),
		ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(int32(f.Concurrent))}})
	if err != nil {
		return nil, fmt.Errorf("mapping the queue to the function: %w", err)
	}
	return func() error {
		_, err := w.lambdas.DeleteEventSourceMapping(context.WithoutCancel(ctx),
			&lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
		return err
	}, nil
}
