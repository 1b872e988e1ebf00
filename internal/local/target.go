package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// startWithin bounds a start: an EXPRESS execution may take 5 minutes.
const startWithin = 6 * time.Minute

// target is the state machine that a pipe starts.
type target struct {
	machine     string // ARN
	synchronous bool
	machines    *sfn.Client
}

func newTarget(config aws.Config, pipe Pipe) target {
	return target{machine: pipe.Target, synchronous: pipe.Synchronous, machines: sfn.NewFromConfig(config)}
}

// start starts an execution with the input. It returns once the start was accepted or, of a synchronous pipe, once the
// execution has succeeded; else there is an error.
func (s target) start(ctx context.Context, input string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if !s.synchronous {
		_, err := s.machines.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &s.machine, Input: &input})
		if err != nil {
			return fmt.Errorf("starting an execution: %w", err)
		}
		return nil
	}
	done, err := s.machines.StartSyncExecution(ctx,
		&sfn.StartSyncExecutionInput{StateMachineArn: &s.machine, Input: &input})
	if err != nil {
		return fmt.Errorf("running an execution: %w", err)
	}
	if done.Status != types.SyncExecutionStatusSucceeded {
		return fmt.Errorf("execution %s: %s: %s", done.Status, aws.ToString(done.Error), aws.ToString(done.Cause))
	}
	return nil
}

// asInput writes records as the input of an execution: the text of its strings stays as it is.
func asInput(records any) (string, error) {
	var input bytes.Buffer
	encoder := json.NewEncoder(&input)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(records); err != nil {
		return "", fmt.Errorf("writing the records: %w", err)
	}
	return string(bytes.TrimSpace(input.Bytes())), nil
}
