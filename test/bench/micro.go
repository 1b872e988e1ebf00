package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"snapshot-status-checker/local"
)

const microFile = "micro.txt"

// runMicro runs the project's Go benchmarks, keeps their text in the folder, and returns benchstat's table of them. It
// leaves out this package's: inspectAll measures cold starts.
func runMicro(ctx context.Context, project local.Project, folder, each string) (string, error) {
	list := exec.CommandContext(ctx, "git", "grep", "-l", "^func Benchmark", "--", "*_test.go", ":!test/bench")
	list.Dir = project.Root
	found, err := list.Output()
	if err != nil || len(found) == 0 {
		return "", nil // git grep fails if it finds none
	}
	packages := map[string]bool{}
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-count", "6", "-benchtime", each}
	for _, file := range strings.Fields(string(found)) {
		if dir := "./" + filepath.Dir(file); !packages[dir] {
			packages[dir] = true
			args = append(args, dir)
		}
	}
	test := exec.CommandContext(ctx, "go", args...)
	test.Dir = project.Root
	var stderr bytes.Buffer
	test.Stderr = &stderr
	text, err := test.Output()
	if err != nil {
		return "", fmt.Errorf("running the Go benchmarks: %w\n%s%s", err, text, &stderr)
	}
	file := filepath.Join(folder, microFile)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return "", fmt.Errorf("keeping the Go benchmarks: %w", err)
	}
	return benchstat(ctx, project, file)
}

// benchstat is its table of one file, or of two.
func benchstat(ctx context.Context, project local.Project, files ...string) (string, error) {
	args := []string{"tool", "benchstat"}
	for _, file := range files {
		args = append(args, filepath.Base(filepath.Dir(file))+"="+file) // the column's head, else the path
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = project.Root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running benchstat: %w\n%s", err, out)
	}
	return string(out), nil
}
