package adoption

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// adopted is an environment's stack on what existed before.
type adopted struct {
	existing
	stack    *localtest.Stack
	machines *sfn.Client
	settings []string
	before   map[string]any
	old      item // a row of a run that was over before
}

const (
	oldRun  = "finished-long-ago"
	run     = "in-the-middle-of-its-day"
	waiting = "adoption-request-of-another-run"
)

// Two environments in one account and region, each on resources of its own that existed before: with a stream and
// without. The second's stack does not take the place of the first's.
func TestAdoption(t *testing.T) {
	engine := newClients(localtest.Config(localtest.Engine(t)))
	key := engine.key(t)
	var environments []*adopted
	for _, name := range []string{"stream", "plain"} {
		environments = append(environments, adopt(t, engine.make(t, name, name == "stream"), name, key))
	}
	for _, a := range environments {
		t.Run("run through "+a.stack.Name, a.runThrough)
	}
	t.Run("what is deployed does not differ", func(t *testing.T) {
		project, err := local.FindProject()
		must(t, err)
		must(t, project.Diff(t.Context(), environments[0].stack.Endpoint, environments[0].settings,
			local.Log{Steps: os.Stderr, Output: io.Discard}))
	})
	for _, a := range environments {
		t.Run("remove "+a.stack.Name, a.remove)
	}
}

// adopt puts what a day brings into the resources, and then deploys the stack onto them: half of a run is counted, and
// one message waits.
func adopt(t *testing.T, e existing, environment, key string) *adopted {
	t.Helper()
	e.put(t, oldRun, "db.old.done", "Success", 3, 3)
	e.put(t, run, "db.day.half", "Sent", 3, 2)         // two files were counted by the predecessor
	e.put(t, run, "db.day.last", "Exported", 2, 2)     // both were, and Sent is still to come
	e.put(t, run, "db.day.fresh", "Exported", 1, -1)   // none was
	e.put(t, run, "db.day.received", "Received", 1, 1) // the predecessor asked for its success file
	e.send(t, e.files, file("db.day.half", false), "") // waits in the queue
	e.send(t, e.deadLetters, "a dead letter", "")
	e.send(t, e.requests, waiting, "db_of_another_run")
	a := &adopted{existing: e, settings: e.settings(environment, key), before: e.described(t),
		old: e.row(t, oldRun, "db.old.done")}
	a.stack = localtest.Deploy(t, a.settings...)
	a.machines = sfn.NewFromConfig(a.stack.Config)

	out := a.stack.Outputs
	// A queue known by its ARN has AWS's URL, of which the engine looks at the end.
	base := func(url string) string { return url[strings.LastIndex(url, "/"):] }
	got := []string{out.ExportStatusTableName, base(out.FileReceivedQueueUrl), base(out.ExportStateQueueUrl),
		out.MonitoringTopicArn}
	if diff := cmp.Diff([]string{e.table, base(e.files.url), base(e.requests.url), e.topic}, got); diff != "" {
		t.Errorf("the outputs are not what existed\n%s", diff)
	}
	return a
}

// runThrough takes the run to its end. Nothing is asked for twice, monitoring is notified of nothing twice, and what
// was there stays.
func (a *adopted) runThrough(t *testing.T) {
	a.stack.StartPipes(t)
	a.send(t, a.files, file("db.day.fresh", false), "")
	a.await(t, "half a run is counted on from where it was", func() bool {
		return a.stands(t, run, "db.day.half") == "Received 3" && a.stands(t, run, "db.day.fresh") == "Exported 1"
	})
	a.writeSent(t, run, "db.day.last")
	a.writeSent(t, run, "db.day.fresh")
	if a.stream == "" {
		time.Sleep(3 * time.Second) // a pipe that saw it would gather changes for a second, and then take a moment
		a.quiet(t)
		if got := a.stands(t, run, "db.day.fresh") + ", " + a.stands(t, run, "db.day.last"); got != "Sent 1, Sent 2" {
			t.Errorf("without a stream somebody saw that Sent was written: %s", got)
		}
		a.sweep(t)
	}
	a.await(t, "Sent written last is noticed", func() bool {
		return a.stands(t, run, "db.day.fresh") == "Received 1" && a.stands(t, run, "db.day.last") == "Received 2"
	})
	a.await(t, "monitoring is notified that all is received", func() bool { return a.holds(t, a.notifications) == 1 })
	for _, collection := range []string{"half", "last", "fresh", "received"} {
		a.send(t, a.files, file("db.day."+collection, true), "")
	}
	a.await(t, "monitoring is notified that all is successful", func() bool { return a.holds(t, a.notifications) == 2 })
	a.quiet(t)
	a.sweep(t)
	a.quiet(t)

	stand := map[string]string{}
	for _, collection := range []string{"half", "last", "fresh", "received"} {
		stand[collection] = a.stands(t, run, "db.day."+collection)
	}
	if diff := cmp.Diff(map[string]string{"half": "Success 3", "last": "Success 2", "fresh": "Success 1",
		"received": "Success 1"}, stand); diff != "" {
		t.Errorf("rows\n%s", diff)
	}
	want := []string{waiting, request("db.day.fresh"), request("db.day.half"), request("db.day.last")}
	slices.Sort(want)
	if diff := cmp.Diff(want, a.bodies(t, a.requests)); diff != "" {
		t.Errorf("requests on the existing queue\n%s", diff)
	}
	if diff := cmp.Diff([]string{notification("All collections received by NiFi"),
		notification("All collections successful")}, a.bodies(t, a.notifications)); diff != "" {
		t.Errorf("notifications on the existing topic\n%s", diff)
	}
}

