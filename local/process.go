package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tokenVariable carries a process group's token in the environment of all its processes. It identifies the group even
// after its leader died and process ids were reused.
const tokenVariable = "SNAPSHOT_STATUS_CHECKER_LOCAL"

// process is the leader of a background process group, as recorded in .local/<name>.json.
type process struct {
	PID     int    `json:"pid"`     // the leader's and the group's
	Started string `json:"started"` // the leader's start time, as the operating system prints it
	Token   string `json:"token"`
	Version string `json:"version"` // of program and settings; a process of another version is replaced
	Port    int    `json:"port,omitempty"`
}

// startGroup starts cmd as the leader of a new process group. The channel is closed when it has ended.
func startGroup(cmd *exec.Cmd) (process, <-chan struct{}, error) {
	proc := process{Token: rand.Text()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(cmd.Env, tokenVariable+"="+proc.Token)
	if err := cmd.Start(); err != nil {
		return process{}, nil, err
	}
	proc.PID = cmd.Process.Pid
	proc.Started = startTime(proc.PID)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	// The environment, and the token in it, is not visible until the program is loaded.
	for !proc.running() {
		select {
		case <-ended:
			return proc, ended, nil
		case <-time.After(time.Millisecond):
		}
	}
	return proc, ended, nil
}

// running reports whether the leader is alive and is the process that was started.
func (p process) running() bool {
	return p.PID != 0 && slices.Contains(groupMembers(p), p.PID)
}

// stop ends the group and returns when it has ended. It signals no process that was not started as part of the group.
func (p process) stop(ctx context.Context) error {
	if p.PID == 0 {
		return nil
	}
	signal := syscall.SIGTERM
	killAt := time.Now().Add(stopGrace)
	sent := false
	for len(groupMembers(p)) > 0 {
		if signal == syscall.SIGTERM && time.Now().After(killAt) {
			signal, sent = syscall.SIGKILL, false
		}
		if !sent {
			if err := syscall.Kill(-p.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("ending process group %d: %w", p.PID, err)
			}
			sent = true
		}
		if err := pause(ctx, gonePoll); err != nil {
			return fmt.Errorf("waiting for process group %d to end: %w", p.PID, err)
		}
	}
	return nil
}

// stopGrace is the time between SIGTERM and SIGKILL. The runner finishes its work, which takes up to one poll of its
// queues.
const stopGrace = 5 * time.Second

func (p Project) recordFile(name string) string { return filepath.Join(p.Dir(), name+".json") }

// recorded reads the process with this name; the zero process if none is recorded.
func (p Project) recorded(name string) (process, error) {
	var proc process
	raw, err := os.ReadFile(p.recordFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return proc, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &proc)
	}
	if err != nil {
		return process{}, fmt.Errorf("reading the record of the %s: %w", name, err)
	}
	return proc, nil
}

func (p Project) record(name string, proc process) error {
	raw, err := json.MarshalIndent(proc, "", "  ")
	if err != nil {
		return fmt.Errorf("recording the %s: %w", name, err)
	}
	if err := os.WriteFile(p.recordFile(name), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("recording the %s: %w", name, err)
	}
	return nil
}

// stopRecorded stops the group with this name and removes its record. It reports whether any process was running.
func (p Project) stopRecorded(ctx context.Context, name string) (bool, error) {
	proc, err := p.recorded(name)
	if err != nil || proc.PID == 0 {
		return false, err
	}
	was := len(groupMembers(proc)) > 0
	if err := proc.stop(ctx); err != nil {
		return was, err
	}
	if err := os.Remove(p.recordFile(name)); err != nil {
		return was, fmt.Errorf("removing the record of the %s: %w", name, err)
	}
	return was, nil
}

// environment is this process's environment with the given variables, without those of a make that called it, and
// without those that could lead the local stack to a real account.
func environment(with ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "MAKE") || strings.HasPrefix(kv, "MFLAGS=") ||
			strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "AWS_CA_BUNDLE=")
	})
	return append(env, with...)
}
