package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"snapshot-status-checker/local"
	"snapshot-status-checker/test/scenario"
)

// testbed is an engine of its own with one system deployed to it. If it counts, the functions and the runner call the
// engine through counters; all other clients call it directly.
type testbed struct {
	options
	engine            *local.TestEngine
	config            aws.Config
	functions, runner *counter // nil if it does not count

	table    *dynamodb.Client
	queues   *sqs.Client
	machines *sfn.Client
	lambdas  *lambda.Client
	topics   *sns.Client
	log      *slog.Logger
	undo     []func() error
}

// functionConcurrency is how many function calls the engine allows at a time, as an account's limit does.
const functionConcurrency = 100

// startTestbed starts an engine. Close ends it.
func startTestbed(ctx context.Context, o options, counts bool) (w *testbed, err error) {
	w = &testbed{options: o, log: slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return w, fmt.Errorf("making a folder for the engine: %w", err)
	}
	w.undo = append(w.undo, func() error { return os.RemoveAll(dir) })
	variables := []string{"LAMBDA_ACCOUNT_CONCURRENCY=" + strconv.Itoa(functionConcurrency)}
	if counts {
		w.functions, w.runner = newCounter(), newCounter()
		w.undo = append(w.undo, w.functions.close, w.runner.close)
		variables = append(variables, "AWS_ENDPOINT_URL="+w.functions.url())
	}
	if w.engine, err = o.Project.StartTestEngine(ctx, dir, local.Log{Steps: o.Log, Output: io.Discard},
		variables...); err != nil {
		return w, err
	}
	w.undo = append(w.undo, func() error { return w.engine.Stop(context.Background()) })
	if counts {
		if err := errors.Join(w.functions.leadTo(w.engine.Endpoint), w.runner.leadTo(w.engine.Endpoint)); err != nil {
			return w, err
		}
	}
	w.config = local.Config(w.engine.Endpoint)
	w.table, w.queues, w.topics = dynamodb.NewFromConfig(w.config), sqs.NewFromConfig(w.config),
		sns.NewFromConfig(w.config)
	w.machines, w.lambdas = sfn.NewFromConfig(w.config), lambda.NewFromConfig(w.config)
	return w, nil
}

// close ends what the testbed started, the last first.
func (w *testbed) close() error {
	var errs []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		errs = append(errs, w.undo[i]())
	}
	w.undo = nil
	return errors.Join(errs...)
}

// serve serves the pipes until stop is called, which waits for the batches in progress.
func (w *testbed) serve(ctx context.Context, pipes ...local.Pipe) (stop func() error) {
	config := w.config
	if w.runner != nil {
		config = local.Config(w.runner.url())
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- local.RunPipes(ctx, config, pipes, w.log) }()
	return func() error { cancel(); return <-ended }
}

// subscribe makes a queue that gets the topic's messages.
func (w *testbed) subscribe(ctx context.Context, topic *string) (url string, err error) {
	subscription := scenario.NewSubscription(w.config, "bench-notifications", aws.ToString(topic))
	err = subscription.Begin(ctx)
	return subscription.URL, err
}

func (w *testbed) makeQueue(ctx context.Context, name string) (url, arn string, err error) {
	made, err := w.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name,
		Attributes: map[string]string{"VisibilityTimeout": "300"}})
	if err != nil {
		return "", "", fmt.Errorf("making the queue %s: %w", name, err)
	}
	attribute := sqstypes.QueueAttributeNameQueueArn
	got, err := w.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl,
		AttributeNames: []sqstypes.QueueAttributeName{attribute}})
	if err != nil {
		return "", "", fmt.Errorf("making the queue %s: %w", name, err)
	}
	return aws.ToString(made.QueueUrl), got.Attributes[string(attribute)], nil
}

func (w *testbed) makeTable(ctx context.Context, name string) error {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
	for key, kind := range map[string]types.KeyType{
		"CorrelationId": types.KeyTypeHash, "CollectionName": types.KeyTypeRange,
	} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &key,
			AttributeType: types.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &key, KeyType: kind})
	}
	if _, err := w.table.CreateTable(ctx, in); err != nil {
		return fmt.Errorf("making the table %s: %w", name, err)
	}
	return nil
}

// makeFunction deploys the Go program in the project's folder.
func (w *testbed) makeFunction(
	ctx context.Context, name, folder string, environment map[string]string,
) (arn string, err error) {
	code, err := functionZip(ctx, w.Project, folder)
	if err != nil {
		return "", err
	}
	made, err := w.lambdas.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::000000000000:role/bench"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		MemorySize: aws.Int32(baselineMemory), Timeout: aws.Int32(30),
		Environment: &lambdatypes.Environment{Variables: environment},
	})
	if err == nil {
		waiter := lambda.NewFunctionActiveV2Waiter(w.lambdas)
		err = waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute)
	}
	if err != nil {
		return "", fmt.Errorf("making the function %s: %w", name, err)
	}
	return aws.ToString(made.FunctionArn), nil
}
