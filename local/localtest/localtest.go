// Package localtest provides tests with a local engine and the stack deployed to it. It installs and starts the engine
// on a free port. The engine ends with the test process, also if that is killed.
//
// A package that uses it needs a TestMain:
//
//	func TestMain(m *testing.M) { localtest.Main(m) }
package localtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"snapshot-status-checker/local"
)

// setUpWithin bounds installation, start and deployment, including the wait for other packages' deployments.
const setUpWithin = 30 * time.Minute

var log = local.Log{Steps: os.Stderr, Output: io.Discard}

var (
	dir       string   // of this test process, set by Main
	variables []string // of the engine, set by Main
	running   struct {
		sync.Mutex
		engine *local.TestEngine
		stacks map[string]*Stack // by their settings
		failed error             // of the first attempt, which is not repeated
	}
)

// Main runs the package's tests, stops their engine and exits. The variables (NAME=value) are added to the engine's
// environment, which its function processes inherit.
func Main(m *testing.M, environment ...string) {
	variables = environment
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "localtest-"); err != nil {
		fmt.Fprintln(os.Stderr, "creating a folder for the local engine:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	code := m.Run()
	if running.engine != nil {
		if err := running.engine.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Engine returns the endpoint of this test process's engine, which the first call starts. All tests of the process
// share it, so use names that are unique to the test.
func Engine(t testing.TB) (endpoint string) {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	startEngine(t)
	return running.engine.Endpoint
}

// Config is the SDK's configuration for the endpoint.
func Config(endpoint string) aws.Config { return local.Config(endpoint) }

func startEngine(t testing.TB) {
	t.Helper()
	if dir == "" {
		t.Fatal("TestMain must call localtest.Main, which stops the engine")
	}
	if running.failed != nil {
		t.Fatal(running.failed)
	}
	if running.engine != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), setUpWithin)
	defer cancel()
	project, err := local.FindProject()
	if err == nil {
		running.engine, err = project.StartTestEngine(ctx, dir, log, variables...)
	}
	if err != nil {
		running.failed = err
		t.Fatal(err)
	}
}

// Stack is the CDK app deployed to this test process's engine.
type Stack struct {
	Name     string
	Endpoint string
	Config   aws.Config
	Outputs  local.Outputs
}

// Deploy returns the stack with these settings of the CDK app (key=value), which the first call of the process deploys.
// All its tests share the stack, so use unique correlation ids. A stack with other settings replaces the first one
// unless it has another environment or application.
func Deploy(t testing.TB, settings ...string) *Stack {
	t.Helper()
	running.Lock()
	defer running.Unlock()
	startEngine(t)
	key := strings.Join(settings, " ")
	if running.stacks[key] == nil {
		stack := deploy(t, settings)
		if running.stacks == nil {
			running.stacks = map[string]*Stack{}
		}
		running.stacks[key] = stack
	}
	return running.stacks[key]
}

func deploy(t testing.TB, settings []string) *Stack {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setUpWithin)
	defer cancel()
	project, err := local.FindProject()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("outputs-%d.json", len(running.stacks)))
	stack := &Stack{Endpoint: running.engine.Endpoint, Config: local.Config(running.engine.Endpoint)}
	if err = project.Deploy(ctx, stack.Endpoint, file, settings, log); err == nil {
		stack.Name, stack.Outputs, err = local.ReadOutputs(file)
	}
	if err != nil {
		running.failed = err
		t.Fatal(err)
	}
	return stack
}

// StartPipes serves the stack's pipes until the test ends. Only one test at a time may call it.
func (s *Stack) StartPipes(t testing.TB) {
	t.Helper()
	Serve(t, s.Config, s.Name)
}

// Serve serves the pipes of a stack until the test ends.
func Serve(t testing.TB, config aws.Config, stack string) {
	t.Helper()
	stop, err := local.Serve(t.Context(), config, stack, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
