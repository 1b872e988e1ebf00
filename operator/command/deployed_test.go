package command

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
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
	stack := localtest.Deploy(t, "countBy=file", "lateAfterMinutes=full=240", "sweepEveryMinutes=60")
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": stack.Endpoint, "AWS_REGION": stack.Config.Region,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
	stack.StartPipes(t)
	return onStack{t, stack}
}

// says runs a command line against the stack.
func (s onStack) says(args ...string) said {
	s.Helper()
	return answer(app{Context: s.Context(), now: time.Now}, "", append([]string{"--stack", s.Name}, args...)...)
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

// answers expects texts in the answer of a command line.
func (s onStack) answers(line string, texts ...string) {
	s.Helper()
	got := s.says(strings.Fields(line)...)
	for _, text := range texts {
		if !strings.Contains(got.out+got.err, text) {
			s.Errorf("%s: no %q in %+v", line, text, got)
		}
	}
}

// read reads the answer of a command line for scripts.
func (s onStack) read(answer any, args ...string) said {
	s.Helper()
	got := s.says(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(got.out), answer); err != nil {
		s.Fatalf("%q: %v: %+v", args, err, got)
	}
	matchesSchema(s.T, strings.Join(args, " "), got.out, got.code)
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

// untilSays repeats a command line until its answer contains the texts.
func (s onStack) untilSays(line string, texts ...string) {
	s.Helper()
	localtest.AwaitNothing(s.T, func() string {
		last := s.says(strings.Fields(line)...)
		for _, text := range texts {
			if !strings.Contains(last.out, text) {
				return line + ": " + text + " in " + last.out + last.err
			}
		}
		return ""
	})
}

// untilWaits waits until a collection waits for this.
func (s onStack) untilWaits(run, collection string, what report.WaitsFor) {
	s.Helper()
	localtest.Await(s.T, collection+" waits for "+string(what), func() bool {
		var got report.Run
		s.read(&got, "show", run)
		return slices.ContainsFunc(got.Collections, func(c report.Collection) bool {
			return c.Collection == collection && c.WaitsFor == what
		})
	})
}

// abort starts executions until one is stopped before it has ended.
func (s onStack) abort(input string) {
	s.Helper()
	machines := sfn.NewFromConfig(s.Config)
	localtest.Await(s.T, "a stopped execution", func() bool {
		started := must(machines.StartExecution(s.Context(),
			&sfn.StartExecutionInput{StateMachineArn: &s.Outputs.StateMachineArn, Input: &input}))
		// it may have ended
		_, _ = machines.StopExecution(s.Context(), &sfn.StopExecutionInput{ExecutionArn: started.ExecutionArn})
		return must(machines.DescribeExecution(s.Context(), &sfn.DescribeExecutionInput{
			ExecutionArn: started.ExecutionArn})).Status == sfntypes.ExecutionStatusAborted
	})
}

// Failed executions and rejected messages are named.
func TestWhyNamesFailuresAndRejectedMessages(t *testing.T) {
	s := deployed(t)
	s.row("around", "db.core.one", "Exported", "2")
	s.send("around", "db.core.one", "one-001")
	s.send("around", "db.core.unknown", "unknown-001")
	s.abort(`{"reconcile": [{"correlation_id": "around", "collection_name": "db.core.one"}]}`)
	s.untilSays("why around", "of this run failed", "in the rejected-messages queue")
}

// A deployment is found by its stack or by its resources' names, and an error says what to do. A simulation touches
// nothing that others may use.
func TestFindingTheDeployment(t *testing.T) {
	s := deployed(t)
	s.row("to-find", "db.core.one", "Sent", "2")
	s.send("to-find", "db.core.one", "one-001")
	s.untilSays("show to-find", "1/2")
	tables := " --export-status-table " + s.Outputs.ExportStatusTableName + " --ledger-table " +
		s.Outputs.LedgerTableName
	for line, want := range map[string]said{
		"show to-find --stack " + s.Name:    {exitNotDone, "db.core.one", ""},
		"show to-find" + tables:             {exitNotDone, "db.core.one", ""},
		"show to-find --ledger-table x":     {exitFailed, "", "--export-status-table"},
		"runs --stack nonsense":             {exitFailed, "", "another one: --stack"},
		"runs --stack CDKToolkit":           {exitFailed, "", "not a snapshot status checker"},
		"runs --local --stack " + s.Name:    {exitFailed, "", "leave out --stack"},
		"reconcile to-find --yes" + tables:  {exitFailed, "", "--state-machine"},
		"verify to-find --history" + tables: {exitFailed, "", "--state-machine"},
		"simulate --stack " + s.Name:        {exitFailed, "", "add --yes-really"},
		"simulate --yes-really --export-status-table of-others --stack " + s.Name: {exitFailed, "",
			"the export status table of-others was not created by the stack"},
	} {
		got := answer(app{Context: t.Context(), now: time.Now}, "", strings.Fields(line)...)
		if got.code != want.code || !strings.Contains(got.out, want.out) || !strings.Contains(got.err, want.err) {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
}

// The page of a deployment that flags named suggests commands with these flags.
func TestServeSuggestsItsOwnDeployment(t *testing.T) {
	s := deployed(t)
	s.row("on-a-page", "db.core.one", "Sent", "2")
	ctx, end := context.WithCancel(t.Context())
	out, written := io.Pipe()
	ended := make(chan said, 1)
	go func() {
		ended <- answer(app{Context: ctx, out: written, now: time.Now}, "", "serve", "--listen", "127.0.0.1:0",
			"--stack", s.Name)
		written.Close()
	}()
	t.Cleanup(func() { end(); <-ended })
	text := make([]byte, 200)
	n, err := out.Read(text)
	address := regexp.MustCompile(`http://\S+`).FindString(string(text[:n]))
	if err != nil || address == "" {
		t.Fatalf("%s (%v)", text[:n], err)
	}
	client := http.Client{Timeout: 10 * time.Minute}
	response := must(client.Get(address + "run?id=on-a-page"))
	defer response.Body.Close()
	page := string(must(io.ReadAll(response.Body)))
	if want := "<code>snapshot-status --stack=" + s.Name +
		" files --expected=LIST on-a-page db.core.one"; !strings.Contains(page, want) {
		t.Errorf("not suggested: %s\n%s", want, page)
	}
}
