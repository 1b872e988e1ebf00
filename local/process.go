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

// tokenVariable carries a process group's token in the environment of everything that belongs to it, so that a group
// is recognised as ours even after its leader has died and process ids have been used again.
const tokenVariable = "SNAPSHOT_STATUS_CHECKER_LOCAL"

// process is a background process in a group of its own, as it is recorded in .local/<name>.json.
type process struct {
	PID     int    `json:"pid"`     // the leader's, and with it the group's
	Started string `json:"started"` // when the leader was started, as the operating system tells it
	Token   string `json:"token"`
	// Version is of what runs and how: a process with another version is replaced.
	Version string `json:"version"`
	// Port is the port that it listens on, 0 if none.
	Port int `json:"port,omitempty"`
}

// startGroup starts cmd as the leader of a process group of its own. The returned channel is closed when it has ended.
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
	// While the program is being loaded its environment, and with it the token, cannot be seen.
	for !proc.running() {
		select {
		case <-ended:
			return proc, ended, nil
		case <-time.After(time.Millisecond):
		}
	}
	return proc, ended, nil
}

// running tells whether the leader is alive and the process that was started.
func (p process) running() bool {
	return p.PID != 0 && slices.Contains(groupMembers(p), p.PID)
}

// stop ends the whole group and returns when nothing of it is left. It touches nothing that was not started as part
// of the group, and does nothing if it is gone already.
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

// stopGrace is how long a group may take to end by itself. The runner finishes what it is doing, which takes up to
// one poll of its queues.
const stopGrace = 5 * time.Second

func (p Project) recordFile(name string) string { return filepath.Join(p.Dir(), name+".json") }

// recorded reads what is recorded under the name; the zero process if nothing is.
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
		return process{}, fmt.Errorf("reading what is known of the %s: %w", name, err)
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

// stopRecorded ends what is recorded under the name and takes the record away. It tells whether anything was running.
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
		return was, fmt.Errorf("forgetting the %s: %w", name, err)
	}
	return was, nil
}

// environment is this process's own without anything that could lead the local stack, or what works on it,
// to a real account; and with the given variables.
func environment(with ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "AWS_CA_BUNDLE=")
	})
	return append(env, with...)
}
