package page

import (
	"os"
	"path"
	"testing"
)

// vendored are the files of others that the pages are served with, and where the pinned packages have them.
var vendored = map[string]string{
	"uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
	"uPlot.min.css":     "uplot/dist/uPlot.min.css",
	"uPlot.LICENSE":     "uplot/LICENSE",
	"dagre.min.js":      "@dagrejs/dagre/dist/dagre.min.js",
	"dagre.LICENSE":     "@dagrejs/dagre/LICENSE",
}

// What is served of others is what package-lock.json pins (make vendor).
func TestVendoredFilesAreThePinnedOnes(t *testing.T) {
	t.Parallel()
	there, err := embedded.ReadDir("assets/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		source, ok := vendored[file.Name()]
		if !ok {
			t.Errorf("%s comes from no pinned package", file.Name())
			continue
		}
		want, err := os.ReadFile(path.Join("../../node_modules", source))
		if err != nil {
			t.Fatal(err, "(npm ci installs it)")
		}
		got, err := embedded.ReadFile("assets/vendor/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not the file of the pinned package: make vendor", file.Name())
		}
	}
	if len(there) != len(vendored) {
		t.Errorf("%d files are there, want %d", len(there), len(vendored))
	}
}
