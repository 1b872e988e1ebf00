// Package looks starts the state machine to look at collections.
package looks

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// SFN is what this package asks of Step Functions.
type SFN interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Machine starts the state machine.
type Machine struct {
	SFN SFN
	ARN string
}

// Start starts an execution that looks at the collections. Started twice, it looks twice.
func (m *Machine) Start(ctx context.Context, collections []snapshot.CollectionKey) error {
	input := sendable.JSON(map[string]any{"look": collections})
	_, err := m.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.ARN, Input: aws.String(input)})
	if err != nil {
		return fmt.Errorf("starting a look: %w", err)
	}
	return nil
}
