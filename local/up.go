package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

const runnerName = "pipes"

// Up starts the engine on the port (0: the running engine's, else DefaultPort), deploys the CDK app to it with these
// settings (key=value) and starts the pipe runner, which is this program with the argument "pipes". It updates what is
// running.
func (p Project) Up(ctx context.Context, port int, settings []string, log Log) error {
	unlock, err := p.Lock(ctx, "up")
	if err != nil {
		return err
	}
	defer unlock()
	running, err := p.EnginePort()
	if err != nil {
		return err
	}
	if port == 0 {
		port = running
	}
	if port == 0 {
		port = DefaultPort
	}
	if port != running { // before anything is installed
		if err := portFree(port); err != nil {
			return err
		}
	}
	if port != running {
		if _, err := p.stopRecorded(ctx, runnerName); err != nil {
			return err
		}
	}
	if err := p.prepare(ctx, port, log); err != nil {
		return err
	}
	if err := p.Deploy(ctx, Endpoint(port), p.OutputsFile(), settings, log); err != nil {
		return err
	}
	return p.startRunner(ctx, port, log)
}

// prepare does what a deployment needs, concurrently where nothing depends on it: it builds the app, starts the engine,
// installs the CDK command line, and bootstraps the engine with it.
func (p Project) prepare(ctx context.Context, port int, log Log) error {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		unlock, err := p.Lock(ctx, "deploy")
		if err != nil {
			return err
		}
		defer unlock()
		return p.build(ctx, log)
	})
	all.Go(func() error {
		both, installing := errgroup.WithContext(ctx) // which ends with Wait
		both.Go(func() error { return p.installCDK(installing, log) })
		both.Go(func() error {
			if err := p.InstallEngine(installing, log); err != nil {
				return err
			}
			return p.StartEngine(installing, port, log)
		})
		if err := both.Wait(); err != nil {
			return err
		}
		return p.bootstrap(ctx, Endpoint(port), log)
	})
	return all.Wait()
}

// Down stops what Up started, and returns when it has ended. It reports whether anything was running.
func (p Project) Down(ctx context.Context) (bool, error) {
	var was bool
	var failed []error
	for _, name := range []string{runnerName, engineName} {
		running, err := p.stopRecorded(ctx, name)
		was = was || running
		failed = append(failed, err)
	}
	if err := os.Remove(p.OutputsFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		failed = append(failed, fmt.Errorf("removing the outputs: %w", err))
	}
	return was, errors.Join(failed...)
}

// DeployedPipes reads the pipes of the stack in .local/outputs.json from the engine on the port.
func (p Project) DeployedPipes(ctx context.Context, port int) ([]Pipe, error) {
	stack, _, err := ReadOutputs(p.OutputsFile())
	if err != nil {
		return nil, err
	}
	return Pipes(ctx, Config(Endpoint(port)), stack)
}

// startRunner ensures that the pipe runner runs, is this program, and serves the deployed pipes.
func (p Project) startRunner(ctx context.Context, port int, log Log) error {
	deployed, err := p.DeployedPipes(ctx, port)
	if err != nil {
		return err
	}
	served, err := json.Marshal(deployed)
	if err != nil {
		return fmt.Errorf("describing the pipes: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return fmt.Errorf("reading this program's file: %w", err)
	}
	version := digest(append(served, program...))
	proc, err := p.recorded(runnerName)
	if err != nil {
		return err
	}
	if proc.running() && proc.Port == port && proc.Version == version {
		return nil
	}
	if _, err := p.stopRecorded(ctx, runnerName); err != nil {
		return err
	}
	// A copy, since a build may replace the file while it runs.
	file := filepath.Join(p.Dir(), "pipes")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		return fmt.Errorf("copying the pipe runner: %w", err)
	}
	logFile, err := os.Create(filepath.Join(p.Dir(), "pipes.log"))
	if err != nil {
		return fmt.Errorf("starting the pipe runner: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(file, "pipes", fmt.Sprintf("--port=%d", port))
	cmd.Dir = p.Root
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	proc, _, err = startGroup(cmd)
	if err != nil {
		return fmt.Errorf("starting the pipe runner: %w", err)
	}
	proc.Version, proc.Port = version, port
	return p.record(runnerName, proc)
}
