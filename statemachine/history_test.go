package statemachine_test

import (
	"testing"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/statemachine"
)

const (
	largestBatch = 100    // messages: the settings allow no larger one
	maxEvents    = 25_000 // of the history of a STANDARD execution; see MaxCollections
)

// The history fits every event of the longest path through the definition, with all tries of each state.
func TestTheHistoryHoldsEveryTry(t *testing.T) {
	t.Parallel()
	for name, items := range map[string]map[string]int{
		"reconciling":      {"Reconcile Each Collection": statemachine.MaxCollections},
		"after the sweep":  {"Reconcile Each Collection": snapshot.MaxRequested},
		"rejecting":        {"Reject Uncounted Messages": largestBatch},
		"more than enough": {"Reconcile Each Collection": statemachine.MaxCollections + 10},
	} {
		const started, ended = 1, 1 // ExecutionStarted; ExecutionSucceeded or ExecutionFailed
		events := started + longestWay(t, definition(t), items) + ended
		if fits := events <= maxEvents; fits != (name != "more than enough") {
			t.Errorf("%s: %v items make %d events, the history holds %d", name, items, events, maxEvents)
		}
	}
}

// longestWay is the maximum of a machine's events, by the number of items of each Map. The types are those of
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html.
func longestWay(t *testing.T, m statemachine.Machine, items map[string]int) int {
	t.Helper()
	known := map[string]int{}
	var from func(name string) int
	from = func(name string) int {
		if most, ok := known[name]; ok {
			return most
		}
		known[name] = maxEvents + 1 // a way that leads back to itself fits into no history
		s, longest := m.States[name], 0
		for _, way := range s.Ways() {
			longest = max(longest, from(way.To))
		}
		known[name] = stateEvents(t, name, s, items) + longest
		return known[name]
	}
	return from(m.StartAt)
}

// stateEvents is the maximum of a state's events.
func stateEvents(t *testing.T, name string, s statemachine.State, items map[string]int) int {
	t.Helper()
	switch s.Type {
	case "Task":
		tries := 1
		for _, retrier := range s.Retry {
			tries += retrier.MaxAttempts
		}
		// TaskStateEntered; for each try TaskScheduled, TaskStarted, and TaskSucceeded, TaskFailed or TaskTimedOut;
		// after a failure that is caught, too: TaskStateExited.
		return 1 + 3*tries + 1
	case "Choice", "Pass", "Succeed":
		return 2 // such as ChoiceStateEntered, ChoiceStateExited
	case "Fail":
		return 1 // FailStateEntered
	case "Map":
		// MapStateEntered, MapStateStarted; for each item MapIterationStarted, and MapIterationSucceeded or
		// MapIterationFailed; MapStateSucceeded or MapStateFailed, MapStateExited.
		return 2 + items[name]*(2+longestWay(t, *s.ItemProcessor, items)) + 2
	}
	t.Errorf("%s: how many events does a state of type %q make?", name, s.Type)
	return 0
}
