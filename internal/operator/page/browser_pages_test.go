package page_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"snapshot-status-checker/internal/operator/page"
)

// One stack and one browser serve all of these, one after the other: one test at a time may serve the stack's pipes.
func TestInABrowser(t *testing.T) {
	d := deploy(t, page.Options{AllowWrites: true})
	for _, scenario := range []struct {
		name string
		play func(deployed)
	}{
		{"a run is seen to move", runMoves},
		{"a failed execution shows its cause", failureShows},
		{"a rejected message is put back", replayWorks},
		{"without scripts", withoutScripts},
		{"with the keyboard", withTheKeyboard},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			scenario.play(deployed{t, d.Stack, d.address})
		})
	}
}

func runMoves(d deployed) {
	d.row("moving", "db.core.a", "Sent", 2)
	d.send(file("moving", "db.core.a", 1))
	b := newTab(d.T, d.address)
	b.open("/run?id=moving")
	b.until("the first file is seen", `document.querySelector("#head dd").innerText === "1 of 2"`)
	b.until("it is live", `document.querySelector("#live").innerText.startsWith("live")`)
	b.until("the chart is drawn", `document.querySelector("#chart canvas")`)
	b.must(b.evaluate(`window.sameDocument = true`))
	d.send(file("moving", "db.core.a", 2))
	b.until("the second file is seen", `document.querySelector("#head dd").innerText === "2 of 2"`)
	b.until("what it waits for is said anew", `document.querySelector("#findings").innerText.includes("_success file")`)
	b.until("the table is up to date", `document.querySelector("#rows").innerText.includes("Received")`)
	if b.number(`window.sameDocument ? 1 : 0`) != 1 {
		d.Error("the page was loaded again")
	}
	b.open("/collection?run=moving&name=db.core.a")
	b.until("its files are listed", `document.querySelectorAll("#filelist tbody tr").length === 2`)
	b.open("/")
	b.until("it is among the runs", `document.querySelector("#runs").innerText.includes("moving")`)
}

// The pages of an execution and of the rejected messages are asked for without the browser, which crashes on them when it is
// run from here (docs/decisions.md).
func failureShows(d deployed) {
	d.row("failing", "db.core.a", "Sent", 2)
	failed := d.failing("failing", "db.core.a")
	d.shows("/executions?run=failing", "FAILED")
	d.shows("/execution?id="+url.QueryEscape(failed), `id="failure"`, "Fail Counting", "retried", "missing")
}

func replayWorks(d deployed) {
	d.row("replayed", "db.core.known", "Sent", 2)
	d.execute(file("replayed", "db.core.known", 1))
	d.execute(file("replayed", "db.core.late", 1)) // kept: there is no row
	d.shows("/rejected?run=replayed", "UNKNOWN_COLLECTION", "Put back")
	d.row("replayed", "db.core.late", "Sent", 2)
	answer, err := http.PostForm(d.address+"replay", url.Values{"many": {"yes"}, "run": {"replayed"}})
	if err != nil {
		d.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), "1 of 1 put back.") {
		d.Errorf("%s %v: %s", answer.Status, err, text)
	}
	b := newTab(d.T, d.address)
	b.open("/run?id=replayed")
	b.until("it is counted", `document.querySelector("#head dd").innerText === "2 of 4"`)
}

// shows asks for a page and looks for texts in it.
func (d deployed) shows(path string, texts ...string) {
	d.Helper()
	answer, err := http.Get(d.address + strings.TrimPrefix(path, "/"))
	if err != nil {
		d.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		d.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(string(page), text) {
			d.Errorf("%s does not show %q:\n%s", path, text, page)
		}
	}
}

func withoutScripts(d deployed) {
	d.row("still", "db.core.a", "Sent", 2)
	d.execute(file("still", "db.core.a", 1))
	b := newTab(d.T, d.address)
	b.withoutScripts()
	for path, want := range map[string]string{
		"/":                                    "still",
		"/run?id=still":                        "1 collection waits for files: 1 of 2 that were sent have arrived.",
		"/collection?run=still&name=db.core.a": "2026-11-22/db.core.a-001.txt.gz.enc",
		"/progress?id=still":                   "Files over time",
		"/executions?run=still":                "SUCCEEDED",
	} {
		b.open(path)
		b.until(path+" shows "+want, `document.querySelector("main").innerText.includes(`+"`"+want+"`"+`)`)
		if b.number(`document.querySelectorAll("#graph svg, #chart canvas").length`) != 0 {
			d.Error("a script ran")
		}
	}
}

func withTheKeyboard(d deployed) {
	for _, name := range []string{"db.core.a", "db.core.b", "db.core.c"} {
		d.row("keys", name, "Exporting", 1)
	}
	b := newTab(d.T, d.address)
	b.open("/run?id=keys")
	b.until("it is live", `document.querySelector("#live").innerText.startsWith("live")`)
	b.press("/")
	b.until("a slash leads to the filter", `document.activeElement.name === "q"`)
	b.must(b.evaluate(`document.querySelector(".heat a").focus()`))
	b.press(kb.ArrowRight + kb.ArrowRight)
	b.until("arrows move about the heat map", `document.activeElement.title.startsWith("db.core.c")`)
	b.press(kb.Enter)
	b.until("Enter opens the collection", `location.pathname === "/collection" && document.querySelector("h1")?.innerText.startsWith("db.core.c")`)
}
