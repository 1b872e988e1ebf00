package page

import (
	"cmp"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"snapshot-status-checker/test/scenario"
)

var screenshots = flag.String("screenshots", "", "folder for the pictures (make screenshots)")

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("make screenshots makes them")
	}
	s := serveStack(t)
	const run = "snapshot-2026-11-22-full"
	s.row("ways", "db.core.early", "Sent", 2)
	s.row("ways", "db.core.last", "Sent", 1)
	failed, counted := s.sample(run)
	shoot := func(name, path string, width, height int64, dark bool, ready string) {
		t.Helper()
		b := newTab(t, s.address)
		b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
		if dark {
			_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
			b.must(err)
		}
		b.open(path)
		b.until(name+" is shown", ready)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		b.must(err)
		b.must(os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644))
	}
	drawn := fmt.Sprintf(`document.querySelector("#chart canvas") &&
		document.querySelector("#head dd").innerText.startsWith("%d ")`, counted)
	shoot("run", "/run?id="+run, 1280, 1400, false, drawn)
	shoot("execution", "/execution?id="+url.QueryEscape(failed), 1280, 1000, false,
		`document.querySelector("#graph svg .node.failed")`)
	ways := s.execute(scenario.Envelope(scenario.Record("1", played("ways").SuccessFile("db.core.early").Text),
		scenario.Record("2", fileMessage("ways", "db.core.last", 1))).Text)
	shoot("ways", "/execution?id="+url.QueryEscape(ways), 1280, 1000, false,
		`document.querySelector("#graph svg .node")`)
	shoot("rejected", "/rejected", 1280, 700, true, `document.querySelector(".message")`)
	shoot("run-narrow", "/run?id="+run, 390, 844, true, drawn)
}

// sample makes a run with collections in all states, rejected messages, and a failed execution. It returns the failed
// execution and the number of files that are counted in the end.
func (s servedStack) sample(run string) (failed string, counted int) {
	s.Helper()
	name := func(i int) string {
		return fmt.Sprintf("db.%s.collection-%02d", []string{"agent", "core", "accepted-data"}[i%3], i)
	}
	s.row(run, name(3), "Sent", 6)
	failed = s.executeFailing(run, name(3)) // first: any other execution would fail meanwhile
	for i := range 40 {
		status, files := cmp.Or(map[int]string{4: "Table_Unavailable", 9: "Exported"}[i], "Sent"), 3+i%4
		if i > 30 {
			status = "Exporting"
		}
		s.row(run, name(i), status, files)
		if status == "Table_Unavailable" || i > 36 {
			continue
		}
		for n := range files {
			if i%7 == 3 && n == files-1 || i > 30 && n > 0 {
				continue // not received yet
			}
			s.send(fileMessage(run, name(i), n))
			counted++
		}
		if i%3 == 0 && i < 25 {
			s.send(played(run).SuccessFile(name(i)).Text)
		}
	}
	s.send(`{"correlation_id": "` + run + `", this is not JSON`)
	s.send(fileMessage(run, "db.core.unknown", 1))
	return failed, counted
}
