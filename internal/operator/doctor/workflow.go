package doctor

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"snapshot-status-checker/statemachine"
)

func (e *examination) machine(ctx context.Context) []Diagnosis {
	const about = "state machine"
	got, err := sfn.NewFromConfig(e.Config).DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: &e.StateMachineArn})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	var wrong []Diagnosis
	if got.Status != sfntypes.StateMachineStatusActive {
		wrong = append(wrong, Diagnosis{Level: Error, Says: "is " + string(got.Status), Cure: "deploy again"})
	}
	if !sameDefinition(statemachine.Definition, aws.ToString(got.Definition)) {
		wrong = append(wrong, Diagnosis{Level: Warning, Says: "runs another definition than this program knows", Cure: "deploy this version, or use the program of the deployed one"})
	}
	if got.LoggingConfiguration == nil || got.LoggingConfiguration.Level != sfntypes.LogLevelAll {
		wrong = append(wrong, e.unlessLocal(Diagnosis{Level: Warning, Says: "does not log every event", Cure: "deploy again"})...)
	}
	return judge(about, "is active, and runs the definition that this program knows", wrong...)
}

// unlessLocal drops a finding that is owed to the local engine.
func (e *examination) unlessLocal(f Diagnosis) []Diagnosis {
	if e.Local {
		return nil
	}
	return []Diagnosis{f}
}

var placeholder = regexp.MustCompile(`\\\$\\\{[A-Za-z]+\\\}`)

// sameDefinition tells whether a definition was deployed from this one, with anything in its placeholders.
func sameDefinition(embedded, deployed string) bool {
	pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(embedded)), `[^"]*`)
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(strings.TrimSpace(deployed))
}

// uses names the variables of each function that must name this deployment's resources.
func (e *examination) uses() map[string]map[string]string {
	status, ledger := "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME", "LEDGER_TABLE_NAME"
	tables := map[string]string{status: e.ExportStatusTableName, ledger: e.LedgerTableName}
	with := func(more ...string) map[string]string {
		all := maps.Clone(tables)
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	notify := with("EXPORT_STATE_SQS_QUEUE_URL", e.ExportStateQueueUrl, "MONITORING_SNS_TOPIC_ARN", e.MonitoringTopicArn)
	delete(notify, status)
	return map[string]map[string]string{
		"increment":        with("REJECTED_MESSAGES_QUEUE_URL", e.RejectedMessagesQueueUrl),
		"check-collection": tables, "check-all": tables, "notify": notify,
		"sweep": with("STATE_MACHINE_ARN", e.StateMachineArn, "MONITORING_SNS_TOPIC_ARN", e.MonitoringTopicArn),
	}
}

func (e *examination) functions(ctx context.Context) (found []Diagnosis) {
	client := lambda.NewFromConfig(e.Config)
	uses := e.uses()
	for _, task := range slices.Sorted(maps.Keys(uses)) {
		about, name := "function "+task, e.FunctionName(task)
		got, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			found = append(found, failed(about, err))
			continue
		}
		var wrong []Diagnosis
		if got.State == lambdatypes.StateFailed || got.LastUpdateStatus == lambdatypes.LastUpdateStatusFailed {
			wrong = append(wrong, Diagnosis{Level: Error, Says: fmt.Sprintf("is %s, its last update %s: %s%s", got.State, got.LastUpdateStatus,
				aws.ToString(got.StateReason), aws.ToString(got.LastUpdateStatusReason)), Cure: "deploy again"})
		}
		variables := map[string]string{}
		if got.Environment != nil {
			variables = got.Environment.Variables
		}
		for _, variable := range slices.Sorted(maps.Keys(uses[task])) {
			if want, is := uses[task][variable], variables[variable]; is != want {
				wrong = append(wrong, Diagnosis{Level: Error, Says: fmt.Sprintf("has %s=%q, and the stack says %q", variable, is, want), Cure: "deploy again"})
			}
		}
		found = append(found, judge(about, "is active, and uses this deployment's resources", wrong...)...)
	}
	return found
}

func (e *examination) pipes(ctx context.Context) (found []Diagnosis) {
	client := pipes.NewFromConfig(e.Config)
	changes := false
	for _, r := range e.of("AWS::Pipes::Pipe") {
		about := "pipe " + r.logical
		got, err := client.DescribePipe(ctx, &pipes.DescribePipeInput{Name: &r.physical})
		if err != nil {
			found = append(found, failed(about, err))
			continue
		}
		ofTable := strings.Contains(aws.ToString(got.Source), ":dynamodb:")
		changes = changes || ofTable
		var wrong []Diagnosis
		switch running := got.CurrentState == pipestypes.PipeStateRunning; {
		case running || ofTable && e.Local: // the local runner serves it, and the engine's own is stopped
		case ofTable:
			wrong = append(wrong, Diagnosis{Level: Warning, Says: fmt.Sprintf("is %s: a status Sent that comes after the last file is found by the sweep alone", got.CurrentState), Cure: "aws pipes start-pipe --name " + r.physical})
		default:
			wrong = append(wrong, Diagnosis{Level: Error, Says: fmt.Sprintf("is %s: no message is counted; they wait in their queue for 14 days. %s", got.CurrentState, aws.ToString(got.StateReason)), Cure: "aws pipes start-pipe --name " + r.physical})
		}
		if aws.ToString(got.Target) != e.StateMachineArn {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "leads to " + aws.ToString(got.Target), Cure: "deploy again"})
		}
		if queue := lastPart(e.FileReceivedQueueUrl, "/"); !ofTable && lastPart(aws.ToString(got.Source), ":") != queue {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "comes from " + aws.ToString(got.Source) + ", and the stack's queue is " + queue, Cure: "deploy again"})
		}
		if ofTable && !strings.Contains(aws.ToString(got.Source), ":table/"+e.ExportStatusTableName+"/") {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "comes from " + aws.ToString(got.Source) + ", which is not the export status table", Cure: "deploy again"})
		}
		found = append(found, judge(about, "runs, from and to where it should", wrong...)...)
	}
	if len(e.resources) > 0 && !changes {
		found = append(found, Diagnosis{Warning, "pipes", "none tells of changes of status: the sweep alone finds them", "deploy with -c exportStatusTableStreamArn=…"})
	}
	return found
}

func lastPart(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }

func (e *examination) schedule(ctx context.Context) (found []Diagnosis) {
	for _, r := range e.of("AWS::Scheduler::Schedule") {
		about := "schedule of the sweep"
		got, err := scheduler.NewFromConfig(e.Config).GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &r.physical})
		if err != nil {
			found = append(found, failed(about, err))
			continue
		}
		var wrong []Diagnosis
		if got.State != schedulertypes.ScheduleStateEnabled {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "is " + string(got.State) + ": what is owed too long stays owed, and stalled runs are not reported", Cure: "enable it, or deploy again; meanwhile snapshot-status owed --pay --yes sweeps"})
		}
		if got.Target == nil || lastPart(aws.ToString(got.Target.Arn), ":") != e.FunctionName("sweep") {
			wrong = append(wrong, Diagnosis{Level: Error, Says: "does not call the function " + e.FunctionName("sweep"), Cure: "deploy again"})
		}
		found = append(found, judge(about, "calls it: "+aws.ToString(got.ScheduleExpression), wrong...)...)
	}
	return found
}
