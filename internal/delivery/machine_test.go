package delivery_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery/machine"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/local/localtest"
)

// stateMachine makes a state machine of one state for the test.
func stateMachine(t *testing.T) (client *sfn.Client, arn string) {
	t.Helper()
	client = sfn.NewFromConfig(localtest.Config(localtest.Engine(t)))
	made, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name:       aws.String(unique(t)),
		RoleArn:    aws.String("arn:aws:iam::000000000000:role/machine"),
		Definition: aws.String(`{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, *made.StateMachineArn
}

// inputs are those of all executions of a state machine, sorted.
func inputs(t *testing.T, client *sfn.Client, arn string) []string {
	t.Helper()
	listed, err := client.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, execution := range listed.Executions {
		described, err := client.DescribeExecution(t.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: execution.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, aws.ToString(described.Input))
	}
	slices.Sort(all)
	return all
}

// The whole input. Repeating it starts a second execution.
func TestReconcile(t *testing.T) {
	t.Parallel()
	client, arn := stateMachine(t)
	started := &machine.Machine{SFN: client, ARN: arn}
	key := func(run, collection string) snapshot.CollectionKey {
		return snapshot.CollectionKey{CorrelationID: run, CollectionName: collection}
	}
	one := []snapshot.CollectionKey{key("run-1", "db.a.b"), key("run-1", "db.a.c")}
	odd := []snapshot.CollectionKey{key("run é\n", `db.<a>&"b"`)}
	for _, collections := range [][]snapshot.CollectionKey{one, one, odd} {
		if err := started.Reconcile(t.Context(), collections); err != nil {
			t.Fatal(err)
		}
	}
	const both = `{"reconcile":[{"correlation_id":"run-1","collection_name":"db.a.b"},{"correlation_id":"run-1",` +
		`"collection_name":"db.a.c"}]}`
	want := []string{`{"reconcile":[{"correlation_id":"run é\n","collection_name":"db.<a>&\"b\""}]}`, both, both}
	if diff := cmp.Diff(want, inputs(t, client, arn)); diff != "" {
		t.Error(diff)
	}
}

func TestReconcileKeepsTheCauseOfAnError(t *testing.T) {
	t.Parallel()
	client, arn := stateMachine(t)
	started := &machine.Machine{SFN: client, ARN: arn + "-that-is-not-there"}
	err := started.Reconcile(t.Context(), []snapshot.CollectionKey{{CorrelationID: "run-1", CollectionName: "db.a.b"}})
	var missing *types.StateMachineDoesNotExist
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
