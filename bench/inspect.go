package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"snapshot-status-checker/internal/coldstart"
)

// inspectFunctions builds the functions and measures their programs.
func (s *suite) inspectFunctions(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-functions-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	folders := map[string]string{"bench-baseline": "./bench/baseline/bootstrap"}
	names := append([]string{}, tasks...)
	for _, task := range tasks {
		folders[task] = "./functions/" + task + "/bootstrap"
	}
	for _, name := range append(names, "bench-baseline") {
		program := filepath.Join(dir, name)
		if err := buildFunction(ctx, s.options, folders[name], program); err != nil {
			return err
		}
		measured, err := coldstart.Measure(ctx, program, coldstart.Environment(), s.ColdStarts)
		if err != nil {
			return err
		}
		typical := measured.Typical()
		s.Functions = append(s.Functions, function{Task: name, Size: measured.Size, ColdStart: typical.Wall, ColdCPU: typical.CPU,
			ColdMemory: typical.PeakMemory, LoadMemory: s.memory[name]})
	}
	return nil
}

// describeMachine says what Linux, Go and the pins tell; what cannot be told is empty.
func describeMachine(o options) machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if found := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(raw); found != nil {
			m.Processor = string(found[1])
		}
	}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(raw), &m.Load)
	}
	if raw, err := os.ReadFile(filepath.Join(o.Project.Root, "local", "requirements.txt")); err == nil {
		if found := regexp.MustCompile(`(?m)^ministack\S*==(\S+)`).FindSubmatch(raw); found != nil {
			m.Engine = "ministack " + strings.TrimSpace(string(found[1]))
		}
	}
	return m
}
