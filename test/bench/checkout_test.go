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
		args = append([]string{"-C", project.Root, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)
		out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	file := filepath.Join(project.Root, "file")
	git("init", "--quiet")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	git("add", "file")
	git("commit", "--quiet", "--message", "Old")
	commit := git("rev-parse", "HEAD")
	git("rm", "--quiet", "file")
	for range 2 { // also over what the first has written
		got, err := checkOut(t.Context(), project, commit)
		raw, _ := os.ReadFile(filepath.Join(got.project.Root, "file"))
		if err != nil || string(raw) != "old" || !strings.HasPrefix(commit, got.commit) {
			t.Errorf("got %q as %s, %v; want the files of %s", raw, got.commit, err, commit)
		}
	}
	if _, err := checkOut(t.Context(), project, "none"); err == nil || !strings.Contains(err.Error(), "BASE=none") {
		t.Errorf("got %v", err)
	}
}
