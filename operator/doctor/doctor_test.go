package doctor

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/statemachine"
)

func TestSameDefinition(t *testing.T) {
	t.Parallel()
	deployed := strings.NewReplacer("${IncrementFunctionArn}", "arn:aws:lambda:eu-west-1:1:function:a",
		"${WorkflowType}", "EXPRESS").Replace(statemachine.Definition)
	if sameDefinition(ofType(sfntypes.StateMachineTypeStandard), deployed) {
		t.Error("the definition of another type is taken for the same")
	}
	if !sameDefinition(ofType(sfntypes.StateMachineTypeExpress), deployed+"\n") {
		t.Error("the deployed definition is taken for another")
	}
	if sameDefinition(statemachine.Definition, strings.Replace(deployed, `"TimeoutSeconds": `, `"TimeoutSeconds": 1`,
		1)) {
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
		alarm("good", "arn", true, types.StateValueOk), alarm("silent", "", true, types.StateValueOk),
		alarm("off", "arn", false, types.StateValueOk),
		alarm("raised", "arn", true, types.StateValueAlarm),
	}, "aws --region=eu-west-1")
	want := problems{
		{Level: Error, Sentence: "1 of 5 do not exist", Fix: "deploy again: gone"},
		{Level: Warning, Sentence: "1 of 5 have no action", Fix: "deploy with -c alarmTopicArn=…"},
		{Level: Warning, Sentence: "1 of 5 have their actions disabled",
			Fix: "aws --region=eu-west-1 cloudwatch enable-alarm-actions --alarm-names off"},
		{Level: Warning, Sentence: "1 of 5 are in state ALARM", Fix: "docs/runbook.md has an entry for each: raised"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is gone is an error; what the caller may not read, or could not, is not.
func TestFailed(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]Level{
		"ResourceNotFoundException": Error, "AWS.SimpleQueueService.NonExistentQueue": Error,
		"QueueDoesNotExist": Error, "StateMachineDoesNotExist": Error,
		"NotFoundException": Error, "NoSuchEntity": Error, "AccessDenied": Unknown, "AccessDeniedException": Unknown,
		"AuthorizationError": Unknown, "ThrottlingException": Unknown,
	} {
		if got := failed("it", &smithy.GenericAPIError{Code: code, Message: "why"}); got.Level != want ||
			!strings.Contains(got.Sentence, "why") {
			t.Errorf("%s: %+v", code, got)
		}
	}
	if got := failed("it", errors.New("no connection")); got.Level != Unknown ||
		got.Sentence != "not checked: no connection" {
		t.Errorf("got %+v", got)
	}
}

// gathers is the pipe from the source queue, with such batches.
func gathers(seconds, messages int32) pipe {
	return pipe{DescribePipeOutput: &pipes.DescribePipeOutput{SourceParameters: &pipestypes.PipeSourceParameters{
		SqsQueueParameters: &pipestypes.PipeSourceSqsQueueParameters{MaximumBatchingWindowInSeconds: &seconds,
			BatchSize: &messages}}}}
}

// A full batch of the source queue's largest messages fits into an execution.
func TestLargestMessage(t *testing.T) {
	t.Parallel()
	for size, want := range map[int32]int{1: 128_256, 10: 12_134, 100: 1024} {
		if got := (&examination{described: []pipe{gathers(0, size)}}).largestMessage(); got != want {
			t.Errorf("batches of %d: %d bytes, want %d", size, got, want)
		}
	}
	if got := (&examination{}).largestMessage(); got < 256*1024 {
		t.Errorf("a pipe that cannot be read: %d bytes, want no limit", got)
	}
}

// Messages that are too large in a full batch are one thing, those that are too large alone another.
func TestTakesTooLarge(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]bool{12_135: false, 128_256: false, 128_257: true, 1 << 20: true} {
		if says := takesTooLarge(limit, 12_134); strings.Contains(says, "never be delivered") != want {
			t.Errorf("%d bytes: %s", limit, says)
		}
	}
}

// The pipe of changes reads the stream that the table has now.
func TestJudgeStream(t *testing.T) {
	t.Parallel()
	const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/rows"
	before, now := table+"/stream/2026-01-01T00:00:00.000", table+"/stream/2026-11-28T00:00:00.000"
	e := &examination{described: []pipe{
		{err: errors.New("not allowed")}, gathers(0, 1),
		{DescribePipeOutput: &pipes.DescribePipeOutput{Source: &before}},
	}}
	e.ExportStatusTableName = "rows"
	for latest, want := range map[string]int{before: 0, now: 1, "": 0} { // a table without a stream is another finding
		if got := e.judgeStream(latest); len(got) != want || want > 0 && !strings.HasSuffix(got[0].Fix,
			"exportStatusTableStreamArn="+now) {
			t.Errorf("%s: %+v", latest, got)
		}
	}
}

// The source queue's visibility timeout outlasts the gathering of a batch and, with EXPRESS, its execution.
func TestShortestVisibility(t *testing.T) {
	t.Parallel()
	unreadable, ofTable := pipe{err: errors.New("not allowed")}, pipe{DescribePipeOutput: &pipes.DescribePipeOutput{}}
	for _, test := range []struct {
		name, machine string
		described     []pipe
		want          int
	}{
		{"Standard", "dev", []pipe{ofTable, gathers(0, 1)}, 60},
		{"StandardGathering", "dev", []pipe{ofTable, gathers(90, 1)}, 150},
		{"ExpressGathering", "dev-express", []pipe{gathers(300, 1), ofTable}, 660},
		{"Unreadable", "dev", []pipe{unreadable}, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &examination{described: test.described}
			e.StateMachineArn = "arn:aws:states:eu-west-1:111122223333:stateMachine:" + test.machine
			if got := e.visibility(); got != test.want {
				t.Errorf("%d s, want %d", got, test.want)
			}
		})
	}
}

// Functions that enqueue messages have the lease that the deployment's type asks for.
func TestLease(t *testing.T) {
	t.Parallel()
	for machine, want := range map[string]string{"dev": "600", "dev-express": "300"} {
		e := &examination{}
		e.StateMachineArn = "arn:aws:states:eu-west-1:111122223333:stateMachine:" + machine
		for task, enqueues := range map[string]bool{"increment": false, "check-collection": true, "check-all": true,
			"notify": false, "sweep": true} {
			if got, has := e.uses()[task]["LEASE_SECONDS"]; has != enqueues || enqueues && got != want {
				t.Errorf("%s of %s: LEASE_SECONDS is %q (wanted: %t), want %s", task, machine, got, has, want)
			}
		}
	}
}
