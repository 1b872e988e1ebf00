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

// checkOut writes the commit's files into a folder below build/, to build and deploy from. It needs git and tar. It
// writes over a folder that exists.
func checkOut(ctx context.Context, project local.Project, commit string) (version, error) {
	var failed error
	run := func(name string, args ...string) string {
		if failed != nil {
			return ""
		}
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = project.Root
		out, err := cmd.CombinedOutput()
		text := strings.TrimSpace(string(out))
		if err != nil {
			failed = fmt.Errorf("checking out BASE=%s: %w: %s", commit, err, text)
		}
		return text
	}
	short := run("git", "rev-parse", "--short", "--verify", "--end-of-options", commit+"^{commit}")
	root := filepath.Join(project.Root, "build", "base", short)
	archive := root + ".tar"
	defer os.Remove(archive)
	run("mkdir", "-p", root)
	run("git", "archive", "--output", archive, short)
	run("tar", "-x", "-C", root, "-f", archive)
	return version{project: local.Project{Root: root}, commit: short}, failed
}
