package local

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// startTime is the process's start in clock ticks since boot; empty if there is no such process.
func startTime(pid int) string {
	fields := statFields(pid)
	if fields == nil {
		return ""
	}
	return fields[19]
}

// groupMembers lists the running processes of the group that carry its token.
func groupMembers(p process) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var members []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		fields := statFields(pid)
		if fields == nil || fields[0] == "Z" || fields[2] != strconv.Itoa(p.PID) {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && bytes.Contains(env, []byte(tokenVariable+"="+p.Token)) {
			members = append(members, pid)
		}
	}
	return members
}

// program is the name of the process's program file; empty if there is no such process.
func program(pid int) string {
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	return filepath.Base(file)
}

// statFields is the fields of /proc/<pid>/stat after the program's name (state, parent, process group, …); nil if there
// is no such process.
func statFields(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 20 {
		return nil
	}
	return fields
}
