package adoption

import (
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
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"snapshot-status-checker/local"
	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) { localtest.Main(m) }

// adopted is the stack of an environment on existing resources.
type adopted struct {
	existing
	stack    *localtest.Stack
	machines *sfn.Client
	settings []string
	before   map[string]any
	old      localtest.Item // a row of an earlier run
}

const (
	oldRun  = "finished-long-ago"
	run     = "in-the-middle-of-its-day"
	waiting = "adoption-request-of-another-run"
)

// Two environments in one account and region, each on existing resources of its own. The second stack does not replace
// the first.
func TestStackAdoptsExistingResources(t *testing.T) {
	engine := newClients(localtest.Config(localtest.Engine(t)))
	key := engine.key(t)
	var environments []*adopted
	for _, name := range []string{"stream", "plain"} {
		environments = append(environments, adopt(t, engine.make(t, name, name == "stream"), name, key))
	}
	for _, a := range environments {
		t.Run("complete a run of "+a.stack.Name, a.completeRun)
	}
	t.Run("a diff after the deployment is empty", func(t *testing.T) {
		project, err := local.FindProject()
		must(t, err)
		must(t, project.Diff(t.Context(), environments[0].stack.Endpoint, environments[0].settings,
			local.Log{Steps: os.Stderr, Output: io.Discard}))
	})
	for _, a := range environments {
		t.Run("remove "+a.stack.Name, a.remove)
	}
}

// adopt fills the resources with a run in progress, half of it counted and one message waiting, and deploys the stack
// onto them.
func adopt(t *testing.T, e existing, environment, key string) *adopted {
	t.Helper()
	e.put(t, oldRun, "db.old.done", "Success", 3, 3)
	e.put(t, run, "db.day.half", "Sent", 3, 2)         // the predecessor counted two files
	e.put(t, run, "db.day.last", "Exported", 2, 2)     // the predecessor counted both; Sent is not written yet
	e.put(t, run, "db.day.fresh", "Exported", 1, -1)   // nothing is counted
	e.put(t, run, "db.day.received", "Received", 1, 1) // the predecessor asked for its success file
	e.send(t, e.files, file("db.day.half", false), "") // waits in the queue
	e.send(t, e.deadLetters, "a dead letter", "")
	e.send(t, e.requests, waiting, "db_of_another_run")
	a := &adopted{existing: e, settings: e.settings(environment, key), before: e.described(t),
		old: e.rows.Row(t, oldRun, "db.old.done")}
	a.stack = localtest.Deploy(t, a.settings...)
	a.machines = sfn.NewFromConfig(a.stack.Config)

	out := a.stack.Outputs
	// The URL of an imported queue has AWS's host. The engine uses only its end.
	base := func(url string) string { return url[strings.LastIndex(url, "/"):] }
	got := []string{out.ExportStatusTableName, base(out.FileReceivedQueueUrl), base(out.ExportStateQueueUrl),
		out.MonitoringTopicArn}
	if diff := cmp.Diff([]string{e.table, base(e.files.url), base(e.requests.url), e.topic}, got); diff != "" {
		t.Errorf("outputs (-existing +got)\n%s", diff)
	}
	return a
}

