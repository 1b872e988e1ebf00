package quota

import (
	"encoding/json"
	"testing"

	"snapshot-status-checker/statemachine"
)

// The model tries again and gives up as the definition says, and counts its states.
func TestFollowsTheDefinition(t *testing.T) {
	t.Parallel()
	type state struct {
		Type  string
		Next  string
		Retry []struct {
			IntervalSeconds, BackoffRate, MaxDelaySeconds float64
			MaxAttempts                                   int
			JitterStrategy                                string
		}
		MaxConcurrency int
	}
	var definition struct {
		StartAt string
		States  map[string]state
	}
	if err := json.Unmarshal([]byte(statemachine.Definition), &definition); err != nil {
		t.Fatal(err)
	}
	increment := definition.States[definition.StartAt]
	reconcile := definition.States[increment.Next]
	if increment.Type != "Task" || reconcile.Type != "Map" || reconcile.Next != "" || statesBefore+statesAfter != 2 {
		t.Errorf("a receipt goes through %s and %s: %d states before, %d after the call", increment.Type,
			reconcile.Type, statesBefore, statesAfter)
	}
	if reconcile.MaxConcurrency != mapLooks {
		t.Errorf("%d collections are reconciled concurrently, the model has %d", reconcile.MaxConcurrency, mapLooks)
	}
	retry := increment.Retry[len(increment.Retry)-1]
	if retry.IntervalSeconds != 1 || retry.BackoffRate != 2 || retry.MaxDelaySeconds != longestPause ||
		retry.MaxAttempts != retries || retry.JitterStrategy != "FULL" {
		t.Errorf("increment is retried with %+v, the model has %d retries of at most %v s", retry, retries,
			longestPause)
	}
}
