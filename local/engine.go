package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// DefaultPort is the engine's port unless another one is given.
const DefaultPort = 4566

const (
	engineName  = "engine"
	readyWithin = 5 * time.Minute // a few seconds, unless the machine is busy
	// functionConcurrency limits the function processes. Each concurrent call takes one (about 20 MiB), which stays for
	// later calls.
	functionConcurrency = 100
)

// PortTakenError means that another program listens on the engine's port.
type PortTakenError struct{ Port int }

func (e *PortTakenError) Error() string {
	return fmt.Sprintf("another program uses port %d; to use another one, set PORT, such as PORT=%d", e.Port, e.Port+1)
}

// Endpoint is the address of the engine on this port.
func Endpoint(port int) string { return fmt.Sprintf("http://localhost:%d", port) }

// EnginePort is the port of the project's running engine; 0 if none runs.
func (p Project) EnginePort() (int, error) {
	proc, err := p.recorded(engineName)
	if err != nil || !proc.running() {
		return 0, err
	}
	return proc.Port, nil
}

// StartEngine ensures that the project's engine runs on the port and is ready. It first stops an engine on another
// port, which loses the deployed stack. The engine must be installed. It returns a *PortTakenError if another program
// listens on the port.
func (p Project) StartEngine(ctx context.Context, port int, log Log) error {
	unlock, err := p.Lock(ctx, engineName)
	if err != nil {
		return err
	}
	defer unlock()
	proc, err := p.recorded(engineName)
	if err != nil {
		return err
	}
	if proc.running() && proc.Port == port {
		return waitReady(ctx, port, nil)
	}
	if _, err := p.stopRecorded(ctx, engineName); err != nil {
		return err
	}
	return log.step(fmt.Sprintf("start the local engine on port %d", port),
		func() error { return p.startEngine(ctx, port) })
}

func (p Project) startEngine(ctx context.Context, port int) error {
	logFile, err := os.Create(filepath.Join(p.Dir(), "engine.log"))
	if err != nil {
		return fmt.Errorf("starting the engine: %w", err)
	}
	defer logFile.Close()
	proc, ended, err := p.launchEngine(port, p.Dir(), logFile, nil)
	if err != nil {
		return err
	}
	if err := p.record(engineName, proc); err != nil {
		return errors.Join(err, proc.stop(context.WithoutCancel(ctx)))
	}
	if err := waitReady(ctx, port, ended); err != nil {
		_, stopErr := p.stopRecorded(context.WithoutCancel(ctx), engineName)
		return errors.Join(fmt.Errorf("%w (see .local/engine.log)", err), stopErr)
	}
	return nil
}

// launchEngine starts the engine in a new process group, with its files in dir. The group ends when the other end of
// lifeline, if there is one, is closed, also by the end of its process. Variables (NAME=value) override the environment
// that is set here.
func (p Project) launchEngine(
	port int, dir string, log io.Writer, lifeline *os.File, variables ...string,
) (process, <-chan struct{}, error) {
	if err := portFree(port); err != nil {
		return process{}, nil, err
	}
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return process{}, nil, fmt.Errorf("starting the engine: %w", err)
	}
	python, program := filepath.Join(p.venv(), "bin", "python"), filepath.Join(p.Root, "local", "engine.py")
	cmd := exec.Command(python, program)
	if lifeline != nil {
		cmd = exec.Command("/bin/sh", "-c", `("$0" "$1"; kill -KILL 0) & read -r _; kill -KILL 0`, python, program)
		cmd.Stdin = lifeline
	}
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = environment(
		"BIND_HOST=127.0.0.1",
		"GATEWAY_PORT="+strconv.Itoa(port),
		"MINISTACK_REGION="+Region,
		"AWS_ENDPOINT_URL="+Endpoint(port), // for the functions
		"AWS_DEFAULT_REGION="+Region,
		"LAMBDA_ACCOUNT_CONCURRENCY="+strconv.Itoa(functionConcurrency),
		"PERSIST_STATE=0", "S3_PERSIST=0",
		"S3_DATA_DIR="+filepath.Join(dir, "s3"),
		"STATE_DIR="+filepath.Join(dir, "state"),
		"TMPDIR="+tmp,
		"LOG_LEVEL=WARNING",
	)
	cmd.Env = append(cmd.Env, variables...)
	proc, ended, err := startGroup(cmd)
	if err != nil {
		return process{}, nil, fmt.Errorf("starting the engine: %w", err)
	}
	proc.Port = port
	return proc, ended, nil
}

func portFree(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return &PortTakenError{Port: port}
	}
	return listener.Close()
}

// waitReady returns when the engine is ready, or an error if it ended or took too long.
func waitReady(ctx context.Context, port int, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, errors.New("the engine did not become ready in time"))
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet,
			fmt.Sprintf("http://127.0.0.1:%d/_ministack/ready", port), nil)
		if err != nil {
			return fmt.Errorf("polling the engine: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return errors.New("the engine ended before it was ready")
		default:
		}
		if pause(ctx, readyPoll) != nil {
			return context.Cause(ctx)
		}
	}
}