// completeRun completes the run. No request or notification is sent twice, and the existing messages remain.
func (a *adopted) completeRun(t *testing.T) {
	a.stack.StartPipes(t)
	a.send(t, a.files, file("db.day.fresh", false), "")
	localtest.Await(t, "the counts continue", func() bool {
		return a.rows.RowState(t, run, "db.day.half") == "Received 3" &&
			a.rows.RowState(t, run, "db.day.fresh") == "Exported 1"
	})
	a.rows.SetRow(t, run, "db.day.last", "CollectionStatus", localtest.Text("Sent"))
	a.rows.SetRow(t, run, "db.day.fresh", "CollectionStatus", localtest.Text("Sent"))
	if a.stream == "" {
		time.Sleep(3 * time.Second) // longer than a pipe would take to deliver the change
		a.stack.Settle(t)
		fresh, last := a.rows.RowState(t, run, "db.day.fresh"), a.rows.RowState(t, run, "db.day.last")
		if fresh != "Sent 1" || last != "Sent 2" {
			t.Errorf("rows without a stream after Sent was written: %s, %s", fresh, last)
		}
		a.sweep(t)
	}
	localtest.Await(t, "Sent after the last file is reconciled", func() bool {
		return a.rows.RowState(t, run, "db.day.fresh") == "Received 1" &&
			a.rows.RowState(t, run, "db.day.last") == "Received 2"
	})
	localtest.Await(t, "the notification that all is received",
		func() bool { return a.waiting(t, a.notifications) == 1 })
	for _, collection := range []string{"half", "last", "fresh", "received"} {
		a.send(t, a.files, file("db.day."+collection, true), "")
	}
	localtest.Await(t, "the notification that all is successful",
		func() bool { return a.waiting(t, a.notifications) == 2 })
	a.stack.Settle(t)
	a.sweep(t)
	a.stack.Settle(t)

	stand := map[string]string{}
	for _, collection := range []string{"half", "last", "fresh", "received"} {
		stand[collection] = a.rows.RowState(t, run, "db.day."+collection)
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

// remove deletes the stack. The existing resources, their content and the ledger remain.
func (a *adopted) remove(t *testing.T) {
	_, err := a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &a.stack.Name})
	must(t, err)
	localtest.Await(t, "the deletion of the stack", func() bool {
		gone, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &a.stack.Name})
		return err != nil || gone.Stacks[0].StackStatus == "DELETE_COMPLETE"
	})
	if _, err := a.machines.DescribeStateMachine(t.Context(),
		&sfn.DescribeStateMachineInput{StateMachineArn: &a.stack.Outputs.StateMachineArn}); err == nil {
		t.Error("the state machine is still there")
	}
	if diff := cmp.Diff(a.before, a.described(t)); diff != "" {
		t.Errorf("existing resources (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(a.old, a.rows.Row(t, oldRun, "db.old.done"), unexported); diff != "" {
		t.Errorf("row of an earlier run (-before +after)\n%s", diff)
	}
	if got := a.rows.RowState(t, run, "db.day.half"); got != "Success 3" {
		t.Errorf("the run's row is %s", got)
	}
	if dead, requests := a.waiting(t, a.deadLetters), a.waiting(t, a.requests); dead != 1 || requests != 4 {
		t.Errorf("%d dead letters and %d requests are left, want 1 and 4", dead, requests)
	}
	ledger, err := a.clients.table.Scan(t.Context(), &dynamodb.ScanInput{TableName: &a.stack.Outputs.LedgerTableName})
	if err != nil {
		t.Fatalf("the ledger was deleted: %v", err)
	}
	if len(ledger.Items) == 0 {
		t.Error("the ledger is empty")
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

const exportDate = "2020-01-01"

func file(collection string, success bool) string {
	return fmt.Sprintf(`{"correlation_id":%q,"collection_name":%q,"snapshot_type":"full","export_date":%q,`+
		`"is_success_file":"%t"}`, run, collection, exportDate, success)
}

func request(collection string) string {
	return fmt.Sprintf(`{"shutdown_flag":"true","correlation_id":%q,"topic_name":%q,"snapshot_type":"full",`+
		`"reprocess_files":"true","export_date":%q,"send_success_indicator":"true"}`, run, collection, exportDate)
}

func notification(title string) string {
	return fmt.Sprintf(`{"severity":"Critical","notification_type":"Information","slack_username":"Snapshot Sender",`+
		`"title_text":"Full - %s","custom_elements":[{"key":"Export date","value":%q},`+
		`{"key":"Correlation Id","value":%q}]}`, title, exportDate, run)
}
