package machine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
)

// starts records the executions that are started, by the ARN of their machine.
type starts struct {
	inputs map[string]string
	err    error
}

func (s *starts) StartExecution(
	_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options),
) (*sfn.StartExecutionOutput, error) {
	s.inputs[*in.StateMachineArn] = *in.Input
	return &sfn.StartExecutionOutput{}, s.err
}

// The whole input, and the cause of an error.
func TestReconcile(t *testing.T) {
	t.Parallel()
	started := &starts{inputs: map[string]string{}, err: errors.New("no such machine")}
	err := (&machine.Machine{SFN: started, ARN: "arn"}).Reconcile(t.Context(), []snapshot.CollectionKey{
		{CorrelationID: "run-1", CollectionName: "db.a.b"}, {CorrelationID: "run é\n", CollectionName: `db.<a>&"b"`}})
	const want = `{"reconcile":[{"correlation_id":"run-1","collection_name":"db.a.b"},` +
		`{"correlation_id":"run é\n","collection_name":"db.<a>&\"b\""}]}`
	if got := started.inputs["arn"]; got != want || !errors.Is(err, started.err) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
