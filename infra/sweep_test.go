package main

import "testing"

func TestSchedule(t *testing.T) {
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

// A call that Lambda could not run is not kept for hours: the next sweep does its work.
func TestSweepCallsAreNotGathered(t *testing.T) {
	t.Parallel()
	compare(t, map[string]map[string]any{"SweepFunctionEventInvokeConfig": {
		"FunctionName": "${SweepFunction}", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 120.0,
		"MaximumRetryAttempts": 1.0,
	}}, byDefault().ofType("AWS::Lambda::EventInvokeConfig"))
}