// remove deletes the stack: what existed and what is in it stays, and the ledger too.
func (a *adopted) remove(t *testing.T) {
	_, err := a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &a.stack.Name})
	must(t, err)
	a.await(t, "the stack is gone", func() bool {
		gone, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &a.stack.Name})
		return err != nil || gone.Stacks[0].StackStatus == "DELETE_COMPLETE"
	})
	if _, err := a.machines.DescribeStateMachine(t.Context(),
		&sfn.DescribeStateMachineInput{StateMachineArn: &a.stack.Outputs.StateMachineArn}); err == nil {
		t.Error("the state machine is still there")
	}
	if diff := cmp.Diff(a.before, a.described(t)); diff != "" {
		t.Errorf("what existed before was changed\n%s", diff)
	}
	if diff := cmp.Diff(a.old, a.row(t, oldRun, "db.old.done"), unexported); diff != "" {
		t.Errorf("a row of an old run was changed\n%s", diff)
	}
	if got := a.stands(t, run, "db.day.half"); got != "Success 3" {
		t.Errorf("the run's row is %s", got)
	}
	if dead, requests := a.holds(t, a.deadLetters), a.holds(t, a.requests); dead != 1 || requests != 4 {
		t.Errorf("%d dead letters and %d requests are left, want 1 and 4", dead, requests)
	}
	ledger, err := a.clients.table.Scan(t.Context(), &dynamodb.ScanInput{TableName: &a.stack.Outputs.LedgerTableName})
	if err != nil {
		t.Fatalf("the ledger is not kept: %v", err)
	}
	if len(ledger.Items) == 0 {
		t.Error("the ledger is kept, but empty")
	}
}

var unexported = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})

// sweep calls the sweep as its schedule does.
func (a *adopted) sweep(t *testing.T) {
	t.Helper()
	answer, err := lambda.NewFromConfig(a.stack.Config).Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(a.stack.Name + "-sweep"), Payload: []byte(`{"execution_id":"by-hand"}`)})
	must(t, err)
	if answer.FunctionError != nil {
		t.Fatalf("the sweep failed: %s", answer.Payload)
	}
}

// quiet waits until nothing is on its way: no message in the source queue, and then no execution at work.
func (a *adopted) quiet(t *testing.T) {
	t.Helper()
	a.await(t, "all work is done", func() bool {
		if a.holds(t, a.files) > 0 { // first: a message leaves the queue only when its execution has started
			return false
		}
		at, err := a.machines.ListExecutions(t.Context(),
			&sfn.ListExecutionsInput{StateMachineArn: &a.stack.Outputs.StateMachineArn,
				StatusFilter: sfntypes.ExecutionStatusRunning})
		must(t, err)
		return len(at.Executions) == 0
	})
}

// await waits until the condition holds.
func (a *adopted) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // for what takes seconds: the machine may be busy
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal("waited in vain: ", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

const exportDate = "2020-01-01"

func file(collection string, success bool) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":%q,"is_success_file":"%t"}`, run, collection, exportDate, success)
}

func request(collection string) string {
	return fmt.Sprintf(`{"shutdown_flag":"true","correlation_id":%q,"topic_name":%q,"snapshot_type":"full","reprocess_files":"true","export_date":%q,"send_success_indicator":"true"}`,
		run, collection, exportDate)
}

func notification(title string) string {
	return strings.NewReplacer("TITLE", title, "RUN", run, "DATE",
		exportDate).Replace(`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",` +
		`"title_text":"Full - TITLE","custom_elements":[{"key":"Export date","value":"DATE"},{"key":"Correlation Id","value":"RUN"}]}`)
}
