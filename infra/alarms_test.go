package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What each alarm reads and when it goes off. runbook_test.go tests its text and its section of the runbook.
func TestAlarmsReadTheListedMetrics(t *testing.T) {
	t.Parallel()
	t.Run("ByDefault", func(t *testing.T) {
		t.Parallel()
		compare(t, expectedAlarms(), alarmsOf(t, byDefault(), nil))
	})
	t.Run("WithTopic", func(t *testing.T) {
		t.Parallel()
		hourly := expectedAlarms() // the sweep is called once an hour, and 3 times in a row are 36 periods
		hourly["SweepMissing"] = strings.Replace(hourly["SweepMissing"], "3 x", "36 x", 1)
		hourly["MessagePending"] = strings.Replace(hourly["MessagePending"], ">= 840", ">= 7500", 1)
		hourly["RunLate"] = strings.Replace(hourly["RunStalled"], "StalledRuns", "LateRuns", 1)
		for _, id := range []string{"MessagePending", "PipesStopped", "RunStalled", "RunLate"} {
			hourly[id] = strings.Replace(hourly[id], "snapshot-sender-status-checker dev", "checker prod", 1)
		}
		compare(t, hourly, alarmsOf(t, express(), []any{testAlarmTopic}))
	})
	t.Run("Adopting", func(t *testing.T) {
		t.Parallel()
		adopted := expectedAlarms()
		for id := range adopted { // existing queues have their own dead-letter queues
			if strings.HasPrefix(id, "FileReceivedDeadLetters") || strings.HasPrefix(id, "ExportStateDeadLetters") {
				delete(adopted, id)
			}
			adopted[id] = strings.NewReplacer("${QueuesFileReceived.QueueName}", "files",
				"${QueuesExportState.QueueName}", "export-state.fifo",
				"${TablesExportStatus}", "UCExportToCrownStatus", "${MonitoringTopic.TopicName}",
				"monitoring").Replace(adopted[id])
		}
		maps.DeleteFunc(adopted, func(_, text string) bool { return text == "" })
		compare(t, adopted, alarmsOf(t, adopting(), nil))
	})
	t.Run("WithoutStream", func(t *testing.T) {
		t.Parallel()
		without := expectedAlarms()
		maps.DeleteFunc(without, func(id, _ string) bool { return strings.HasPrefix(id, "StatusChanged") })
		compare(t, slices.Sorted(maps.Keys(without)), slices.Sorted(maps.Keys(alarmsOf(t, withoutStream(), nil))))
	})
}

