package main

import (
	"encoding/json"
	"testing"

	"snapshot-status-checker/statemachine"
)

// An event of the definition holds the batch and its own execution.
func TestEventFollowsTheDefinition(t *testing.T) {
	t.Parallel()
	function, payload, err := firstTask(statemachine.Definition)
	if err != nil || function != "${IncrementFunctionArn}" {
		t.Fatal(function, err)
	}
	got, err := caller{payload: payload}.eventFor([]string{"a", "b"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Execution string `json:"execution_id"`
		Event     []struct{ MessageID, Body, EventSource string }
	}
	if err := json.Unmarshal(got, &event); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if event.Execution != "arn:aws:states:eu-west-1:123456789012:execution:bench:00000000000000000000000000000007" ||
		len(event.Event) != 2 || event.Event[1].Body != "b" || event.Event[1].EventSource != "aws:sqs" ||
		event.Event[1].MessageID != "00000007-0000-4000-8000-000000000001" {
		t.Errorf("got %s", got)
	}
	if _, _, err := firstTask(`{"States":{"A":{"Type":"Task","Arguments":{"Payload":{"n":"{% 1 %}"}}}}}`); err == nil {
		t.Error("no error where the payload has an unknown expression")
	}
}
