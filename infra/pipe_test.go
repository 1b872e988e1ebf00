package main

import (
	"strings"
	"testing"

	"snapshot-status-checker/statemachine"
)

// The array of SQS records reaches the state machine unchanged: no input template, no filter.
func TestFileReceivedPipePassesRecordsUnchanged(t *testing.T) {
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

// The stream's records reach the state machine unchanged if a filter passes them. The pipe does not wait for the end of
// an execution, with EXPRESS neither: else the changes of a shard would be reconciled one batch after another.
func TestStatusChangedPipeFiltersAndDoesNotWait(t *testing.T) {
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
		t.Errorf("the most exempt statuses make %d filters, a pipe takes %d", len(filters), statemachine.MaxFilters)
	}
}

// Pipes and Scheduler use their role on creation.
func TestRoleHasItsRightsBeforePipeAndSchedule(t *testing.T) {
	t.Parallel()
	made := 0
	for id, r := range byDefault().Resources {
		if r.Type != "AWS::Pipes::Pipe" && r.Type != "AWS::Scheduler::Schedule" {
			continue
		}
		made++
		if !strings.Contains(strings.Join(r.DependsOn, " "), short(id)+"RoleDefaultPolicy") {
			t.Errorf("%s may be made before the rights of its role: %v", id, r.DependsOn)
		}
	}
	if made != 3 {
		t.Errorf("%d pipes and schedules", made)
	}
}

func TestScheduleFollowsTheSetting(t *testing.T) {
	t.Parallel()
	schedule := func(name, rate string) map[string]map[string]any {
		return map[string]map[string]any{"SweepSchedule": {
			"Name": name, "Description": "Reconciles open runs", "ScheduleExpression": rate,
			"FlexibleTimeWindow": map[string]any{"Mode": "OFF"},
			"Target": map[string]any{
				"Arn": "${SweepFunction.Arn}", "RoleArn": "${SweepScheduleRole.Arn}",
				"Input":       `{"execution_id":"<aws.scheduler.execution-id>"}`,
				"RetryPolicy": map[string]any{"MaximumEventAgeInSeconds": 120.0, "MaximumRetryAttempts": 1.0},
			},
		}}
	}
	compare(t, schedule("snapshot-sender-status-checker-dev-sweep", "rate(2 minutes)"),
		byDefault().ofType("AWS::Scheduler::Schedule"))
	compare(t, schedule("checker-prod-sweep", "rate(60 minutes)"), express().ofType("AWS::Scheduler::Schedule"))
	compare(t, "rate(1 minute)", rate(1))
}

// Lambda drops a call that it could not run: the next sweep does its work.
func TestSweepCallsAreDroppedEarly(t *testing.T) {
	t.Parallel()
	compare(t, map[string]map[string]any{"SweepFunctionEventInvokeConfig": {
		"FunctionName": "${SweepFunction}", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 120.0,
		"MaximumRetryAttempts": 1.0,
	}}, byDefault().ofType("AWS::Lambda::EventInvokeConfig"))
}
