package local

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The app runs again for other settings, another build, and after an error.
func TestTheAppRunsOnceForABuildAndItsSettings(t *testing.T) {
	t.Parallel()
	project := Project{Root: t.TempDir()}
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(project.Root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content),
			0o755)); err != nil {
			t.Fatal(err)
		}
	}
	function := filepath.Join("build", "functions", runtime.GOARCH, "notify", "bootstrap")
	write("cdk.json", `{"build": "true"}`)
	write("Makefile", "functions:\n")
	write(function, "first")
	// The folder follows --output.
	write("node_modules/.bin/cdklocal", "#!/bin/sh\necho \"$@\" >> runs\nmkdir -p \"$4\"\n! test -e broken\n")
	for _, step := range []struct {
		name     string
		change   func()
		settings []string
		runs     int // of the app so far
		fails    bool
	}{
		{"first", func() {}, []string{"batchSize=10"}, 1, false},
		{"again", func() {}, []string{"batchSize=10"}, 1, false},
		{"other settings", func() {}, []string{"batchSize=1", "0"}, 2, false},
		{"the first settings", func() {}, []string{"batchSize=10"}, 2, false},
		{"another build fails", func() { write(function, "second"); write("broken", "") }, nil, 3, true},
		{"after the error", func() { _ = os.Remove(filepath.Join(project.Root, "broken")) }, nil, 4, false},
		{"the first build", func() { write(function, "first") }, []string{"batchSize=10"}, 5, false},
	} {
		step.change()
		assembly, err := project.synthesize(t.Context(), "http://localhost", step.settings, quiet)
		if (err != nil) != step.fails {
			t.Fatalf("%s: %v", step.name, err)
		}
		if _, err := os.Stat(assembly); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		runs, err := os.ReadFile(filepath.Join(project.Root, "runs"))
		if got := strings.Count(string(runs), "\n"); err != nil || got != step.runs {
			t.Errorf("%s: the app ran %d times, want %d (%v)", step.name, got, step.runs, err)
		}
	}
	kept := func() (builds []string) {
		builds, err := filepath.Glob(filepath.Join(project.Dir(), "cdk.out", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(builds, func(name string) bool { return strings.HasSuffix(name, ".lock") })
	}
	if builds := kept(); len(builds) != 1 {
		t.Errorf("assemblies of %d builds are kept, want those of the last", len(builds))
	}
	_, release, err := project.assembly(t.Context(), "http://localhost", nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	builds := func(content string) int {
		write(function, content)
		if _, err := project.synthesize(t.Context(), "http://localhost", nil, quiet); err != nil {
			t.Fatal(err)
		}
		return len(kept())
	}
	if n := builds("third"); n != 2 {
		t.Errorf("assemblies of %d builds are kept, want also those in use", n)
	}
	release()
	if n := builds("fourth"); n != 1 {
		t.Errorf("assemblies of %d builds are kept after the use", n)
	}
}
