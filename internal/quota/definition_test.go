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
		Type    string
		Default string
		Next    string
		Retry   []struct {
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
	choice := definition.States[definition.StartAt]
	increment := definition.States[choice.Default]
	looks := definition.States[increment.Next]
	if choice.Type != "Choice" || increment.Type != "Task" || looks.Type != "Map" || statesBefore+statesAfter != 3 {
		t.Errorf("a receipt goes through %s, %s and %s: %d states before, %d after the call", choice.Type, increment.Type, looks.Type, statesBefore, statesAfter)
	}
	if looks.MaxConcurrency != mapLooks {
		t.Errorf("%d looks side by side, the model has %d", looks.MaxConcurrency, mapLooks)
	}
	retry := increment.Retry[len(increment.Retry)-1]
	if retry.IntervalSeconds != 1 || retry.BackoffRate != 2 || retry.MaxDelaySeconds != longestPause || retry.MaxAttempts != retries || retry.JitterStrategy != "FULL" {
		t.Errorf("increment is retried with %+v, the model has %d retries of at most %v s", retry, retries, longestPause)
	}
}
