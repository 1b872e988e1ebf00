package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// startWithin bounds a start: an EXPRESS execution takes up to 5 minutes, a function 15.
const startWithin = 16 * time.Minute

// target is a pipe's state machine or function. start returns nil once the records were accepted; with a synchronous
// pipe, once the execution succeeded.
type target interface {
	start(ctx context.Context, input string) error
}

func newTarget(config aws.Config, pipe Pipe) (target, error) {
	parsed, err := arn.Parse(pipe.Target)
	if err != nil {
		return nil, fmt.Errorf("reading the target's ARN: %w", err)
	}
	switch parsed.Service {
	case "states":
		return machine{arn: pipe.Target, synchronous: pipe.Synchronous, client: sfn.NewFromConfig(config)}, nil
	case "lambda":
		return function{arn: pipe.Target, client: lambda.NewFromConfig(config)}, nil
	}
	return nil, fmt.Errorf("a target of service %q is not supported", parsed.Service)
}

type machine struct {
	arn         string
	synchronous bool
	client      *sfn.Client
}

func (m machine) start(ctx context.Context, input string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if !m.synchronous {
		_, err := m.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Input: &input})
		if err != nil {
			return fmt.Errorf("starting an execution: %w", err)
		}
		return nil
	}
	done, err := m.client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: &m.arn, Input: &input})
	if err != nil {
		return fmt.Errorf("running an execution: %w", err)
	}
	if done.Status != types.SyncExecutionStatusSucceeded {
		return fmt.Errorf("execution %s: %s: %s", done.Status, aws.ToString(done.Error), aws.ToString(done.Cause))
	}
	return nil
}

// function gets the records as Lambda's event source mapping delivers them.
type function struct {
	arn    string
	client *lambda.Client
}

func (f function) start(ctx context.Context, input string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	done, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.arn, Payload: []byte(`{"Records":` + input +
		`}`)})
	if err != nil {
		return fmt.Errorf("calling the function: %w", err)
	}
	if done.FunctionError != nil {
		return fmt.Errorf("the function failed (%s): %s", *done.FunctionError, done.Payload)
	}
	return nil
}

// asInput is records as the input of an execution, without HTML escapes.
func asInput(records any) (string, error) {
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(records); err != nil {
		return "", fmt.Errorf("writing the records: %w", err)
	}
	return string(bytes.TrimSpace(input.Bytes())), nil
}
