package command

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/report"
)

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		Main()
	}
	localtest.Main(m)
}

// onStack is the deployed local stack, reached as one on AWS is: by the SDK's environment variables and the stack's
// name.
type onStack struct {
	*testing.T
	*localtest.Stack
}

// deployed returns the stack, which all tests of the package share; its pipes are served until the test ends. The sweep
// comes seldom, so that what happens was asked for.
func deployed(t *testing.T) onStack {
	t.Helper()
	stack := localtest.Deploy(t, "sweepEveryMinutes=60")
	stack.StartPipes(t)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": stack.Endpoint, "AWS_REGION": stack.Config.Region,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	return onStack{t, stack}
}

// says runs a command line against the stack.
func (s onStack) says(args ...string) said {
	s.Helper()
	var out, errOut bytes.Buffer
	code := run(s.Context(), append([]string{"--stack", s.Name}, args...), strings.NewReader(""), &out, &errOut)
	return said{code, out.String(), errOut.String()}
}

// row writes a row as exporter and sender do.
func (s onStack) row(run, collection, status, sent string) {
	s.Helper()
	text := func(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
	_, err := dynamodb.NewFromConfig(s.Config).UpdateItem(s.Context(), &dynamodb.UpdateItemInput{
		TableName: &s.Outputs.ExportStatusTableName,
		Key: map[string]types.AttributeValue{"CorrelationId": text(run),
			"CollectionName": text(collection)},
		UpdateExpression: aws.String("SET CollectionStatus = :status, FilesSent = :sent"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":status": text(status),
			":sent": &types.AttributeValueMemberN{Value: sent}},
	})
	if err != nil {
		s.Fatal(err)
	}
}

// send sends the message of a file.
func (s onStack) send(run, collection, file string) {
	s.Helper()
	body, err := json.Marshal(map[string]string{"correlation_id": run, "collection_name": collection,
		"snapshot_type": "full",
		"export_date":   "2026-11-22", "filename": file,
		"is_success_file": map[bool]string{true: "true"}[strings.HasSuffix(file, "_success")]})
	if err == nil {
		_, err = sqs.NewFromConfig(s.Config).SendMessage(s.Context(), &sqs.SendMessageInput{
			QueueUrl:    &s.Outputs.FileReceivedQueueUrl,
			MessageBody: aws.String(strings.Replace(string(body), `"is_success_file":"",`, "", 1))})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// waits are how often a test waits for a tenth of a second for what takes seconds: the machine may be busy.
const waits = 6_000

// until waits until the run is as wanted.
func (s onStack) until(name string, wanted func(report.Run) bool) {
	s.Helper()
	var last said
	for range waits {
		last = s.says("show", name, "-o", "json")
		var got report.Run
		if json.Unmarshal([]byte(last.out), &got) == nil && wanted(got) {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatal(s.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.Fatalf("not as wanted: %+v", last)
}

// abort starts executions until one is stopped before it has ended.
func (s onStack) abort(input string) {
	s.Helper()
	machines := sfn.NewFromConfig(s.Config)
	for range 100 {
		started, err := machines.StartExecution(s.Context(),
			&sfn.StartExecutionInput{StateMachineArn: &s.Outputs.StateMachineArn, Input: &input})
		if err != nil {
			s.Fatal(err)
		}
		// it may have ended
		_, _ = machines.StopExecution(s.Context(), &sfn.StopExecutionInput{ExecutionArn: started.ExecutionArn})
		described, err := machines.DescribeExecution(s.Context(),
			&sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			s.Fatal(err)
		}
		if described.Status == sfntypes.ExecutionStatusAborted {
			return
		}
	}
	s.Fatal("no execution could be stopped")
}

// A person can reconcile a collection and deliver what is pending.
func TestReconcileAndDeliverByHand(t *testing.T) {
	s := deployed(t)
	s.row("by-hand", "db.core.one", "Exported", "1")
	s.send("by-hand", "db.core.one", "one-001")
	s.until("by-hand", func(run report.Run) bool {
		return run.FilesReceived == 1 && run.Collections[0].WaitsFor == report.ForSent
	})
	if got := s.says("why", "by-hand"); got.code != exitNotDone ||
		!strings.Contains(got.out, "waits for the status Sent") {
		t.Errorf("why: %+v", got)
	}
	if got := s.says("reconcile", "by-hand"); got.code != exitOK ||
		!strings.Contains(got.out, "Would reconcile 1 collection ") {
		t.Errorf("a dry run: %+v", got)
	}
	if got := s.says("reconcile", "by-hand", "--yes"); got.code != exitOK {
		t.Errorf("reconcile: %+v", got)
	}
	s.row("by-hand", "db.core.one", "Sent", "1")
	s.until("by-hand", func(run report.Run) bool { return run.Collections[0].WaitsFor == report.ForSuccessFile })
	s.send("by-hand", "db.core.one", "_success")
	s.until("by-hand", func(run report.Run) bool { return run.State == report.Successful })
	if got := s.says("pending", "by-hand"); got.code != exitOK || !strings.Contains(got.out, "Nothing is pending") {
		t.Errorf("pending: %+v", got)
	}
	if got := s.says("pending", "--deliver", "--yes"); got.code != exitOK || !strings.Contains(got.out, "The sweep examined") {
		t.Errorf("delivering: %+v", got)
	}
	if got := s.says("verify", "by-hand"); got.code != exitOK {
		t.Errorf("verify: %+v", got)
	}
}

// Failed executions and rejected messages are named.
func TestWhyNamesFailuresAndRejectedMessages(t *testing.T) {
	s := deployed(t)
	s.row("around", "db.core.one", "Exported", "2")
	s.send("around", "db.core.one", "one-001")
	s.send("around", "db.core.unknown", "unknown-001")
	s.abort(`{"reconcile": [{"correlation_id": "around", "collection_name": "db.core.one"}]}`)
	var got said
	for range waits {
		got = s.says("why", "around")
		if strings.Contains(got.out, "of this run failed") &&
			strings.Contains(got.out, "in the rejected-messages queue") {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Errorf("the aborted execution or the rejected message is not named: %+v", got)
}

// A deployment is found by its stack or by its resources' names, and an error says what to do.
func TestFindingTheDeployment(t *testing.T) {
	s := deployed(t)
	s.row("to-find", "db.core.one", "Exported", "1")
	table, ledger := s.Outputs.ExportStatusTableName, s.Outputs.LedgerTableName
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"by stack": {[]string{"show", "to-find", "--stack", s.Name}, exitNotDone, "db.core.one"},
		"by names": {[]string{"show", "to-find", "--export-status-table", table, "--ledger-table", ledger},
			exitNotDone, "db.core.one"},
		"one name missing": {[]string{"show", "to-find", "--ledger-table", ledger}, exitFailed,
			"--export-status-table"},
		"no such stack":     {[]string{"runs", "--stack", "nonsense"}, exitFailed, "another one: --stack"},
		"another stack":     {[]string{"runs", "--stack", "CDKToolkit"}, exitFailed, "not a snapshot status checker"},
		"local and a stack": {[]string{"runs", "--local", "--stack", s.Name}, exitFailed, "leave out --stack"},
		"no state machine": {[]string{"reconcile", "to-find", "--yes", "--export-status-table", table, "--ledger-table",
			ledger}, exitFailed, "--state-machine"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := run(t.Context(), c.args, strings.NewReader(""), &out, &errOut)
			if code != c.code || !strings.Contains(out.String()+errOut.String(), c.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s%s", code, c.code, c.says, &out, &errOut)
			}
		})
	}
}
