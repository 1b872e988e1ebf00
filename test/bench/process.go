package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

type cpu struct{ engine, functions float64 } // seconds

// cpu is what the engine and its living function processes have used so far.
func (s *system) cpu() cpu {
	functions := s.engine.Functions()
	var used cpu
	for _, pid := range s.engine.Processes() {
		if slices.Contains(functions, pid) {
			used.functions += processCPU(pid)
		} else {
			used.engine += processCPU(pid)
		}
	}
	return used
}

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

// peakMemory is how many bytes of a living process were resident at most; 0 if there is no such process. (The usage
// that a process leaves behind, ru_maxrss, counts the memory of its parent.)
func peakMemory(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// peaks are the peak memory of each function's processes, by the function's name.
func (s *system) peaks() map[string]int64 {
	peaks := map[string]int64{}
	for _, pid := range s.engine.Functions() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			continue
		}
		for _, variable := range strings.Split(string(env), "\x00") {
			if name, found := strings.CutPrefix(variable, "AWS_LAMBDA_FUNCTION_NAME="); found {
				peaks[name] = max(peaks[name], peakMemory(pid))
			}
		}
	}
	return peaks
}
