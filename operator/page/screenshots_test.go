package page_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"snapshot-status-checker/operator/page"
)

var screenshots = flag.String("screenshots", "", "folder to write the pictures to (make screenshots)")

// TestScreenshots makes the pictures of the page that is played for them.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("make screenshots makes them")
	}
	d := deploy(t, page.Options{AllowWrites: true})
	const run = "snapshot-2026-11-22-full"
	d.row("ways", "db.core.early", "Sent", 2)
	d.row("ways", "db.core.last", "Sent", 1)
	failed, counted := d.sample(run)
	shoot := func(name, path string, width, height int64, dark bool, ready string) {
		t.Helper()
		b := newTab(t, d.address)
		b.size(width, height)
		if dark {
			b.dark()
		}
		b.open(path)
		b.until(name+" is there", ready)
		if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), b.picture(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	drawn := fmt.Sprintf(`document.querySelector("#chart canvas") && document.querySelector("#head dd").innerText.startsWith("%d ")`, counted)
	shoot("run", "/run?id="+run, 1280, 1400, false, drawn)
	shoot("execution", "/execution?id="+url.QueryEscape(failed), 1280, 1000, false,
		`document.querySelector("#graph svg .node.failed")`)
	ways := d.execute(`{"Records": [{"body": ` + successFile("ways", "db.core.early") + `}, {"body": ` +
		file("ways", "db.core.last", 1) + `}]}`)
	shoot("ways", "/execution?id="+url.QueryEscape(ways), 1280, 1000, false,
		`document.querySelector("#graph svg .node")`)
	shoot("rejected", "/rejected", 1280, 700, true, `document.querySelector(".kept")`)
	shoot("run-narrow", "/run?id="+run, 390, 844, true, drawn)
}
