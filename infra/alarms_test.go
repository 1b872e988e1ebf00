package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestAlarms(t *testing.T) {
	t.Parallel()
	const queue, states, lambda = "AWS/SQS", "AWS/States", "AWS/Lambda"
	wired := map[string]string{
		"AlarmsExecutionsFailed":         states + " ExecutionsFailed map[StateMachineArn:${WorkflowStateMachine}] Sum >= 1, 1 x 300 s",
		"AlarmsRejectedMessages":         queue + " ApproximateNumberOfMessagesVisible map[QueueName:${QueuesRejectedMessages.QueueName}] Maximum >= 1, 1 x 300 s",
		"AlarmsFileReceivedDeadLetters":  queue + " ApproximateNumberOfMessagesVisible map[QueueName:${QueuesFileReceivedDeadLetters.QueueName}] Maximum >= 1, 1 x 300 s",
		"AlarmsExportStateDeadLetters":   queue + " ApproximateNumberOfMessagesVisible map[QueueName:${QueuesExportStateDeadLetters.QueueName}] Maximum >= 1, 1 x 300 s",
		"AlarmsStatusChangedDeadLetters": queue + " ApproximateNumberOfMessagesVisible map[QueueName:${StatusChangedPipeDeadLetters.QueueName}] Maximum >= 1, 1 x 300 s",
		"AlarmsSweepErrors":              lambda + " Errors map[FunctionName:${SweepFunction}] Sum >= 1, 1 x 300 s",
		"AlarmsSweepMissing":             lambda + " Invocations map[FunctionName:${SweepFunction}] Sum < 1, 3 x 300 s",
		"AlarmsFileReceivedAge":          queue + " ApproximateAgeOfOldestMessage map[QueueName:${QueuesFileReceived.QueueName}] Maximum >= 900, 3 x 300 s",
	}
	t.Run("ByDefault", func(t *testing.T) {
		t.Parallel()
		compare(t, wired, wiring(t, byDefault(), nil))
	})
	t.Run("WithTopic", func(t *testing.T) {
		t.Parallel()
		hourly := maps.Clone(wired)
		hourly["AlarmsSweepMissing"] = strings.Replace(wired["AlarmsSweepMissing"], "3 x", "36 x", 1)
		compare(t, hourly, wiring(t, express(), []any{testAlarmTopic}))
	})
	t.Run("Adopting", func(t *testing.T) {
		t.Parallel()
		compare(t, map[string]string{
			"AlarmsExecutionsFailed":         wired["AlarmsExecutionsFailed"],
			"AlarmsRejectedMessages":         wired["AlarmsRejectedMessages"],
			"AlarmsStatusChangedDeadLetters": wired["AlarmsStatusChangedDeadLetters"],
			"AlarmsSweepErrors":              wired["AlarmsSweepErrors"],
			"AlarmsSweepMissing":             wired["AlarmsSweepMissing"],
			"AlarmsFileReceivedAge":          strings.Replace(wired["AlarmsFileReceivedAge"], "${QueuesFileReceived.QueueName}", "files", 1),
		}, wiring(t, adopting(), nil))
	})
}

// wiring writes each alarm as one line: metric, dimensions, statistic, threshold, periods. Whom it calls, what it
// makes of missing data (only what must always be there is missed), and that it says what to do, is the same for all.
func wiring(t *testing.T, made template, actions any) map[string]string {
	t.Helper()
	found := map[string]string{}
	for id, p := range made.ofType("AWS::CloudWatch::Alarm") {
		dimensions := map[string]any{}
		for _, dimension := range p["Dimensions"].([]any) {
			d := dimension.(map[string]any)
			dimensions[d["Name"].(string)] = d["Value"]
		}
		operator := strings.NewReplacer("GreaterThanOrEqualToThreshold", ">=", "LessThanThreshold", "<").Replace(p["ComparisonOperator"].(string))
		missing := map[string]string{">=": "notBreaching", "<": "breaching"}[operator]
		found[id] = fmt.Sprintf("%s %s %v %s %s %v, %v x %v s", p["Namespace"], p["MetricName"], dimensions, p["Statistic"], operator,
			p["Threshold"], p["EvaluationPeriods"], p["Period"])
		compare(t, any(missing), p["TreatMissingData"])
		if got, _ := p["AlarmActions"].([]any); fmt.Sprint(got) != fmt.Sprint(actions) && !(got == nil && actions == nil) {
			t.Errorf("%s calls %v, not %v", id, got, actions)
		}
		if description, _ := p["AlarmDescription"].(string); strings.Count(description, ". ") < 1 {
			t.Errorf("%s does not say what is wrong and what to do: %q", id, description)
		}
	}
	return found
}
