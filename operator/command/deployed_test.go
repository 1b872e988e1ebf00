package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

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
	s := deployedWithoutPipes(t)
	s.StartPipes(t)
	return s
}

// deployedWithoutPipes returns the stack, of which nothing serves the pipes yet.
func deployedWithoutPipes(t *testing.T) onStack {
	t.Helper()
	return deployedWith(t, "sweepEveryMinutes=60")
}

// deployedWith returns a stack with these settings, of which nothing serves the pipes yet.
func deployedWith(t *testing.T, settings ...string) onStack {
	t.Helper()
	stack := localtest.Deploy(t, settings...)
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

// succeeds runs a command line that has to exit with 0.
func (s onStack) succeeds(args ...string) said {
	s.Helper()
	got := s.says(args...)
	if got.code != exitOK {
		s.Fatalf("%q: %+v", args, got)
	}
	return got
}

// row writes a row as exporter and sender do; FilesSent only if it is not empty.
func (s onStack) row(run, collection, status, sent string) {
	s.Helper()
	if sent != "" {
		s.SetRow(s.T, run, collection, "FilesSent", &types.AttributeValueMemberN{Value: sent})
	}
	s.SetRow(s.T, run, collection, "CollectionStatus", localtest.Text(status))
}

// send sends the message of a file.
func (s onStack) send(run, collection, file string) {
	s.Helper()
	line := []string{"send", "--yes", "--run", run, "--collection", collection, "--file", file}
	if strings.HasSuffix(file, "_success") {
		line = append(line, "--success")
	}
	s.succeeds(line...)
}

// until repeats a command line until its answer is as wanted.
func (s onStack) until(wanted func(said) bool, args ...string) {
	s.Helper()
	deadline := time.After(10 * time.Minute) // the machine may be busy
	for {
		last := s.says(args...)
		if wanted(last) {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatal(s.Context().Err())
		case <-deadline:
			s.Fatalf("%q: not as wanted: %+v", args, last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// untilSays repeats a command line until its answer contains the texts.
func (s onStack) untilSays(wanted []string, args ...string) {
	s.Helper()
	s.until(func(last said) bool {
		return !slices.ContainsFunc(wanted, func(text string) bool { return !strings.Contains(last.out, text) })
	}, args...)
}

// untilRun waits until the run is as wanted.
func (s onStack) untilRun(name string, wanted func(report.Run) bool) {
	s.Helper()
	s.until(func(last said) bool {
		var got report.Run
		return json.Unmarshal([]byte(last.out), &got) == nil && wanted(got)
	}, "show", name, "-o", "json")
}

// untilWaits waits until a collection waits for this.
func (s onStack) untilWaits(run, collection string, what report.WaitsFor) {
	s.Helper()
	s.untilRun(run, func(got report.Run) bool {
		return slices.ContainsFunc(got.Collections, func(c report.Collection) bool {
			return c.Collection == collection && c.WaitsFor == what
		})
	})
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
	wants := func(code int, text string, line ...string) {
		t.Helper()
		if got := s.says(line...); got.code != code || !strings.Contains(got.out, text) {
			t.Errorf("%q: %+v, want %d, %s", line, got, code, text)
		}
	}
	s.row("by-hand", "db.core.one", "Exported", "1")
	s.send("by-hand", "db.core.one", "one-001")
	s.untilWaits("by-hand", "db.core.one", report.ForSent)
	wants(exitNotDone, "waits for the status Sent", "why", "by-hand")
	wants(exitOK, "Would reconcile 1 collection ", "reconcile", "by-hand")
	wants(exitOK, "Reconciling 1 collection ", "reconcile", "by-hand", "--yes")
	s.row("by-hand", "db.core.one", "Sent", "1")
	s.untilWaits("by-hand", "db.core.one", report.ForSuccessFile)
	s.send("by-hand", "db.core.one", "_success")
	s.untilRun("by-hand", func(run report.Run) bool { return run.State == report.Successful })
	wants(exitOK, "Nothing is pending", "pending", "by-hand")
	wants(exitOK, "The sweep examined", "pending", "--deliver", "--yes")
	wants(exitOK, "agree", "verify", "by-hand")
	list := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(list, []byte("collection,file\ndb.core.one,one-001\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(exitOK, "All files of the list have arrived", "verify", "by-hand", "--manifest", list)
}

// Failed executions and rejected messages are named.
func TestWhyNamesFailuresAndRejectedMessages(t *testing.T) {
	s := deployed(t)
	s.row("around", "db.core.one", "Exported", "2")
	s.send("around", "db.core.one", "one-001")
	s.send("around", "db.core.unknown", "unknown-001")
	s.abort(`{"reconcile": [{"correlation_id": "around", "collection_name": "db.core.one"}]}`)
	s.untilSays([]string{"of this run failed", "in the rejected-messages queue"}, "why", "around")
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

// A person ends a run; a message takes it up again, and so does a person.
func TestAbandonByHand(t *testing.T) {
	s := deployed(t)
	wants := func(code int, text string, line ...string) {
		t.Helper()
		if got := s.says(line...); got.code != code || !strings.Contains(got.out, text) {
			t.Errorf("%q: %+v, want %d, %s", line, got, code, text)
		}
	}
	abandon := []string{"abandon", "ended", "--reason=its host is gone", "--yes"}
	s.row("ended", "db.core.one", "Sent", "3")
	s.send("ended", "db.core.one", "one-001")
	s.untilRun("ended", func(run report.Run) bool { return run.FilesReceived == 1 })
	wants(exitOK, "Would abandon the run", abandon[:3]...)
	wants(exitOK, "Abandoned ended.", abandon...)
	wants(exitOK, "The sweep examined", "pending", "--deliver", "--yes")
	wants(exitNotDone, "its host is gone", "why", "ended")
	wants(exitOK, "Taken up again", "reconcile", "ended", "--yes")
	wants(exitNotDone, ": in progress", "why", "ended")
	wants(exitOK, "Abandoned ended.", abandon...)
	s.send("ended", "db.core.one", "one-002")
	s.untilRun("ended", func(run report.Run) bool { return run.State == report.InProgress && run.FilesReceived == 2 })
	wants(exitUsage, "", "abandon", "ended", "--reason= ", "--yes")
}
