package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Log receives the progress of a long operation. Steps of it write concurrently.
type Log struct {
	Steps  io.Writer // a line for each step, with its seconds
	Output io.Writer // the output of the programs that it runs
}

// step runs a step, and writes its line when it has succeeded.
func (l Log) step(name string, do func() error) error {
	began := time.Now()
	err := do()
	if err == nil {
		fmt.Fprintf(l.Steps, "%5.0f s  %s\n", time.Since(began).Seconds(), name)
	}
	return err
}

func (p Project) venv() string { return filepath.Join(p.Dir(), "venv") }

// InstallEngine installs the pinned engine into .local/venv, unless these pins are installed. Several processes may
// call it at once: one installs, the others wait.
func (p Project) InstallEngine(ctx context.Context, log Log) error {
	unlock, err := p.Lock(ctx, "install")
	if err != nil {
		return err
	}
	defer unlock()
	pins, err := os.ReadFile(filepath.Join(p.Root, "local", "requirements.txt"))
	if err != nil {
		return fmt.Errorf("reading the engine's pins: %w", err)
	}
	stamp := filepath.Join(p.venv(), "installed")
	if unchanged(stamp, pins) {
		return nil
	}
	if err := os.RemoveAll(p.venv()); err != nil {
		return fmt.Errorf("removing the engine's old installation: %w", err)
	}
	return log.step("install the local engine", func() error {
		if err := p.installEngine(ctx, log); err != nil {
			return err
		}
		return writeStamp(stamp, pins)
	})
}

func (p Project) installEngine(ctx context.Context, log Log) error {
	if err := p.run(ctx, log, nil, "python3", "-m", "venv", p.venv()); err != nil {
		return fmt.Errorf("creating a virtual environment (needs Python 3.10 or newer with venv): %w", err)
	}
	if err := p.run(ctx, log, nil, filepath.Join(p.venv(), "bin", "python"), "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:",
		"-r", filepath.Join(p.Root, "local", "requirements.txt")); err != nil {
		return fmt.Errorf("installing the local engine: %w", err)
	}
	return nil
}

// installCDK runs `npm ci`, unless node_modules is newer than its sources, as the Makefile's rule does.
func (p Project) installCDK(ctx context.Context, log Log) error {
	unlock, err := p.Lock(ctx, "cdk")
	if err != nil {
		return err
	}
	defer unlock()
	installed, err := os.Stat(filepath.Join(p.Root, "node_modules", ".package-lock.json"))
	fresh := err == nil
	for _, name := range []string{"package.json", "package-lock.json"} {
		wanted, err := os.Stat(filepath.Join(p.Root, name))
		if err != nil {
			return fmt.Errorf("reading the CDK command line's pins: %w", err)
		}
		fresh = fresh && !wanted.ModTime().After(installed.ModTime())
	}
	if fresh {
		return nil
	}
	return log.step("install the CDK command line", func() error {
		if err := p.run(ctx, log, nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
			return fmt.Errorf("installing the CDK command line: %w", err)
		}
		return nil
	})
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func unchanged(stamp string, content []byte) bool {
	was, err := os.ReadFile(stamp)
	return err == nil && string(was) == digest(content)
}

func writeStamp(stamp string, content []byte) error {
	if err := os.WriteFile(stamp, []byte(digest(content)), 0o644); err != nil {
		return fmt.Errorf("recording the installation: %w", err)
	}
	return nil
}

// run runs a program in the project's root. Its output goes to the log. The last part of it is in the error.
func (p Project) run(ctx context.Context, log Log, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.Root
	cmd.Env = env                   // nil: this process's own
	cmd.WaitDelay = 5 * time.Second // programs that it started may hold its output open
	var last tail
	cmd.Stdout = io.MultiWriter(log.Output, &last)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, last.String())
	}
	return nil
}

// tail keeps the last 4 KiB written.
type tail struct{ bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	n, err := t.Buffer.Write(b)
	if extra := t.Len() - 4096; extra > 0 {
		t.Next(extra)
	}
	return n, err
}
