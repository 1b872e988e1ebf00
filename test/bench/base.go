package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"snapshot-status-checker/local"
)

// checkOut puts the commit's files into a folder below build/, where they are built and deployed from, and returns the
// commit's short name too. It needs git and tar. A folder that is there already is written again.
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
