package page

import (
	"os"
	"path"
	"testing"
)

// The third-party files are those of the packages that package-lock.json pins (make vendor).
func TestVendoredFilesAreThePinnedOnes(t *testing.T) {
	t.Parallel()
	pinned := map[string]string{
		"uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js", "uPlot.min.css": "uplot/dist/uPlot.min.css",
		"uPlot.LICENSE": "uplot/LICENSE", "dagre.min.js": "@dagrejs/dagre/dist/dagre.min.js",
		"dagre.LICENSE": "@dagrejs/dagre/LICENSE",
	}
	for name, source := range pinned {
		want, err := os.ReadFile(path.Join("../../node_modules", source))
		if err != nil {
			t.Fatal(err, "(npm ci installs it)")
		}
		if got, err := embedded.ReadFile("assets/vendor/" + name); err != nil || string(got) != string(want) {
			t.Errorf("%s is not the file of the pinned package: make vendor (%v)", name, err)
		}
	}
	if files, err := embedded.ReadDir("assets/vendor"); err != nil || len(files) != len(pinned) {
		t.Errorf("%d files, want %d (%v)", len(files), len(pinned), err)
	}
}
