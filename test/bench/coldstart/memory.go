package coldstart

import (
	"fmt"
	"os"
	"strings"
)

// PeakMemory asks Linux how many bytes of a living process were resident at most (VmHWM). The usage that a process
// leaves behind (ru_maxrss) would not do: it counts the memory of whoever started it. It is 0 if there is no
// such process.
func PeakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}
