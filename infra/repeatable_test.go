package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The same sources give the same template, wherever and whenever it is made; else `cdk diff` would show changes that
// nobody made.
func TestTemplateIsRepeatable(t *testing.T) {
	t.Parallel()
	elsewhere, changed := filepath.Join(t.TempDir(), "another", "folder"), t.TempDir()
	makeFunctions(elsewhere)
	makeFunctions(changed)
	must(os.WriteFile(filepath.Join(changed, "notify", "bootstrap"), []byte("changed"), 0o755))
	if byDefault().json != synthesizeWith(elsewhere, nil).json {
		t.Error("made again, the template is another one")
	}
	if byDefault().json == synthesizeWith(changed, nil).json {
		t.Error("the template does not tell that a function changed")
	}
}

// A function's binary, and with it the asset's hash in the template, depends on its sources alone: not on the folder
// that they lie in, nor on git. It is built by the Makefile's own command.
func TestFunctionsBuildIsRepeatable(t *testing.T) {
	t.Parallel()
	copied := filepath.Join(t.TempDir(), "copy")
	for _, folder := range []string{"functions", "internal"} {
		must(os.CopyFS(filepath.Join(copied, folder), os.DirFS(filepath.Join("..", folder))))
	}
	for _, file := range []string{"Makefile", "go.mod", "go.sum"} {
		must(os.WriteFile(filepath.Join(copied, file), mustRead(filepath.Join("..", file)), 0o644))
	}
	if !bytes.Equal(built(t, ".."), built(t, copied)) {
		t.Error("built in another folder, the function is another one")
	}
}

// built is the smallest task's binary, built from the sources in dir.
func built(t *testing.T, dir string) []byte {
	t.Helper()
	out := t.TempDir()
	command := exec.Command("make", "-C", dir, "function-notify", "FUNCTIONS="+out, "GOARCH=arm64")
	command.Env = environment()
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return mustRead(filepath.Join(out, "notify", "bootstrap"))
}
