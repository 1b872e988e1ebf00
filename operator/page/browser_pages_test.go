package page_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"snapshot-status-checker/operator/page"
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
		{"the ways inside of a Map are shown", waysShow},
		{"a rejected message is put back", replayWorks},
		{"many collections stay usable", manyStayUsable},
		{"without scripts", withoutScripts},
		{"with the keyboard", withTheKeyboard},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			scenario.play(deployed{t, d.Stack, d.address})
		})
	}
}

func runMoves(d deployed) {
	b := newTab(d.T, d.address)
	b.open("/")
	b.until("the list is live", `document.querySelector("#live").innerText.startsWith("live")`)
	d.row("moving", "db.core.a", "Sent", 2)
	d.send(file("moving", "db.core.a", 1))
	b.until("a run that begins is listed", `document.querySelector("#runs").innerText.includes("moving")`)
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
}

func failureShows(d deployed) {
	d.row("failing", "db.core.a", "Sent", 2)
	failed := d.failing("failing", "db.core.a")
	b := newTab(d.T, d.address)
	b.open("/executions?run=failing")
	b.until("the failed execution is listed", `document.querySelector("main").innerText.includes("FAILED")`)
	b.open("/execution?id=" + url.QueryEscape(failed))
	b.until("its cause is said", `document.querySelector("#failure").innerText.includes("missing")`)
	b.until("the graph is drawn, with the state that failed", `document.querySelector("#graph svg .node.failed")`)
	b.until("what became of states is said, not only coloured", `["failed", "entered", "not entered"].every(what =>
		[...document.querySelectorAll("#graph .node")].some(n => n.getAttribute("aria-label").endsWith(", " + what) && n.querySelector("title").textContent.includes(", " + what)))`)
	b.until("one way leads to each state that was entered, but for the first and the one inside of the Map", `(() => {
		const entered = document.querySelectorAll("#graph .node.taken").length;
		return document.querySelectorAll("#graph path.taken:not(.tip)").length === entered - 2; })()`)
	b.must(b.evaluate(`document.querySelector('#graph .node[data-state="Counting Failed"]').dispatchEvent(new MouseEvent("click", {bubbles: true}))`))
	b.until("only the chosen state is shown", `[...document.querySelectorAll(".step")].filter(s => !s.hidden).every(s => s.dataset.state === "Counting Failed")
		&& document.querySelector("#chosen").innerText.startsWith("Only Counting Failed")`)
	b.must(b.evaluate(`document.getElementById("all").click()`))
	b.until("all are shown again, and the one that failed with its error",
		`[...document.querySelectorAll(".step")].every(s => !s.hidden) && document.querySelector(".step .error")`)
}

// Two collections take different ways through the Map: one waits, and the row of the other one cannot be read.
func waysShow(d deployed) {
	d.row("ways", "db.core.one", "Sent", 2)
	d.unreadableRow("ways", "db.core.two")
	execution := d.execute(`{"reconcile": [{"correlation_id": "ways", "collection_name": "db.core.one"}, {"correlation_id": "ways", "collection_name": "db.core.two"}]}`)
	b := newTab(d.T, d.address)
	b.open("/execution?id=" + url.QueryEscape(execution))
	b.until("the graph is drawn", `document.querySelector("#graph svg .node")`)
	for _, state := range []string{"Check Collection", "Collection Incomplete", "Left to the Sweep"} {
		b.until(state+" was entered", `document.querySelector('#graph .node.taken[data-state="`+state+`"]')`)
	}
	if ways := b.number(`document.querySelectorAll("#graph path.taken:not(.tip)").length`); ways != 4 {
		d.Errorf("%d ways were taken, want one to the Map, and inside of it two of one collection and one of the other",
			ways)
	}
	if b.number(`document.querySelectorAll('#graph .node.taken[data-state="Check All Collections"], #graph .node.failed').length`) != 0 {
		d.Error("a state is marked that was not entered, or did not fail")
	}
	b.must(b.evaluate(`document.querySelector('#graph .node[data-state="Check Collection"]').dispatchEvent(new MouseEvent("click", {bubbles: true}))`))
	b.until("its steps are those of both, with what they got", `(() => {
		const said = [...document.querySelectorAll(".step")].filter(s => !s.hidden).map(s => s.innerText).join();
		return ["item 0 of Reconcile Each Collection", "item 1 of Reconcile Each Collection", "COLLECTION_INCOMPLETE", "Malformed"].every(s => said.includes(s)); })()`)
}

