package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"snapshot-status-checker/local"
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

// functionZip builds the Go program in the project's folder as a function's code.
func functionZip(ctx context.Context, project local.Project, folder string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "bench-build-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "bootstrap")
	if err := buildFunction(ctx, project, folder, program); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading the function: %w", err)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Unix(0, 0)}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = file.Write(raw)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		return nil, fmt.Errorf("packing the function: %w", err)
	}
	return out.Bytes(), nil
}

// checkOut writes the commit's files into a folder below build/, to build and deploy from, and returns the commit's
// short name too. It needs git and tar. It writes over a folder that exists.
func checkOut(ctx context.Context, project local.Project, commit string) (local.Project, string, error) {
	fail := func(err error) (local.Project, string, error) {
		return local.Project{}, "", fmt.Errorf("checking out BASE=%s: %w", commit, err)
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = project.Root
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
		}
		return strings.TrimSpace(string(out)), err
	}
	short, err := run("git", "rev-parse", "--short", "--verify", "--end-of-options", commit+"^{commit}")
	if err != nil {
		return fail(err)
	}
	root := filepath.Join(project.Root, "build", "base", short)
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fail(err)
	}
	archive := root + ".tar"
	defer os.Remove(archive)
	if _, err := run("git", "archive", "--output", archive, short); err != nil {
		return fail(err)
	}
	if _, err := run("tar", "-x", "-C", root, "-f", archive); err != nil {
		return fail(err)
	}
	return local.Project{Root: root}, short, nil
}
