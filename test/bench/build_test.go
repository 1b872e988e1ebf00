package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"snapshot-status-checker/local"
)

// A checkout has the commit's files, not those of the folder.
func TestCheckOut(t *testing.T) {
	t.Parallel()
	project := local.Project{Root: t.TempDir()}
	git := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = project.Root
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(project.Root, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "--quiet")
	write("old")
	git("add", "file")
	git("commit", "--quiet", "--message", "Old")
	commit := git("rev-parse", "HEAD")
	write("new")
	for range 2 {
		got, short, err := checkOut(t.Context(), project, commit)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(got.Root, "file"))
		if err != nil || string(raw) != "old" || !strings.HasPrefix(commit, short) {
			t.Errorf("got %q, %v as %s, want the files of %s", raw, err, short, commit)
		}
	}
	if _, _, err := checkOut(t.Context(), project, "nothing"); err == nil || !strings.Contains(err.Error(),
		"BASE=nothing") {
		t.Errorf("got %v", err)
	}
}