func replayWorks(d deployed) {
	d.row("replayed", "db.core.known", "Sent", 2)
	d.execute(file("replayed", "db.core.known", 1))
	d.execute(file("replayed", "db.core.late", 1)) // kept: there is no row
	d.execute(file("replayed", "db.core.later", 1))
	d.execute(file("replayed", "db.core.later", 2))
	b := newTab(d.T, d.address)
	b.open("/rejected?run=replayed")
	b.until("the message is listed", `document.querySelector(".kept").innerText.includes("UNKNOWN_COLLECTION")`)
	d.row("replayed", "db.core.late", "Sent", 2)
	b.must(b.evaluate(`document.querySelector(".kept form button").click()`))
	b.until("it was put back", `document.body.innerText.includes("1 of 1 put back.")`)
	b.open("/run?id=replayed")
	b.until("it is counted", `document.querySelector("#head dd").innerText === "2 of 4"`)
	d.row("replayed", "db.core.later", "Sent", 2)
	b = newTab(d.T, d.address)
	b.withoutScripts()
	b.open("/rejected?run=replayed")
	b.until("both are listed", `document.querySelectorAll(".kept").length === 2`)
	b.must(b.evaluate(`document.querySelector(".tabs form button").click()`))
	b.until("it asks first, and says how many", `document.querySelector("h1").innerText === "Put back 2 messages?"`)
	b.must(b.evaluate(`document.querySelector("main form button").click()`))
	b.until("they were put back", `document.body.innerText.includes("2 of 2 put back.")`)
}

// What the browser holds is bounded, whatever the run's size; a change is seen and a filter works as with a small one.
func manyStayUsable(d deployed) {
	const collections = 10_000
	d.rows("many", collections)
	b := newPatientTab(d.T, d.address, 10*time.Minute) // on a slow machine the page rests between readings for a minute
	began := time.Now()
	b.open("/run?id=many")
	b.until("it is live", `document.querySelector("#live").innerText.startsWith("live")`)
	live := time.Since(began)
	elements := b.number(`document.querySelectorAll("*").length`)
	d.Logf("%d collections: complete after %d ms in the browser, live after %s, %d elements", collections,
		b.number(`Math.round(performance.getEntriesByType("navigation")[0].domComplete)`), live, elements)
	if elements > 10_000 {
		d.Errorf("the page has %d elements", elements)
	}
	d.row("many", "db.core.collection-05000", "Blocked_Topic", 1)
	b.until("what holds the run now is seen first",
		`document.querySelector("#rows tbody tr").innerText.includes("Blocked_Topic")`)
	b.open("/run?id=many&q=collection-0999")
	b.until("the filter finds ten", `document.querySelectorAll("#rows tbody tr").length === 10`)
}

func withoutScripts(d deployed) {
	d.row("still", "db.core.a", "Sent", 2)
	d.execute(file("still", "db.core.a", 1))
	b := newTab(d.T, d.address)
	b.withoutScripts()
	for path, want := range map[string]string{
		"/":                                    "still",
		"/run?id=still":                        "1 collection waits for files: 1 of 2 sent files have arrived.",
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
	b.until("Enter opens the collection",
		`location.pathname === "/collection" && document.querySelector("h1")?.innerText.startsWith("db.core.c")`)
}
