//go:build !linux

package local

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// startTime is when the process was started, as ps tells it; empty if there is no such process.
func startTime(pid int) string {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// program is the file name of the program that the process runs; empty if there is no such process.
func program(pid int) string {
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(out)))
}

// groupMembers lists the living processes of the group. A group whose leader is gone, or is another process than the
// one that was started, is nobody's: it is left alone.
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
