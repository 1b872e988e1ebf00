package doctor

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/statemachine"
)

func TestSameDefinition(t *testing.T) {
	t.Parallel()
	deployed := strings.NewReplacer("${IncrementFunctionArn}", "arn:aws:lambda:eu-west-1:1:function:a", "${WorkflowType}", "EXPRESS").Replace(statemachine.Definition)
	if !sameDefinition(statemachine.Definition, deployed+"\n") {
		t.Error("the deployed definition is taken for another")
	}
	if sameDefinition(statemachine.Definition, strings.Replace(deployed, `"TimeoutSeconds": `, `"TimeoutSeconds": 1`, 1)) {
		t.Error("another definition is taken for the same")
	}
}

func TestJudgeAlarms(t *testing.T) {
	t.Parallel()
	var made []resource
	for _, name := range []string{"good", "silent", "off", "raised", "gone"} {
		made = append(made, resource{physical: name})
	}
	alarm := func(name, action string, enabled bool, state types.StateValue) types.MetricAlarm {
		a := types.MetricAlarm{AlarmName: &name, ActionsEnabled: &enabled, StateValue: state}
		if action != "" {
			a.AlarmActions = []string{action}
		}
		return a
	}
	got := judgeAlarms(made, []types.MetricAlarm{
		alarm("good", "arn", true, types.StateValueOk), alarm("silent", "", true, types.StateValueOk), alarm("off", "arn", false, types.StateValueOk),
		alarm("raised", "arn", true, types.StateValueAlarm),
	})
	want := []Diagnosis{
		{Level: Error, Says: "1 of 5 are gone", Cure: "deploy again: gone"},
		{Level: Warning, Says: "1 of 5 tell nobody", Cure: "deploy with -c alarmTopicArn=…"},
		{Level: Warning, Says: "1 of 5 have their actions switched off", Cure: "aws cloudwatch enable-alarm-actions --alarm-names off"},
		{Level: Warning, Says: "1 of 5 are raised", Cure: "docs/runbook.md has an entry for each: raised"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is gone is an error; what the caller may not read, or could not, is not.
func TestFailed(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]Level{
		"ResourceNotFoundException": Error, "AWS.SimpleQueueService.NonExistentQueue": Error, "QueueDoesNotExist": Error, "StateMachineDoesNotExist": Error,
		"NotFoundException": Error, "AccessDeniedException": Unknown, "AuthorizationError": Unknown, "ThrottlingException": Unknown,
	} {
		if got := failed("it", &smithy.GenericAPIError{Code: code, Message: "why"}); got.Level != want || !strings.Contains(got.Says, "why") {
			t.Errorf("%s: %+v", code, got)
		}
	}
	if got := failed("it", errors.New("no connection")); got.Level != Unknown || got.Says != "cannot tell: no connection" {
		t.Errorf("got %+v", got)
	}
}
