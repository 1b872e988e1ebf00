package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
)

// TestEngine is an engine that belongs to this process, not to `make up`.
type TestEngine struct {
	Endpoint string
	proc     process
	lifeline *os.File
}

// StartTestEngine starts an engine on a free port, with its files in dir, and installs it before if necessary. It ends
// with Stop or with this process, even if that is killed. Variables (NAME=value) are added to the engine's environment,
// which its function processes inherit.
func (p Project) StartTestEngine(ctx context.Context, dir string, log Log, variables ...string) (*TestEngine, error) {
	if err := p.InstallEngine(ctx, log); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		engine, err := p.startTestEngine(ctx, dir, variables)
		if err == nil || try == 3 || ctx.Err() != nil {
			return engine, err
		}
		// Another program may have taken the port between freePort and the engine's start.
	}
}

func (p Project) startTestEngine(ctx context.Context, dir string, variables []string) (*TestEngine, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	logFile, err := os.Create(filepath.Join(dir, "engine.log"))
	if err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	defer logFile.Close()
	// Nothing is written to the lifeline. The engine waits until it is closed, as it is when this process ends.
	far, near, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	defer far.Close()
	proc, ended, err := p.launchEngine(port, dir, logFile, far, variables...)
	if err != nil {
		return nil, errors.Join(err, near.Close())
	}
	engine := &TestEngine{Endpoint: Endpoint(port), proc: proc, lifeline: near}
	if err := waitReady(ctx, port, ended); err != nil {
		output, _ := os.ReadFile(logFile.Name())
		return nil, errors.Join(fmt.Errorf("%w:\n%s", err, output), engine.Stop(context.WithoutCancel(ctx)))
	}
	return engine, nil
}

// Stop ends the engine and its processes, and returns when they have ended.
func (e *TestEngine) Stop(ctx context.Context) error {
	return errors.Join(e.lifeline.Close(), e.proc.stop(ctx))
}

// Functions lists the ids of the engine's function processes.
func (e *TestEngine) Functions() []int {
	return slices.DeleteFunc(groupMembers(e.proc), func(pid int) bool {
		return program(pid) != "bootstrap" // the name of a custom runtime's program
	})
}

// Processes lists the ids of the engine and of its function processes.
func (e *TestEngine) Processes() []int { return groupMembers(e.proc) }

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
