package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
)

// baseline is the kind of the system that the stacks are compared with, and the name of all that it consists of.
const baseline = "baseline"

// deployBaseline makes the function of test/bench/baseline with queues, a table and a topic. It builds its program in
// dir.
func (s *system) deployBaseline(ctx context.Context, dir string) error {
	queues := sqs.NewFromConfig(s.config)
	for _, queue := range []struct {
		name string
		url  *string
	}{{baseline, &s.outputs.FileReceivedQueueUrl}, {baseline + "-requests", &s.outputs.ExportStateQueueUrl}} {
		made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &queue.name,
			Attributes: map[string]string{"VisibilityTimeout": "300"}})
		if err != nil {
			return fmt.Errorf("making the queue %s: %w", queue.name, err)
		}
		*queue.url = aws.ToString(made.QueueUrl)
	}
	topic, err := sns.NewFromConfig(s.config).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(baseline)})
	if err != nil {
		return fmt.Errorf("making the topic: %w", err)
	}
	s.outputs.MonitoringTopicArn = aws.ToString(topic.TopicArn)
	s.outputs.ExportStatusTableName = baseline
	if err := s.makeTable(ctx); err != nil {
		return err
	}
	arn, err := s.makeFunction(ctx, dir)
	if err != nil {
		return err
	}
	s.source = local.Pipe{Name: baseline, Source: "arn:aws:sqs:" + local.Region + ":000000000000:" + baseline,
		Target: arn, Synchronous: true}
	return s.listFunctions(ctx, "", dir)
}

func (s *system) makeTable(ctx context.Context) error {
	in := &dynamodb.CreateTableInput{TableName: &s.outputs.ExportStatusTableName,
		BillingMode: dynamodbtypes.BillingModePayPerRequest}
	for key, kind := range map[string]dynamodbtypes.KeyType{
		"CorrelationId": dynamodbtypes.KeyTypeHash, "CollectionName": dynamodbtypes.KeyTypeRange,
	} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, dynamodbtypes.AttributeDefinition{
			AttributeName: &key, AttributeType: dynamodbtypes.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, dynamodbtypes.KeySchemaElement{AttributeName: &key, KeyType: kind})
	}
	if _, err := dynamodb.NewFromConfig(s.config).CreateTable(ctx, in); err != nil {
		return fmt.Errorf("making the table: %w", err)
	}
	return nil
}

func (s *system) makeFunction(ctx context.Context, dir string) (arn string, err error) {
	name, client := baseline, lambda.NewFromConfig(s.config)
	code, err := buildBaseline(ctx, s.project, filepath.Join(dir, name, "bootstrap"))
	if err != nil {
		return "", err
	}
	made, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::000000000000:role/bench"), Code: &lambdatypes.FunctionCode{ZipFile: code},
		MemorySize: aws.Int32(256), Timeout: aws.Int32(30),
		Environment: &lambdatypes.Environment{Variables: map[string]string{
			"DYNAMO_DB_EXPORT_STATUS_TABLE_NAME": s.outputs.ExportStatusTableName,
			"EXPORT_STATE_SQS_QUEUE_URL":         s.outputs.ExportStateQueueUrl,
			"MONITORING_SNS_TOPIC_ARN":           s.outputs.MonitoringTopicArn,
		}},
	})
	if err == nil {
		err = lambda.NewFunctionActiveV2Waiter(client).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name},
			time.Minute)
	}
	if err != nil {
		return "", fmt.Errorf("making the function: %w", err)
	}
	return aws.ToString(made.FunctionArn), nil
}

// buildBaseline compiles the baseline as the Makefile compiles the functions, for this machine, and returns its folder
// as a function's code.
func buildBaseline(ctx context.Context, project local.Project, program string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w", "-o", program, "./test/bench/baseline")
	cmd.Dir = project.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the baseline: %w\n%s", err, out)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	if err := errors.Join(archive.AddFS(os.DirFS(filepath.Dir(program))), archive.Close()); err != nil {
		return nil, fmt.Errorf("packing the baseline: %w", err)
	}
	return out.Bytes(), nil
}