// expectedAlarms are those of the stack without any setting.
func expectedAlarms() map[string]string {
	const once, thrice = ", 1 x 300 s, notBreaching", ", 3 x 300 s, notBreaching"
	queue := func(name, metric string) string {
		return fmt.Sprintf("AWS/SQS %s [${%s.QueueName}] Maximum", metric, name)
	}
	visible := func(name string) string {
		return queue(name, "ApproximateNumberOfMessagesVisible") + " >= 1" + once
	}
	age := func(name string, seconds int) string {
		return fmt.Sprint(queue(name, "ApproximateAgeOfOldestMessage"), " >= ", seconds, thrice)
	}
	const day = 24 * 60 * 60
	all := map[string]string{
		"RunStalled": "SnapshotStatusChecker StalledRuns [snapshot-sender-status-checker dev] Maximum " +
			">= 1, 1 x 300 s, ignore",
		"MessagePending": "SnapshotStatusChecker OldestPendingAge [snapshot-sender-status-checker dev] " +
			"Maximum >= 840, 1 x 300 s, ignore",
		"NotificationNotDelivered": "AWS/SNS NumberOfNotificationsFailed [${MonitoringTopic.TopicName}] Sum >= 1" +
			once,
		"PipesStopped": "SnapshotStatusChecker StoppedPipes [snapshot-sender-status-checker dev] " +
			"Maximum >= 1, 1 x 300 s, ignore",
		"SweepMissing": "AWS/Lambda Invocations [${SweepFunction}] Sum < 1, 3 x 300 s, breaching",

		"ExecutionsFailed":    "AWS/States ExecutionsFailed [${WorkflowStateMachine}] Sum >= 1" + once,
		"ExecutionsTimedOut":  "AWS/States ExecutionsTimedOut [${WorkflowStateMachine}] Sum >= 1" + once,
		"ExecutionsThrottled": "AWS/States ExecutionThrottled [${WorkflowStateMachine}] Sum >= 1" + thrice,

		"FileReceivedAge":               age("QueuesFileReceived", 15*60),
		"ExportStateAge":                age("QueuesExportState", 60*60),
		"RejectedMessages":              visible("QueuesRejectedMessages"),
		"FileReceivedDeadLetters":       visible("QueuesFileReceivedDeadLetters"),
		"ExportStateDeadLetters":        visible("QueuesExportStateDeadLetters"),
		"StatusChangedDeadLetters":      visible("StatusChangedPipeDeadLetters"),
		"RejectedMessagesExpire":        age("QueuesRejectedMessages", 11*day),
		"FileReceivedDeadLettersExpire": age("QueuesFileReceivedDeadLetters", 8*day),
		"ExportStateDeadLettersExpire":  age("QueuesExportStateDeadLetters", 8*day),

		"LedgerReadsThrottled":        "AWS/DynamoDB ReadThrottleEvents [${TablesLedger}] Sum >= 1" + thrice,
		"LedgerWritesThrottled":       "AWS/DynamoDB WriteThrottleEvents [${TablesLedger}] Sum >= 1" + thrice,
		"ExportStatusReadsThrottled":  "AWS/DynamoDB ReadThrottleEvents [${TablesExportStatus}] Sum >= 1" + thrice,
		"ExportStatusWritesThrottled": "AWS/DynamoDB WriteThrottleEvents [${TablesExportStatus}] Sum >= 1" + thrice,
		"ExportStatusConflicts":       "AWS/DynamoDB TransactionConflict [${TablesExportStatus}] Sum >= 1" + once,
	}
	for _, pipe := range []string{"FileReceivedPipe", "StatusChangedPipe"} {
		all[pipe+"Failed"] = "AWS/EventBridge/Pipes ExecutionFailed [${" + pipe + "}] Sum >= 1" + once
		all[pipe+"Throttled"] = "AWS/EventBridge/Pipes ExecutionThrottled [${" + pipe + "}] Sum >= 1" + thrice
	}
	for _, name := range []string{"Increment", "CheckCollection", "CheckAll", "Notify", "Sweep"} {
		id, milliseconds, periods := "Functions"+name, "24000", thrice
		if name == "Sweep" {
			id, milliseconds, periods = name, "96000", once
		}
		all[name+"Errors"] = "AWS/Lambda Errors [${" + id + "Function}] Sum >= 1" + periods
		all[name+"Throttled"] = "AWS/Lambda Throttles [${" + id + "Function}] Sum >= 1" + periods
		all[name+"Slow"] = "AWS/Lambda Duration [${" + id + "Function}] Maximum >= " + milliseconds + periods
	}
	return all
}

// alarmsOf writes each alarm as one line: metric, the values of its dimensions, statistic, threshold, periods, and how
// it treats missing data. All alarms have the same actions.
func alarmsOf(t *testing.T, made template, actions any) map[string]string {
	t.Helper()
	found := map[string]string{}
	for id, p := range made.ofType("AWS::CloudWatch::Alarm") {
		id = strings.TrimPrefix(id, "Alarms")
		metric := readMetric(p, p["Statistic"])
		var values []string
		for _, dimension := range slices.Sorted(maps.Keys(metric.dimensions)) {
			values = append(values, metric.dimensions[dimension])
		}
		operator := map[any]string{"GreaterThanOrEqualToThreshold": ">=",
			"LessThanThreshold": "<"}[p["ComparisonOperator"]]
		found[id] = fmt.Sprintf("%s %s %v %s %s %.0f, %v x %v s, %s", metric.namespace, metric.name, values,
			metric.statistic, operator, p["Threshold"], p["EvaluationPeriods"], p["Period"], p["TreatMissingData"])
		if got := p["AlarmActions"]; fmt.Sprint(got) != fmt.Sprint(actions) {
			t.Errorf("%s notifies %v, not %v", id, got, actions)
		}
		if name, _ := p["AlarmName"].(string); !strings.HasSuffix(name, "-"+id) || len(name) > 255 {
			t.Errorf("%s has the name %q", id, name)
		}
	}
	return found
}
