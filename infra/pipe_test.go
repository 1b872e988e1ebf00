package main

import (
	"strings"
	"testing"

	"snapshot-status-checker/statemachine"
)

// The array of SQS records reaches the state machine as it is: no input template, no filter.
func TestFileReceivedPipe(t *testing.T) {
	t.Parallel()
	properties := func(batchSize, window float64, invocation string) map[string]any {
		return map[string]any{
			"Description": "Messages of received files to the status checker",
			"RoleArn":     "${FileReceivedPipeRole.Arn}",
			"Source":      "${QueuesFileReceived.Arn}",
			"SourceParameters": map[string]any{"SqsQueueParameters": map[string]any{
				"BatchSize": batchSize, "MaximumBatchingWindowInSeconds": window}},
			"Target": "${WorkflowStateMachine}",
			"TargetParameters": map[string]any{"StepFunctionStateMachineParameters": map[string]any{
				"InvocationType": invocation}},
			"LogConfiguration": map[string]any{"Level": "ERROR", "CloudwatchLogsLogDestination": map[string]any{
				"LogGroupArn": "${FileReceivedPipeLogs.Arn}"}},
		}
	}
	compare(t, properties(1, 0, "FIRE_AND_FORGET"), byDefault().ofType("AWS::Pipes::Pipe")["FileReceivedPipe"])
	compare(t, properties(20, 5, "REQUEST_RESPONSE"), express().ofType("AWS::Pipes::Pipe")["FileReceivedPipe"])
}

// The stream's records reach the state machine as they are, but only those that one of the filters passes. With EXPRESS
// too the pipe does not wait for an execution's end, or the changes of a shard would be reconciled one batch after
// another.
func TestStatusChangedPipe(t *testing.T) {
	t.Parallel()
	properties := func(exempt ...string) map[string]any {
		var filters []any
		for _, pattern := range statemachine.StreamFilters(exempt) {
			filters = append(filters, map[string]any{"Pattern": pattern})
		}
		return map[string]any{
			"Description": "Changes of status to the status checker",
			"RoleArn":     "${StatusChangedPipeRole.Arn}",
			"Source":      "${TablesExportStatus.StreamArn}",
			"SourceParameters": map[string]any{
				"FilterCriteria": map[string]any{"Filters": filters},
				"DynamoDBStreamParameters": map[string]any{
					"StartingPosition": "LATEST", "BatchSize": 10.0, "MaximumBatchingWindowInSeconds": 1.0,
					"MaximumRetryAttempts": 5.0, "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
					"DeadLetterConfig": map[string]any{"Arn": "${StatusChangedPipeDeadLetters.Arn}"},
				}},
			"Target": "${WorkflowStateMachine}",
			"TargetParameters": map[string]any{"StepFunctionStateMachineParameters": map[string]any{
				"InvocationType": "FIRE_AND_FORGET"}},
			"LogConfiguration": map[string]any{"Level": "ERROR", "CloudwatchLogsLogDestination": map[string]any{
				"LogGroupArn": "${StatusChangedPipeLogs.Arn}"}},
		}
	}
	compare(t, properties(), byDefault().ofType("AWS::Pipes::Pipe")["StatusChangedPipe"])
	compare(t, properties("Table_Unavailable", "Blocked_Topic"),
		express().ofType("AWS::Pipes::Pipe")["StatusChangedPipe"])
}

func TestFiltersFitIntoAPipe(t *testing.T) {
	t.Parallel()
	statuses := strings.Split(strings.Repeat("Blocked_Topic,", statemachine.MaxExemptStatuses-1)+"Export_Failed", ",")
	if filters := statemachine.StreamFilters(statuses); len(filters) > statemachine.MaxFilters {
		t.Errorf("the most exempt statuses make %d filters, more than the %d that a pipe takes", len(filters),
			statemachine.MaxFilters)
	}
}

// Pipes and Scheduler use their role as soon as they are made, so its rights come first.
func TestRightsComeFirst(t *testing.T) {
	t.Parallel()
	made := 0
	for id, r := range byDefault().Resources {
		if r.Type != "AWS::Pipes::Pipe" && r.Type != "AWS::Scheduler::Schedule" {
			continue
		}
		made++
		if !strings.Contains(strings.Join(r.DependsOn, " "), short(id)+"RoleDefaultPolicy") {
			t.Errorf("%s may be made before its role has its rights: %v", id, r.DependsOn)
		}
	}
	if made != 3 {
		t.Errorf("%d pipes and schedules", made)
	}
}
