package page

import (
	"net/url"
	"testing"
	"time"

	"snapshot-status-checker/local/localtest"

	"github.com/chromedp/chromedp/kb"
)

// The scenarios run one after the other: only one test at a time may run the stack's pipes.
func TestPagesInABrowser(t *testing.T) {
	stack := serveStack(t)
	for name, play := range map[string]func(servedStack){
		"a run updates":                             runUpdates,
		"a failed execution shows its cause":        failedExecutionShowsCause,
		"an execution shows the paths inside a Map": executionShowsPathsInsideMap,
		"rejected messages are replayed":            rejectedMessagesAreReplayed,
		"pages work without JavaScript":             pagesWorkWithoutJavaScript,
	} {
		t.Run(name, func(t *testing.T) { play(servedStack{t, stack.Stack, stack.address}) })
	}
}

func runUpdates(s servedStack) {
	b := newTab(s.T, s.address)
	b.open("/")
	b.until("the list is live", live)
	s.row("moving", "db.core.a", "Sent", 2)
	s.send(fileMessage("moving", "db.core.a", 1))
	b.until("the new run is listed", `document.querySelector("#runs").innerText.includes("moving")`)
	b.open("/run?id=moving")
	b.until("the first file is shown", `document.querySelector("#head dd").innerText === "1 of 2"`)
	b.until("it is live", live)
	b.until("the chart is drawn", `document.querySelector("#chart canvas")`)
	b.run(`window.sameDocument = true`)
	s.send(fileMessage("moving", "db.core.a", 2))
	b.until("the second file is shown", `document.querySelector("#head dd").innerText === "2 of 2"`)
	b.until("the findings are updated", `document.querySelector("#findings").innerText.includes("_success file")`)
	b.until("the table is updated", `document.querySelector("#rows").innerText.includes("Received")`)
	if b.number(`window.sameDocument ? 1 : 0`) != 1 {
		s.Error("the page was loaded again")
	}
	b.open("/collection?run=moving&name=db.core.a")
	b.until("its files are listed", `document.querySelectorAll("#filelist tbody tr").length === 2`)
}

func failedExecutionShowsCause(s servedStack) {
	s.row("failing", "db.core.a", "Sent", 2)
	failed := s.executeFailing("failing", "db.core.a")
	b := newTab(s.T, s.address)
	b.open("/executions?run=failing")
	b.until("the failed execution is listed", `document.querySelector("main").innerText.includes("FAILED")`)
	b.open("/execution?id=" + url.QueryEscape(failed))
	b.until("its cause is shown", `document.querySelector("#failure").innerText.includes("missing")`)
	b.until("the graph shows the failed state", `document.querySelector("#graph svg .node.failed")`)
	b.until("the outcomes of the states are named, not only coloured", `["failed", "entered", "not entered"].every(
		what => [...document.querySelectorAll("#graph .node")].some(n => n.querySelector("title").textContent.includes(
			", " + what) && n.getAttribute("aria-label").endsWith(", " + what)))`)
	b.until("one edge leads to each entered state, except the first and the one inside the Map", `(() => {
		const entered = document.querySelectorAll("#graph .node.entered").length;
		return document.querySelectorAll("#graph path.entered:not(.tip)").length === entered - 2; })()`)
	b.click(`#graph .node[data-state="Counting Failed"]`)
	b.until("only the selected state is shown",
		`[...document.querySelectorAll(".step")].every(s => s.hidden === (s.dataset.state !== "Counting Failed")) &&
		document.querySelector("#selected").innerText.startsWith("Only Counting Failed")`)
	b.click("#all")
	b.until("all states are shown, the failed one with its error",
		`[...document.querySelectorAll(".step")].every(s => !s.hidden) && document.querySelector(".step .error")`)
}

// Two collections take different paths through the Map: one waits for files, and the row of the other is malformed.
func executionShowsPathsInsideMap(s servedStack) {
	s.row("ways", "db.core.one", "Sent", 2)
	s.PutRow(s.T, "ways", "db.core.two", "Sent", localtest.Text("one"))
	execution := s.execute(`{"reconcile": [{"correlation_id": "ways", "collection_name": "db.core.one"},
		{"correlation_id": "ways", "collection_name": "db.core.two"}]}`)
	b := newTab(s.T, s.address)
	b.open("/execution?id=" + url.QueryEscape(execution))
	b.until("the graph is drawn", `document.querySelector("#graph svg .node")`)
	for _, state := range []string{"Check Collection", "Collection Incomplete", "Left to the Sweep"} {
		b.until(state+" was entered", `document.querySelector('#graph .node.entered[data-state="`+state+`"]')`)
	}
	if edges := b.number(`document.querySelectorAll("#graph path.entered:not(.tip)").length`); edges != 4 {
		s.Errorf("%d edges, want one to the Map, and inside it two of one collection and one of the other", edges)
	}
	if b.number(`document.querySelectorAll(
		'#graph .node.entered[data-state="Check All Collections"], #graph .node.failed').length`) != 0 {
		s.Error("a state is marked that was not entered, or did not fail")
	}
	b.click(`#graph .node[data-state="Check Collection"]`)
	b.until("the steps of both are shown, with their results", `(() => {
		const text = [...document.querySelectorAll(".step")].filter(s => !s.hidden).map(s => s.innerText).join();
		return ["item 0 of Reconcile Each Collection", "item 1 of Reconcile Each Collection", "COLLECTION_INCOMPLETE",
			"Malformed"].every(s => text.includes(s)); })()`)
}

