package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"snapshot-status-checker/local"
)

// inspectAll builds the functions of all versions and the baseline's, and measures their programs.
func (s *suite) inspectAll(ctx context.Context) error {
	for _, v := range s.versions {
		tasks, err := v.tasks()
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if err := s.inspect(ctx, v.project, folderOf(task), task, v.environments[task], v.memory,
				v.found); err != nil {
				return err
			}
		}
	}
	return s.inspect(ctx, s.Project, baselineFolder, baselineName, nil, s.memory, &s.results)
}

func (s *suite) inspect(
	ctx context.Context, project local.Project, folder, task string, env []string, memory map[string]int64,
	into *results,
) error {
	dir, err := os.MkdirTemp("", "bench-functions-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, task)
	if err := buildFunction(ctx, project, folder, program); err != nil {
		return err
	}
	file, err := os.Stat(program)
	if err != nil {
		return fmt.Errorf("reading the size of %s: %w", task, err)
	}
	typical, err := typicalStart(ctx, program, slices.Concat(lambdaEnvironment(), env), s.ColdStarts)
	if err != nil {
		return err
	}
	into.Functions = append(into.Functions, function{Task: task, Size: file.Size(), ColdStart: typical.Wall,
		ColdCPU: typical.CPU, ColdMemory: typical.Memory, LoadMemory: memory[task]})
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
