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

// SFN is the part of the Step Functions client that this package uses.
type SFN interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Machine is the state machine.
type Machine struct {
	SFN SFN
	ARN string
}

// Reconcile starts an execution that reconciles the collections. Repeating it starts another execution, which finds
// less or nothing to do.
func (m *Machine) Reconcile(ctx context.Context, collections []snapshot.CollectionKey) error {
	input := sendable.JSON(map[string]any{"reconcile": collections})
	_, err := m.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.ARN, Input: aws.String(input)})
	if err != nil {
		return fmt.Errorf("starting an execution: %w", err)
	}
	return nil
}
