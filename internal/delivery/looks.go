package delivery

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/snapshot"
)

// SFN is what this package asks of Step Functions.
type SFN interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Looks starts the state machine.
type Looks struct {
	SFN             SFN
	StateMachineARN string
}

// Start starts an execution that looks at the collections. Started twice, it looks twice.
func (l *Looks) Start(ctx context.Context, collections []snapshot.CollectionKey) error {
	input := encode(map[string]any{"look": collections})
	_, err := l.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &l.StateMachineARN, Input: aws.String(input)})
	if err != nil {
		return fmt.Errorf("starting a look: %w", err)
	}
	return nil
}
