package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
)

// Pipe is a deployed EventBridge pipe.
type Pipe struct {
	Name   string
	Source string // ARN
	Target string // ARN of a state machine or of a function
	// BatchSize is the most records of one execution, at least 1.
	BatchSize int
	// BatchWindow is the longest wait for a full batch.
	BatchWindow time.Duration
	// Synchronous pipes wait for the end of the execution (REQUEST_RESPONSE).
	Synchronous bool
	// Pollers is the number of concurrent receivers of a queue; 0: defaultPollers.
	Pollers int
	// Filters are EventBridge patterns. A record passes if one matches, or if there is none.
	Filters []string
}

// sourceService is the service in the source's ARN: sqs or dynamodb.
func (p Pipe) sourceService() string {
	parsed, err := arn.Parse(p.Source)
	if err != nil {
		return ""
	}
	return parsed.Service
}

// pipeTemplate is the part of an AWS::Pipes::Pipe in a template that the engine does not store.
type pipeTemplate struct {
	Type       string
	Properties struct {
		SourceParameters struct {
			FilterCriteria struct {
				Filters []struct{ Pattern string }
			}
			SqsQueueParameters       batchTemplate
			DynamoDBStreamParameters batchTemplate
		}
		TargetParameters struct {
			StepFunctionStateMachineParameters struct{ InvocationType string }
		}
	}
}

type batchTemplate struct {
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
}

// Pipes reads the pipes of a deployed stack: names and ARNs from the engine, which resolved them, the rest from the
// deployed template.
func Pipes(ctx context.Context, config aws.Config, stack string) ([]Pipe, error) {
	formation := cloudformation.NewFromConfig(config)
	deployed, err := formation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stack})
	if err != nil {
		return nil, fmt.Errorf("reading the deployed template: %w", err)
	}
	var template struct {
		Resources map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(aws.ToString(deployed.TemplateBody)), &template); err != nil {
		return nil, fmt.Errorf("reading the deployed template: %w", err)
	}
	resources, err := formation.DescribeStackResources(ctx,
		&cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		return nil, fmt.Errorf("listing the deployed resources: %w", err)
	}
	var found []Pipe
	for _, resource := range resources.StackResources {
		if aws.ToString(resource.ResourceType) != "AWS::Pipes::Pipe" {
			continue
		}
		pipe, err := describePipe(ctx, pipes.NewFromConfig(config), aws.ToString(resource.PhysicalResourceId),
			template.Resources[aws.ToString(resource.LogicalResourceId)])
		if err != nil {
			return nil, err
		}
		found = append(found, pipe)
	}
	if len(found) == 0 {
		return nil, errors.New("the deployed stack has no pipes")
	}
	return found, nil
}

// StopStreamPipes stops the engine's own poller of the stack's stream pipes, which ignores filters and batch sizes, so
// that only RunPipes serves them. A deployment that creates or updates such a pipe starts the poller again.
func StopStreamPipes(ctx context.Context, config aws.Config, stack string) error {
	deployed, err := Pipes(ctx, config, stack)
	if err != nil {
		return err
	}
	for _, pipe := range deployed {
		if pipe.sourceService() != "dynamodb" {
			continue
		}
		if _, err := pipes.NewFromConfig(config).StopPipe(ctx, &pipes.StopPipeInput{Name: &pipe.Name}); err != nil {
			return fmt.Errorf("stopping the engine's poller of pipe %s: %w", pipe.Name, err)
		}
	}
	return nil
}

func describePipe(ctx context.Context, client *pipes.Client, name string, definition json.RawMessage) (Pipe, error) {
	var template pipeTemplate
	if err := json.Unmarshal(definition, &template); err != nil {
		return Pipe{}, fmt.Errorf("reading pipe %s in the deployed template: %w", name, err)
	}
	described, err := client.DescribePipe(ctx, &pipes.DescribePipeInput{Name: &name})
	if err != nil {
		return Pipe{}, fmt.Errorf("reading pipe %s: %w", name, err)
	}
	pipe := Pipe{
		Name:   name,
		Source: aws.ToString(described.Source),
		Target: aws.ToString(described.Target),
		Synchronous: template.Properties.TargetParameters.StepFunctionStateMachineParameters.
			InvocationType != "FIRE_AND_FORGET",
	}
	source := template.Properties.SourceParameters
	batch, byDefault := source.SqsQueueParameters, 10
	if pipe.sourceService() == "dynamodb" {
		batch, byDefault = source.DynamoDBStreamParameters, 100
	}
	pipe.BatchSize = batch.BatchSize
	if pipe.BatchSize == 0 {
		pipe.BatchSize = byDefault
	}
	pipe.BatchWindow = time.Duration(batch.MaximumBatchingWindowInSeconds) * time.Second
	for _, filter := range source.FilterCriteria.Filters {
		pipe.Filters = append(pipe.Filters, filter.Pattern)
	}
	return pipe, nil
}