func rejectedMessagesAreReplayed(s servedStack) {
	s.row("replayed", "db.core.known", "Sent", 2)
	s.execute(fileMessage("replayed", "db.core.known", 1))
	s.execute(fileMessage("replayed", "db.core.late", 1)) // rejected: there is no row yet
	s.execute(fileMessage("replayed", "db.core.later", 1))
	s.execute(fileMessage("replayed", "db.core.later", 2))
	b := newTab(s.T, s.address)
	b.open("/rejected?run=replayed")
	b.until("the message is listed", `document.querySelector(".message").innerText.includes("UNKNOWN_COLLECTION")`)
	s.row("replayed", "db.core.late", "Sent", 2)
	b.click(".message form button")
	b.until("it was replayed", `document.body.innerText.includes("1 of 1 replayed.")`)
	b.open("/run?id=replayed")
	b.until("it is counted", `document.querySelector("#head dd").innerText === "2 of 4"`)
	s.row("replayed", "db.core.later", "Sent", 2)
	b = newTab(s.T, s.address)
	b.disableScripts()
	b.open("/rejected?run=replayed")
	b.until("both are listed", `document.querySelectorAll(".message").length === 2`)
	b.click(".tabs form button")
	b.until("it asks for confirmation", `document.querySelector("h1").innerText === "Replay 2 messages?"`)
	b.click("main form button")
	b.until("they were replayed", `document.body.innerText.includes("2 of 2 replayed.")`)
}

func pagesWorkWithoutJavaScript(s servedStack) {
	s.row("still", "db.core.a", "Sent", 2)
	s.execute(fileMessage("still", "db.core.a", 1))
	b := newTab(s.T, s.address)
	b.disableScripts()
	for path, want := range map[string]string{
		"/":                                    "still",
		"/run?id=still":                        "1 collection waits for files: 1 of 2",
		"/collection?run=still&name=db.core.a": "2026-11-22/db.core.a-001.txt.gz.enc",
		"/progress?id=still":                   "Files over time",
		"/executions?run=still":                "SUCCEEDED",
	} {
		b.open(path)
		b.until(path+" shows "+want, "document.querySelector('main').innerText.includes(`"+want+"`)")
		if b.number(`document.querySelectorAll("#graph svg, #chart canvas").length`) != 0 {
			s.Error("a script ran")
		}
	}
}

// The browser holds a bounded number of elements. Updates and filters work as in a small run.
func TestLargeRunIsUsableInABrowser(t *testing.T) {
	t.Parallel()
	const collections = 10_000
	db := newDB(collections)
	b := newTab(t, newServer(t, newSource(db), Options{}).URL)
	began := time.Now()
	b.open(link("/run", "id", runID))
	b.until("it is live", live)
	took := time.Since(began)
	elements := b.number(`document.querySelectorAll("*").length`)
	t.Logf("%d collections: complete after %d ms in the browser, live after %s, %d elements", collections,
		b.number(`Math.round(performance.getEntriesByType("navigation")[0].domComplete)`), took, elements)
	if elements > 10_000 {
		t.Errorf("the page has %d elements", elements)
	}
	db.row(runID, collectionName(5000), "Unknown_Status", 1)
	b.until("the most urgent collection comes first",
		`document.querySelector("#rows tbody tr").innerText.includes("Unknown_Status")`)
	b.open(link("/run", "id", runID, "name", "collection-0999"))
	b.until("the filter finds ten", `document.querySelectorAll("#rows tbody tr").length === 10`)
}

func TestKeyboardReachesFilterAndCollections(t *testing.T) {
	t.Parallel()
	b := newTab(t, newServer(t, newSource(newDB(3)), Options{}).URL)
	b.open(link("/run", "id", runID))
	b.until("it is live", live)
	b.press("/")
	b.until("a slash focuses the filter", `document.activeElement.name === "name"`)
	b.run(`document.querySelector(".heat a").focus()`)
	b.press(kb.ArrowRight + kb.ArrowRight)
	b.until("arrow keys move within the heat map",
		`document.activeElement.title.startsWith("db.core.collection-00002")`)
	b.press(kb.Enter)
	b.until("Enter opens the collection", `location.pathname === "/collection" &&
		document.querySelector("h1")?.innerText.startsWith("db.core.collection-00002")`)
}
