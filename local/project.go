// Package local runs the stack on this machine: it installs and controls the local engine (an AWS emulator),
// deploys the CDK app to it, and stands in for the EventBridge pipes that the engine does not poll.
//
// Everything it writes is in the project's folder .local/, and everything that it starts listens on loopback only
// and is recorded there, so that exactly this is ended again.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Region is the region that the stack is deployed to on the local engine.
const Region = "eu-west-1"

// Project is a clone of this repository on this machine.
type Project struct {
	// Root is the absolute path of the folder that holds go.mod.
	Root string
}

// FindProject returns the project that the working directory is in.
// It fails if there is no go.mod here or in any folder above.
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
			return Project{}, errors.New("finding the project: no go.mod here or in any folder above")
		}
		dir = parent
	}
}

// Dir is the folder that everything local is written to. It is not under version control.
func (p Project) Dir() string { return filepath.Join(p.Root, ".local") }

// OutputsFile is where `make up` writes the deployed stack's outputs, as `cdk deploy --outputs-file` does.
func (p Project) OutputsFile() string { return filepath.Join(p.Dir(), "outputs.json") }

// Lock waits until it holds the project's lock of this name and returns what gives it back.
// The lock is held between processes too, and it is given back when its process ends, however it ends.
func (p Project) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(p.Dir(), 0o755); err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	f, err := os.OpenFile(filepath.Join(p.Dir(), name+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
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
