package statemachine_test

import (
	"crypto/rand"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/internal/delivery"
	"snapshot-status-checker/internal/snapshot"
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
	history, err := d.machines.GetExecutionHistory(t.Context(),
		&sfn.GetExecutionHistoryInput{ExecutionArn: started.ExecutionArn, MaxResults: 1000})
	if err != nil || history.NextToken != nil {
		t.Fatalf("over 1,000 events, or %v", err)
	}
	for _, event := range history.Events {
		if event.StateEnteredEventDetails != nil {
			end.states = append(end.states, *event.StateEnteredEventDetails.Name)
		}
	}
	return end
}

// Messages whose counting failed may have been counted. So the definition rejects them, for any input of the execution,
// under the identities that increment uses, and a replay has the same messages.
func TestRejectedMessagesCountUnderTheSameIdentities(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	machine := d.machine(t, paths.IncrementMissing)
	const run = "rejected"
	message, escaped := paths.FileByHand("a")(run), strconv.Quote(paths.FileByHand("b")(run))
	type test struct {
		input   string
		rejects int // messages
	}
	started := map[string]test{} // by the execution
	for _, tt := range []test{
		{message, 1},
		{"{ \"odd\" : \"<>&\",\n" + message[1:], 1},
		{paths.EnvelopeByHand("a")(run), 1},
		{`{"Records":[{"body":` + message + `},{"messageId":"own","body":` + escaped + `}]}`, 1},
		{`[{"body":` + escaped + `},{"body":` + message + `}]`, 2},
		{`[{"body":` + escaped + `},{"messageId":"with-an-id","body":` + escaped + `},{"body":` +
			strconv.Quote(paths.EnvelopeByHand("a")(run)) + `}]`, 3},
		{`{"messageId":"no-record",` + message[1:], 1},
		{`[{"body":` + escaped + `},{"messageId":null,"body":` + escaped + `}]`, 2},
		{paths.File("a", "1")(run), 1},
		{`{"reconcile":"a field of a message",` + message[1:], 1},
	} {
		started[d.run(t, machine, tt.input).execution] = tt
	}
	rejected := d.rejected(t)
	for execution, tt := range started {
		rejects, got := 0, map[string]snapshot.Message{}
		for _, m := range rejected {
			attribute := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
			identity := attribute(delivery.AttrIdentity)
			if !strings.HasPrefix(identity, execution) &&
				!strings.Contains(tt.input, `"messageId":`+strconv.Quote(identity)) {
				continue
			}
			rejects++
			if len(m.MessageAttributes) != 3 || attribute(delivery.AttrReason) == "" ||
				attribute(delivery.AttrReasonCode) != string(snapshot.ReasonNotCounted) {
				t.Errorf("%s has the attributes %v", *m.Body, m.MessageAttributes)
			}
			envelope := `{"Records":[{"messageId":` + strconv.Quote(identity) + `,"body":` + strconv.Quote(*m.Body) +
				`}]}`
			maps.Copy(got, unwrapped(t, envelope, "replayed"))
		}
		if rejects != tt.rejects {
			t.Errorf("%d messages were rejected, want %d, of %s", rejects, tt.rejects, tt.input)
		}
		if diff := cmp.Diff(unwrapped(t, tt.input, execution), got); diff != "" {
			t.Errorf("what counts, replayed, of %s (-counted at first, +replayed)\n%s", tt.input, diff)
		}
	}
}

// rejected receives all messages of the rejected-messages queue.
func (d driver) rejected(t *testing.T) (all []sqstypes.Message) {
	t.Helper()
	client := sqs.NewFromConfig(d.stack.Config)
	for {
		got, err := client.ReceiveMessage(t.Context(),
			&sqs.ReceiveMessageInput{QueueUrl: &d.stack.Outputs.RejectedMessagesQueueUrl,
				MaxNumberOfMessages: 10, VisibilityTimeout: 3600, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return all
		}
		all = append(all, got.Messages...)
	}
}

// unwrapped are the messages that increment counts for an input, by identity.
func unwrapped(t *testing.T, input, execution string) map[string]snapshot.Message {
	t.Helper()
	messages := map[string]snapshot.Message{}
	for _, receipt := range snapshot.Unwrap([]byte(input), execution) {
		if receipt.Rejection != nil {
			t.Errorf("%s: %v", receipt.Raw, receipt.Rejection)
		}
		messages[receipt.Identity] = receipt.Message
	}
	return messages
}
