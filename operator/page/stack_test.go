package page

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"snapshot-status-checker/local/localtest"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/test/scenario"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.01") // of the engine: retries wait a hundredth of their time
	localtest.Main(m)
}

// servedStack is the local stack, with pages that show it.
type servedStack struct {
	*testing.T
	*localtest.Stack
	address string
}

// serveStack serves pages for the stack that all tests of the package share. It runs the stack's pipes until the test
// ends.
func serveStack(t *testing.T) servedStack {
	t.Helper()
	stack := localtest.Deploy(t, "sweepEveryMinutes=60")
	stack.StartPipes(t)
	source := NewSource(deployment.Deployment{Outputs: stack.Outputs, Stack: stack.Name, Local: true,
		Config: stack.Config, Settings: deployment.Settings{StalledAfter: time.Hour}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := Options{AllowWrites: true, Hosts: HostsOf(listener.Addr(), nil),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Serve(t.Context(), listener, source, options, func(address string) { ready <- address })
	}()
	t.Cleanup(func() { // the test's context has ended
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return servedStack{t, stack, <-ready}
}

func (s servedStack) row(run, collection, status string, sent int) {
	s.Helper()
	s.PutRow(s.T, run, collection, status, localtest.Number(sent))
}

func (s servedStack) send(body string) {
	s.Helper()
	s.Send(s.T, body)
}

// played is a run whose messages are sent.
func played(run string) scenario.Run {
	return scenario.Run{CorrelationID: run, SnapshotType: "full", ExportDate: "2026-11-22"}
}

// fileMessage is the message of a file of a collection.
func fileMessage(run, collection string, n int) string {
	return scenario.Text(played(run).File(collection, n))
}

// executeFailing runs an execution that fails: meanwhile, the definition names a function that does not exist.
func (s servedStack) executeFailing(run, collection string) (execution string) {
	s.Helper()
	machines, machine := sfn.NewFromConfig(s.Config), &s.Outputs.StateMachineArn
	before, err := machines.DescribeStateMachine(s.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: machine})
	if err != nil {
		s.Fatal(err)
	}
	define := func(definition string) {
		if _, err := machines.UpdateStateMachine(s.Context(), &sfn.UpdateStateMachineInput{StateMachineArn: machine,
			Definition: &definition}); err != nil {
			s.Fatal(err)
		}
	}
	define(strings.ReplaceAll(*before.Definition, s.Name+`-increment"`, s.Name+`-missing"`))
	defer define(*before.Definition)
	return s.execute(fileMessage(run, collection, 99))
}

// execute runs an execution to its end.
func (s servedStack) execute(input string) (execution string) {
	s.Helper()
	machines := sfn.NewFromConfig(s.Config)
	started, err := machines.StartExecution(s.Context(),
		&sfn.StartExecutionInput{StateMachineArn: &s.Outputs.StateMachineArn, Input: &input})
	if err != nil {
		s.Fatal(err)
	}
	return *localtest.Ended(s.T, s.Config, *started.ExecutionArn).ExecutionArn
}
