package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// functionMemory is what the baseline's function gets, in MB: as much as increment.
const functionMemory = 256

// buildFunction compiles the Go program in the project's folder as the Makefile compiles the functions, for this
// machine.
func buildFunction(ctx context.Context, o options, folder, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w", "-o", program, folder)
	cmd.Dir = o.Project.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", folder, err, out)
	}
	return nil
}
