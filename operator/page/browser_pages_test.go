package page

import (
	"net/url"
	"testing"

	"snapshot-status-checker/local/localtest"
)

// All that only the deployed stack can show. Its pages are read by several tabs at once.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	stack := serveStack(t)
	stack.row("failing", "db.core.a", "Sent", 2)
	failed := stack.executeFailing("failing", "db.core.a") // first: any other execution would fail meanwhile
	for name, play := range map[string]func(s servedStack, b *tab){
		"a run updates": runUpdates,
		"a failed execution shows its cause": func(_ servedStack, b *tab) {
			failedExecutionShowsCause(b, failed)
		},
		"an execution shows the paths inside a Map": executionShowsPathsInsideMap,
		"rejected messages are replayed":            rejectedMessagesAreReplayed,
		"pages work without JavaScript":             pagesWorkWithoutJavaScript,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(servedStack{t, stack.Stack, stack.address}, newTab(t, stack.address))
		})
	}
}

func runUpdates(s servedStack, b *tab) {
	b.open("/")
	b.until("the list is live", live)
	s.row("moving", "db.core.a", "Sent", 2)
	s.send(fileMessage("moving", "db.core.a", 1))
	b.untilText("#runs", "moving")
	b.open("/run?id=moving")
	b.untilText("#head dd", "1 of 2")
	b.until("it is live", live)
	b.until("the chart is drawn", `document.querySelector("#chart canvas")`)
	b.run(`window.sameDocument = true`)
	s.send(fileMessage("moving", "db.core.a", 2))
	b.untilText("#head dd", "2 of 2")
	b.untilText("#findings", "_success file")
	b.untilText("#rows", "Received")
	if !evaluate[bool](b, `!!window.sameDocument`) {
		s.Error("the page was loaded again")
	}
	b.open("/collection?run=moving&name=db.core.a")
	b.until("its files are listed", `document.querySelectorAll("#filelist tbody tr").length === 2`)
}

func failedExecutionShowsCause(b *tab, failed string) {
	b.open("/executions?run=failing")
	b.untilText("main", "FAILED")
	b.open("/execution?id=" + url.QueryEscape(failed))
	b.untilText("#failure", "missing")
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
func executionShowsPathsInsideMap(s servedStack, b *tab) {
	s.row("ways", "db.core.one", "Sent", 2)
	s.PutRow(s.T, "ways", "db.core.two", "Sent", localtest.Text("one"))
	execution := s.execute(`{"reconcile": [{"correlation_id": "ways", "collection_name": "db.core.one"},
		{"correlation_id": "ways", "collection_name": "db.core.two"}]}`)
	b.open("/execution?id=" + url.QueryEscape(execution))
	for _, state := range []string{"Check Collection", "Collection Incomplete", "Left to the Sweep"} {
		b.until(state+" was entered", `document.querySelector('#graph .node.entered[data-state="`+state+`"]')`)
	}
	if edges := evaluate[int](b, `document.querySelectorAll("#graph path.entered:not(.tip)").length`); edges != 4 {
		s.Errorf("%d edges, want one to the Map, and inside it two of one collection and one of the other", edges)
	}
	if evaluate[int](b, `document.querySelectorAll(
		'#graph .node.entered[data-state="Check All Collections"], #graph .node.failed').length`) != 0 {
		s.Error("a state is marked that was not entered, or did not fail")
	}
	b.click(`#graph .node[data-state="Check Collection"]`)
	b.until("the steps of both are shown, with their results", `(() => {
		const text = [...document.querySelectorAll(".step")].filter(s => !s.hidden).map(s => s.innerText).join();
		return ["item 0 of Reconcile Each Collection", "item 1 of Reconcile Each Collection", "COLLECTION_INCOMPLETE",
			"Malformed"].every(s => text.includes(s)); })()`)
}

func rejectedMessagesAreReplayed(s servedStack, b *tab) {
	s.row("replayed", "db.core.known", "Sent", 2)
	s.execute(fileMessage("replayed", "db.core.known", 1))
	s.execute(fileMessage("replayed", "db.core.late", 1)) // rejected: there is no row yet
	s.execute(fileMessage("replayed", "db.core.later", 1))
	s.execute(fileMessage("replayed", "db.core.later", 2))
	b.open("/rejected?run=replayed")
	b.untilText(".message", "UNKNOWN_COLLECTION")
	s.row("replayed", "db.core.late", "Sent", 2)
	b.click(".message form button")
	b.untilText("body", "1 of 1 replayed.")
	b.open("/run?id=replayed")
	b.untilText("#head dd", "2 of 4")
	s.row("replayed", "db.core.later", "Sent", 2)
	b.disableScripts()
	b.open("/rejected?run=replayed")
	b.until("both are listed", `document.querySelectorAll(".message").length === 2`)
	b.click(".tabs form button")
	b.untilText("h1", "Replay 2 messages?")
	b.click("main form button")
	b.untilText("body", "2 of 2 replayed.")
}

func pagesWorkWithoutJavaScript(s servedStack, b *tab) {
	s.row("still", "db.core.a", "Sent", 2)
	s.execute(fileMessage("still", "db.core.a", 1))
	b.disableScripts()
	for path, want := range map[string]string{
		"/":                                    "still",
		"/run?id=still":                        "1 collection waits for files: 1 of 2",
		"/collection?run=still&name=db.core.a": "2026-11-22/db.core.a-00001.txt.gz.enc",
		"/progress?id=still":                   "Files over time",
		"/executions?run=still":                "SUCCEEDED",
	} {
		// Another test may have had the page read before.
		localtest.Await(s.T, path+" shows "+want, func() bool {
			b.open(path)
			return evaluate[bool](b, "document.querySelector('main').innerText.includes(`"+want+"`)")
		})
		if evaluate[int](b, `document.querySelectorAll("#graph svg, #chart canvas").length`) != 0 {
			s.Error("a script ran")
		}
	}
}
