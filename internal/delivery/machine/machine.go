// Package machine starts the state machine to reconcile collections.
package machine

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

// Machine is the state machine.
type Machine struct {
	SFN SFN
	ARN string
}

// Reconcile starts an execution that reconciles the collections. Started twice, they are reconciled twice.
func (m *Machine) Reconcile(ctx context.Context, collections []snapshot.CollectionKey) error {
	input := sendable.JSON(map[string]any{"reconcile": collections})
	_, err := m.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.ARN, Input: aws.String(input)})
	if err != nil {
		return fmt.Errorf("starting an execution: %w", err)
	}
	return nil
}
