//go:build !linux

package local

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// startTime is the process's start as ps prints it; empty if there is no such process.
func startTime(pid int) string {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// program is the name of the process's program file; empty if there is no such process.
func program(pid int) string {
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(out)))
}

// groupMembers lists the running processes of the group. It lists none if the leader ended or is not the process that
// was started: that group may belong to another program.
func groupMembers(p process) []int {
	if started := startTime(p.PID); started == "" || started != p.Started {
		return nil
	}
	out, err := exec.Command("ps", "-axo", "pid=,pgid=,stat=").Output()
	if err != nil {
		return nil
	}
	var members []int
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != strconv.Itoa(p.PID) || strings.HasPrefix(fields[2], "Z") {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil {
			members = append(members, pid)
		}
	}
	return members
}
