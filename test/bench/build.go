package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"snapshot-status-checker/local"
)

// The baseline's function: its name, the package of its program, and its memory in MB.
const (
	baselineName   = "bench-baseline"
	baselineFolder = "./test/bench/baseline/bootstrap"
	baselineMemory = 256
)

// buildFunction compiles the Go program in the project's folder as the Makefile compiles the functions, for this
// machine.
func buildFunction(ctx context.Context, project local.Project, folder, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w", "-o", program, folder)
	cmd.Dir = project.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", folder, err, out)
	}
	return nil
}
