package e2e_test

import (
	"flag"
	"os"
	"testing"

	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.1") // the engine's: retries wait a tenth of their time
	// The scenarios mostly wait, so many can run concurrently.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	localtest.Main(m)
}

// Together with hotpath's stacks these run both workflow types with batches of 1, 10 and 100.
var configurations = []struct {
	name     string
	settings []string
}{
	{"STANDARD in batches of 1", []string{"workflowType=STANDARD", "batchSize=1"}},
	{"EXPRESS in batches of 10", []string{"workflowType=EXPRESS", "batchSize=10", "environment=express-e2e"}},
}

// TestScenarios plays all scenarios concurrently on each stack, each with a run of its own.
func TestScenarios(t *testing.T) {
	for _, configuration := range configurations {
		t.Run(configuration.name, func(t *testing.T) {
			t.Parallel()
			s := deploy(t, configuration.settings...)
			s.wantEnginesPollerStopped(t)
			s.stack.StartPipes(t)
			for _, scenario := range scenarios {
				t.Run(scenario.name, func(t *testing.T) {
					t.Parallel()
					scenario.play(t, s)
				})
			}
		})
	}
}

var scenarios = []struct {
	name string
	play func(*testing.T, *system)
}{
	// the longest ones first
	{"a row removed before the notifications is not waited for", rowRemovedBefore},
	{"rows removed after the notifications send nothing", rowsRemovedAfter},
	{"a run id can be used again", runIDUsedAgain},
	{"a collection added later repeats the notifications", collectionsAddedLater},

	{"a whole run in all formats becomes Success", wholeRun},
	{"forty collections that finish at once notify once", fortyAtOnce},
	{"a run of several pages is read to its end", manyPages},
	{"odd names get a message group of their own", oddNames},
	{"both formats can be started by hand", byHand},
	{"a request by hand reconciles its collections", reconcileByHand},
	{"malformed requests to reconcile fail at once", malformedReconcile},
	{"requests of other versions are rejected", otherRequests},

	{"one identity counts once", oneIdentityManyTimes},
	{"one identity with two contents counts twice", oneIdentityTwoContents},
	{"bad messages are rejected one by one", badMessages},
	{"bad records do not stop good ones", badRecords},
	{"messages of unknown collections are rejected", unknownCollections},
	{"the queue refuses a message that is too large", tooLarge},
	{"uncounted messages count once when they are replayed", countingFails},
	{"a broken row does not stop its neighbours", countingFailsForOne},

	{"rows keep their case", rowsKeepTheirCase},
	{"attributes and rows of others stay unchanged", rowsOfOthers},
	{"unset values are as good as absent ones", unsetValues},
	{"an early success file takes effect later", earlySuccessFile},
	{"other statuses block the notifications", blockingStatuses},
	{"Sent after the last file moves the row", sentWrittenLast},
	{"Sent over Received and Success is repaired", sentWrittenOver},
	{"Received by the sender checks the run", receivedBySender},
	{"a success file before Sent takes effect after it", successBeforeSent},
	{"counters that are set back begin a new export", countersSetBack},
	{"a replaced row begins a new export", rowReplaced},
	{"more files than FilesSent complete a collection", moreReceivedThanSent},
	{"late files only count", lateFiles},
	{"the sweep finds a collection that completes without an event", completeWithoutAnEvent},

	{"a run that is not finished in time is alerted", lateRun},
	{"a run that was ended by hand is passed by", endedByHand},

	{"metrics count what happened", metricsOfARun},
}
