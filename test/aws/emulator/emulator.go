// Package emulator runs the project's functions as Lambda does: their real binaries, under AWS's Lambda Runtime
// Interface Emulator.
package emulator

import (
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

// Start starts a process of the function with exactly this environment and returns its emulator's address. It takes one
// call at a time, logs into a file of the test's folder, and ends with the test, or with this process if it is killed.
func Start(t *testing.T, task string, environment map[string]string) (address string) {
	t.Helper()
	address, err := start(t, task, environment)
	for try := 1; err != nil && try < 3; try++ { // another process may have taken the port
		address, err = start(t, task, environment)
	}
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// underLifeline runs a program until it or standard input ends, and then ends its whole process group.
const underLifeline = `"$@" </dev/null & cat >/dev/null; kill -9 0`

func start(t *testing.T, task string, environment map[string]string) (address string, err error) {
	t.Helper()
	project, err := local.FindProject()
	if err != nil {
		return "", err
	}
	var addresses [2]string // of the emulator's own interface, and of the one that the function polls
	for i := range addresses {
		if addresses[i], err = freeAddress(); err != nil {
			return "", err
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
	log, err := os.Create(filepath.Join(t.TempDir(), task+".log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("starting %s: %w", task, err)
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
	return addresses[0], waitReady(addresses[0], task)
}

func waitReady(address, task string) error {
	for deadline := time.Now().Add(readyWithin); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
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

// Invoke calls the function at the emulator's address and returns its answer, or an error if the function failed.
func Invoke(ctx context.Context, address, payload string) (json.RawMessage, error) {
	url := "http://" + address + "/2015-03-31/functions/function/invocations"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(payload))
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
		return nil, fmt.Errorf("%s: %s", failed.ErrorType, answer)
	}
	return answer, nil
}
