package e2e_test

import (
	"flag"
	"os"
	"testing"

	"snapshot-status-checker/local/localtest"
)

func TestMain(m *testing.M) {
	os.Setenv("SFN_WAIT_SCALE", "0.1") // the engine's: retries wait a tenth of their time
	// The scenarios mostly wait, so that more of them than there are processors go well side by side.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	localtest.Main(m)
}

// The configurations on which the scenarios are played. Between them, hotpath's stacks and these run every workflow
// type with batches of 1, 10 and 100.
var configurations = []struct {
	name     string
	settings []string
}{
	{"STANDARD in batches of 1", []string{"workflowType=STANDARD", "batchSize=1"}},
	{"EXPRESS in batches of 10", []string{"workflowType=EXPRESS", "batchSize=10", "environment=express-e2e"}},
}

// TestScenarios plays the scenarios side by side on each of the deployed stacks, each with a run of its own.
func TestScenarios(t *testing.T) {
	for _, configuration := range configurations {
		t.Run(configuration.name, func(t *testing.T) {
			t.Parallel()
			s := deploy(t, configuration.settings...)
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
	{"a whole run", wholeRun},
	{"forty collections finish at once", fortyAtOnce},
	{"a run of more than one page", manyPages},
	{"names that no message group may carry", oddNames},
	{"started by hand", byHand},
	{"a request to reconcile by hand", reconcileByHand},
	{"malformed requests to reconcile", malformedReconcile},
	{"requests of other versions", otherRequests},

	{"one identity many times", oneIdentityManyTimes},
	{"one identity with two contents", oneIdentityTwoContents},
	{"bad messages, each by itself", badMessages},
	{"bad records among good ones", badRecords},
	{"unknown collections", unknownCollections},
	{"a message too large for the queue", tooLarge},
	{"counting fails for good", countingFails},
	{"counting fails for one of an envelope", countingFailsForOne},

	{"rows in their own case", rowsInTheirOwnCase},
	{"rows of others", rowsOfOthers},
	{"unset values", unsetValues},
	{"a success file that comes too early", earlySuccessFile},
	{"statuses that block", blockingStatuses},
	{"Sent is written after the last receipt", sentWrittenLast},
	{"Sent is written over Received and Success", sentWrittenOver},
	{"somebody else writes Received", receivedByOthers},
	{"a success file that comes before Sent", successBeforeSent},
	{"counters are set back", countersSetBack},
	{"a row is replaced", rowReplaced},
	{"more received than sent", moreReceivedThanSent},
	{"late files", lateFiles},
	{"complete without an event", completeWithoutAnEvent},
	{"a row is removed before monitoring is notified", rowRemovedBefore},
	{"a row is removed after monitoring was notified", rowRemovedAfter},
	{"another collection is exported again after a row was removed", exportedAgainAfterRemoval},
	{"a row of which others counted is removed", removedAfterOthersCounted},
	{"a run id is used again", runIDUsedAgain},
	{"collections are added later", collectionsAddedLater},

	{"metrics of a run", metricsOfARun},
}
