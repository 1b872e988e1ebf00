package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// cpu is CPU time in seconds.
type cpu struct{ engine, functions, own float64 }

// cpu is what the engine, its living function processes and this process have used so far.
func (w *testbed) cpu() cpu {
	functions := w.engine.Functions()
	var used cpu
	for _, pid := range w.engine.Processes() {
		if slices.Contains(functions, pid) {
			used.functions += processCPU(pid)
		} else {
			used.engine += processCPU(pid)
		}
	}
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		used.own = seconds(own.Utime) + seconds(own.Stime)
	}
	return used
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// clockTicks are Linux's in a second, on every architecture that Go supports.
const clockTicks = 100

// processCPU is the CPU time of a process in seconds; 0 if it has ended.
func processCPU(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	var inUser, inKernel float64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &inUser, &inKernel); err != nil {
		return 0
	}
	return (inUser + inKernel) / clockTicks
}

// Lines of /proc/<pid>/status.
const peakMemory, memoryNow = "VmHWM", "VmRSS"

// memoryOf is how many bytes of a living process were resident at most, or are now; 0 if there is no such process. (The
// usage that a process leaves behind, ru_maxrss, counts the memory of its parent.)
func memoryOf(pid int, name string) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, name+": %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// peaks are the largest resident memory (VmHWM) in bytes of each function's processes, by the function's name.
func (w *testbed) peaks() map[string]int64 {
	peaks := map[string]int64{}
	for _, pid := range w.engine.Functions() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			continue
		}
		for _, variable := range strings.Split(string(env), "\x00") {
			if name, found := strings.CutPrefix(variable, "AWS_LAMBDA_FUNCTION_NAME="); found {
				peaks[name] = max(peaks[name], memoryOf(pid, peakMemory))
			}
		}
	}
	return peaks
}

// largest is the peak memory of the largest function process.
func (w *testbed) largest() (largest int64) {
	for _, peak := range w.peaks() {
		largest = max(largest, peak)
	}
	return largest
}
