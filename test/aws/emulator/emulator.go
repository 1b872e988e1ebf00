// Package emulator runs the project's functions as Lambda does: their real binaries, under AWS's Lambda Runtime
// Interface Emulator.
package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"snapshot-status-checker/local"
)

// readyWithin bounds the start of an emulator.
const readyWithin = time.Minute

// Function is a function of the project with processes of its own, each of which takes one call at a time.
type Function struct{ free chan *process }

type process struct {
	address string
	ended   <-chan struct{}
}

// Error is the error of a failed call, as Step Functions sees it.
type Error struct{ Name, Cause string }

func (e *Error) Error() string { return e.Name + ": " + e.Cause }

// Start starts processes of the function with exactly this environment. They log into files of the test's folder, and
// end with the test, or with this process if it is killed.
func Start(t *testing.T, task string, processes int, environment map[string]string) *Function {
	t.Helper()
	f := &Function{free: make(chan *process, processes)}
	for i := range processes {
		started, err := start(t, task, i, environment)
		// another process may have taken the port
		for try := 1; err != nil && try < 3; try++ {
			started, err = start(t, task, i, environment)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.free <- started
	}
	return f
}

// underLifeline runs a program until it or standard input ends, and then ends its whole process group.
const underLifeline = `"$@" </dev/null & cat >/dev/null; kill -9 0`

func start(t *testing.T, task string, number int, environment map[string]string) (*process, error) {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		return nil, err
	}
	var addresses [2]string // of the emulator's own interface, and of the one that the function polls
	for i := range addresses {
		if addresses[i], err = freeAddress(); err != nil {
			return nil, err
		}
	}
	function := filepath.Join(project.Root, "build", "functions", runtime.GOARCH, task, "bootstrap")
	cmd := exec.Command("sh", "-c", underLifeline, "sh", filepath.Join(project.Root, "build", "test-aws",
		"aws-lambda-rie"),
		"--log-level", "error", "--runtime-interface-emulator-address", addresses[0], "--runtime-api-address",
		addresses[1],
		function, "bootstrap")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d.log", task, number)))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", task, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = lifeline.Close()
		<-ended
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s ends with:\n%s", task, text[max(0, len(text)-2000):])
		}
	})
	p := &process{address: addresses[0], ended: ended}
	return p, p.waitReady(task)
}

func (p *process) waitReady(task string) error {
	for deadline := time.Now().Add(readyWithin); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", p.address)
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the emulator of %s (make test-aws builds it, and the functions) does not listen: %w",
				task, err)
		}
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// Invoke calls the function with a payload and returns its answer. It waits for a process that is free. It returns
// *Error if the function failed.
func (f *Function) Invoke(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
	p := <-f.free
	defer func() { f.free <- p }()
	url := "http://" + p.address + "/2015-03-31/functions/function/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("calling a function: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("calling a function: %w", err)
	}
	var failed struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(answer, &failed) == nil && failed.ErrorType != "" {
		return nil, &Error{Name: failed.ErrorType, Cause: strings.TrimSpace(string(answer))}
	}
	return answer, nil
}
