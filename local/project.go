// Package local runs the stack on this machine. It installs and controls the local engine (an AWS emulator), deploys
// the CDK app to it, and serves the EventBridge pipes, which the engine does not do as AWS does. docs/local-engine.md
// lists the differences from AWS.
//
// It writes to the project's folder .local/ only. What it starts listens on loopback only and is recorded there, so
// that it stops only what it started.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Region is the region of the local engine.
const Region = "eu-west-1"

// Project is a clone of this repository on this machine.
type Project struct {
	Root string // absolute path of the folder with go.mod
}

// FindProject returns the project of the working directory: the nearest folder at or above it with a go.mod.
func FindProject() (Project, error) {
	dir, err := os.Getwd()
	if err != nil {
		return Project{}, fmt.Errorf("finding the project: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return Project{Root: dir}, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return Project{}, errors.New("finding the project: no go.mod in this folder or above")
		}
		dir = parent
	}
}

// Dir is the folder for local files. It is not under version control.
func (p Project) Dir() string { return filepath.Join(p.Root, ".local") }

// OutputsFile has the outputs of the stack that `make up` deployed.
func (p Project) OutputsFile() string { return filepath.Join(p.Dir(), "outputs.json") }

// Lock waits for the project's lock of this name. The lock excludes other processes too. It is released by unlock or by
// the end of the process.
func (p Project) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return p.lock(ctx, name, syscall.LOCK_EX)
}

// lock waits for a lock, LOCK_EX or LOCK_SH, which many may hold together.
func (p Project) lock(ctx context.Context, name string, how int) (unlock func(), err error) {
	file := filepath.Join(p.Dir(), name+".lock")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
		if err := pause(ctx, lockPoll); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
	}
}

const (
	lockPoll  = 100 * time.Millisecond
	readyPoll = 50 * time.Millisecond
	gonePoll  = 20 * time.Millisecond
)

// pause waits for d, or returns the context's error when that is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
