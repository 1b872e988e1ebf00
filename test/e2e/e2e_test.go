package e2e

import (
	"flag"
	"net/http/httptest"
	"testing"

	"snapshot-status-checker/local/localtest"
)

// proxied is between the functions and the engine. All stacks share it.
var proxied = newProxy()

func TestMain(m *testing.M) {
	// The scenarios mostly wait, so many can run concurrently.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	server := httptest.NewServer(proxied)
	// Retries of the state machine wait a tenth of their time.
	localtest.Main(m, "AWS_ENDPOINT_URL="+server.URL, "SFN_WAIT_SCALE=0.1")
}

// TestStacks plays all scenarios on a stack of each workflow type. (The tests of statemachine and operator/command have
// stacks with batches of 1.)
func TestStacks(t *testing.T) {
	t.Cleanup(func() {
		if n := proxied.transactions.Load(); n > 0 {
			t.Errorf("%d transactions, which conflict with other writers of the export status table", n)
		}
	})
	standard := deploy(t, "workflowType=STANDARD", "batchSize=10")
	express := deploy(t, "workflowType=EXPRESS", "batchSize=10", "environment=express-e2e")
	both := map[string]*system{"STANDARD": standard, "EXPRESS": express}
	// These count or break the calls of all, so they are played one after the other. Exact counts come first: each
	// process of a function registers a run that is new to it, and only the pipes make the engine start several.
	for workflow, s := range both {
		t.Run(workflow+" costs", func(t *testing.T) { costs(t, s) })
	}
	t.Run("an envelope of more collections than a history holds", func(t *testing.T) { manyCollections(t, standard) })
	for workflow, s := range both {
		for _, scenario := range alone {
			t.Run(workflow+" "+scenario.name, func(t *testing.T) { scenario.play(t, s) })
		}
	}
	t.Run("concurrently", func(t *testing.T) {
		for workflow, s := range both { // each scenario with a run of its own
			s.wantEnginesPollerStopped(t)
			s.stack.StartPipes(t)
			for _, scenario := range scenarios {
				t.Run(workflow+" "+scenario.name, func(t *testing.T) {
					t.Parallel()
					scenario.play(t, s)
				})
			}
		}
	})
}

// alone are scenarios that start the pipes themselves.
var alone = []struct {
	name string
	play func(*testing.T, *system)
}{
	{"batches through the pipe count each message once", batchesThroughThePipe},
	{"uncounted messages are not lost", uncountedMessages},
	{"lost answers repeat nothing", lostAnswers},
}

var scenarios = []struct {
	name string
	play func(*testing.T, *system)
}{
	{"a new export sends everything again", newExport}, // the longest one first
	{"a whole run in all formats becomes Success", wholeRun},
	{"forty collections that finish at once notify once", fortyAtOnce},
	{"one identity counts once", oneIdentityManyTimes},
	{"bad messages are rejected one by one", badMessages},
	{"messages of a broken row count once when they are replayed", brokenRow},
	{"attributes and rows of others stay unchanged", rowsOfOthers},
	{"changes by the sender are followed", changesBySender},
	{"removed rows are not waited for", rowsRemoved},
	{"the sweep finds a collection that completes without an event", completeWithoutAnEvent},
	{"a run that is not finished in time is alerted", lateRun},
}
