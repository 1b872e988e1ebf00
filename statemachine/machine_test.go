package statemachine_test

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/statemachine/paths"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.01") // the engine's: retries wait a hundredth of their time
	localtest.Main(m)
}

// TestPaths runs the deployed definition with the deployed functions.
func TestPaths(t *testing.T) {
	d := newDriver(t)
	for _, path := range paths.Table {
		t.Run(path.Name, func(t *testing.T) {
			t.Parallel()
			d.follow(t, path)
		})
	}
}

// follow prepares the path, handles its event and compares the entered states.
func (d driver) follow(t *testing.T, path paths.Path) {
	t.Helper()
	run := "path-" + rand.Text()
	for _, row := range path.Rows {
		sent := localtest.Number(int(row.Sent))
		if row.Malformed {
			sent = localtest.Text("three")
		}
		d.stack.PutRow(t, run, row.Collection, row.Status, sent)
	}
	for _, event := range path.Earlier {
		if end := d.run(t, d.stack.Outputs.StateMachineArn, event(run)); end.failed {
			t.Fatal("an earlier execution failed")
		}
	}
	for _, row := range path.Meanwhile {
		if row.Gone {
			d.stack.RemoveRow(t, run, row.Collection)
		} else {
			d.stack.SetRow(t, run, row.Collection, "CollectionStatus", localtest.Text(row.Status))
		}
	}
	end := d.run(t, d.machine(t, path.Broken), path.Event(run))
	if diff := cmp.Diff(path.States, end.states); diff != "" {
		t.Errorf("states entered (-want +got)\n%s", diff)
	}
	if end.failed != path.Fails {
		t.Errorf("failed: %v, want %v", end.failed, path.Fails)
	}
	if end.failed && (end.error == "" || end.cause == "") {
		t.Errorf("failed with the error %q and the cause %q, want both", end.error, end.cause)
	}
}

// driver starts executions on the deployed stack.
type driver struct {
	stack    *localtest.Stack
	machines *sfn.Client
}

func newDriver(t *testing.T) driver {
	t.Helper()
	stack := localtest.Deploy(t, "sweepEveryMinutes=60")
	return driver{stack: stack, machines: sfn.NewFromConfig(stack.Config)}
}

// machine returns the deployed state machine or, for a broken function, a copy that calls another function instead.
func (d driver) machine(t *testing.T, broken paths.Function) string {
	t.Helper()
	arn := d.stack.Outputs.StateMachineArn
	if broken == "" {
		return arn
	}
	deployed, err := d.machines.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	tasks := map[paths.Function][2]string{paths.IncrementMissing: {"increment", "missing"},
		paths.NotifyMissing: {"notify", "missing"}, paths.NoOutcome: {"check-collection", "check-all"}}[broken]
	called, instead := d.stack.Name+"-"+tasks[0]+`"`, d.stack.Name+"-"+tasks[1]+`"`
	if !strings.Contains(*deployed.Definition, called) {
		t.Fatalf("the deployed definition does not call %s: %s", called, *deployed.Definition)
	}
	made, err := d.machines.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("copy-" + rand.Text()), RoleArn: deployed.RoleArn,
		Definition: aws.String(strings.ReplaceAll(*deployed.Definition, called, instead))})
	if err != nil {
		t.Fatal(err)
	}
	return *made.StateMachineArn
}

type ending struct {
	execution    string
	states       []string
	failed       bool
	error, cause string // of a failure
}

// run starts an execution, waits for its end and reads its history.
func (d driver) run(t *testing.T, machine, input string) ending {
	t.Helper()
	started, err := d.machines.StartExecution(t.Context(),
		&sfn.StartExecutionInput{StateMachineArn: &machine, Input: &input})
	if err != nil {
		t.Fatal(err)
	}
	ended := localtest.Ended(t, d.stack.Config, *started.ExecutionArn)
	end := ending{execution: *started.ExecutionArn, failed: ended.Status != sfntypes.ExecutionStatusSucceeded,
		error: aws.ToString(ended.Error), cause: aws.ToString(ended.Cause)}
	history := sfn.NewGetExecutionHistoryPaginator(d.machines,
		&sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn})
	for history.HasMorePages() {
		page, err := history.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range page.Events {
			if event.StateEnteredEventDetails != nil {
				end.states = append(end.states, *event.StateEnteredEventDetails.Name)
			}
		}
	}
	return end
}
