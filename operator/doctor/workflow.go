package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/report"
	"snapshot-status-checker/statemachine"
)

func (e *examination) machine(ctx context.Context) []Diagnosis {
	const about = "state machine"
	got, err := sfn.NewFromConfig(e.Config).DescribeStateMachine(ctx,
		&sfn.DescribeStateMachineInput{StateMachineArn: &e.StateMachineArn})
	if err != nil {
		return []Diagnosis{failed(about, err)}
	}
	e.learn(roleOf(about), aws.ToString(got.RoleArn))
	var wrong problems
	if got.Status != sfntypes.StateMachineStatusActive {
		wrong.add(Error, "deploy again", "is %s", got.Status)
	}
	if !sameDefinition(ofType(got.Type), aws.ToString(got.Definition)) {
		wrong.add(Warning, thisVersion, "has another definition than this program")
	}
	logs := cmp.Or(got.LoggingConfiguration, &sfntypes.LoggingConfiguration{})
	if !e.Local && logs.Level != sfntypes.LogLevelAll { // the local engine does not say
		wrong.add(Warning, "deploy again", "does not log every event")
	}
	return judge(about, fmt.Sprintf("is active, %s, and has the definition of this program", got.Type), wrong)
}

// ofType is this program's definition for a type of state machine.
func ofType(is sfntypes.StateMachineType) string {
	return strings.ReplaceAll(statemachine.Definition, "${WorkflowType}", string(is))
}

var placeholder = regexp.MustCompile(`\\\$\\\{[A-Za-z]+\\\}`)

// sameDefinition reports whether a definition was deployed from this one, with any values for its placeholders.
func sameDefinition(embedded, deployed string) bool {
	pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(embedded)), `[^"]*`)
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(strings.TrimSpace(deployed))
}

// uses are the variables of each function that must name this deployment's resources, or follow from its type.
func (e *examination) uses() map[string]map[string]string {
	lease := store.DefaultLease
	if e.express() {
		lease = store.ExpressLease
	}
	const status, leaseSeconds, topic = "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME", "LEASE_SECONDS",
		"MONITORING_SNS_TOPIC_ARN"
	seconds := strconv.FormatFloat(lease.Seconds(), 'f', 0, 64)
	all := map[string]map[string]string{
		"increment": {status: e.ExportStatusTableName,
			"REJECTED_MESSAGES_QUEUE_URL": e.RejectedMessagesQueueUrl},
		"check-collection": {status: e.ExportStatusTableName, leaseSeconds: seconds},
		"check-all":        {status: e.ExportStatusTableName, leaseSeconds: seconds},
		"notify":           {"EXPORT_STATE_SQS_QUEUE_URL": e.ExportStateQueueUrl, topic: e.MonitoringTopicArn},
		"sweep": {status: e.ExportStatusTableName, "STATE_MACHINE_ARN": e.StateMachineArn, topic: e.MonitoringTopicArn,
			leaseSeconds: seconds},
	}
	for _, variables := range all {
		variables["LEDGER_TABLE_NAME"] = e.LedgerTableName
	}
	return all
}

func (e *examination) functions(ctx context.Context) (found []Diagnosis) {
	client := lambda.NewFromConfig(e.Config)
	uses := e.uses()
	deployed := map[string]*lambda.GetFunctionConfigurationOutput{}
	for _, task := range slices.Sorted(maps.Keys(uses)) {
		about, name := "function "+task, e.FunctionName(task)
		got, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			found = append(found, failed(about, err))
			continue
		}
		deployed[task] = got
		e.learn(about, aws.ToString(got.FunctionArn))
		e.learn(roleOf(about), aws.ToString(got.Role))
		found = append(found, judge(about, "is active, and uses this deployment's resources",
			judgeFunction(task, got, uses[task]))...)
	}
	return append(found, judgeVersions(e.program, deployed)...)
}

func judgeFunction(
	task string, got *lambda.GetFunctionConfigurationOutput, wanted map[string]string,
) (wrong problems) {
	if got.State == lambdatypes.StateFailed || got.LastUpdateStatus == lambdatypes.LastUpdateStatusFailed {
		wrong.add(Error, "deploy again", "is %s, its last update %s: %s%s", got.State, got.LastUpdateStatus,
			aws.ToString(got.StateReason), aws.ToString(got.LastUpdateStatusReason))
	}
	var variables map[string]string
	if got.Environment != nil {
		variables = got.Environment.Variables
	}
	for _, variable := range slices.Sorted(maps.Keys(wanted)) {
		if want, is := wanted[variable], variables[variable]; is != want {
			wrong.add(Error, "deploy again", "has %s=%q, but the stack has %q", variable, is, want)
		}
	}
	if _, err := deployment.SettingsOf(variables); task == "sweep" && err != nil {
		wrong.add(Error, "deploy again", "does not start with these settings: %v", err)
	}
	return wrong
}

// thisVersion is the fix for a deployment of other sources than those of the program.
const thisVersion = "deploy this version, or use the program of the deployed one"

// judgeVersions compares the functions with each other. A function names no version, since equal sources make equal
// code and an equal template: only the state machine's definition is compared with the program.
func judgeVersions(program string, deployed map[string]*lambda.GetFunctionConfigurationOutput) []Diagnosis {
	const about = "versions"
	if len(deployed) == 0 {
		return []Diagnosis{{Level: Unknown, About: about, Sentence: "this program is " + program +
			"; no function could be read"}}
	}
	var wrong problems
	var changed string
	builds := map[string][]string{}
	for _, task := range slices.Sorted(maps.Keys(deployed)) {
		f := deployed[task]
		build := fmt.Sprint(f.Runtime, " on ", f.Architectures)
		builds[build] = append(builds[build], task)
		changed = max(changed, aws.ToString(f.LastModified))
		if f.Runtime != lambdatypes.RuntimeProvidedal2023 {
			wrong.add(Warning, thisVersion, "the function %s runs on %s, but this program's on %s", task, f.Runtime,
				lambdatypes.RuntimeProvidedal2023)
		}
		if f.State == lambdatypes.StatePending || f.LastUpdateStatus == lambdatypes.LastUpdateStatusInProgress {
			wrong.add(Warning, "check again when it is done", "the function %s is being updated", task)
		}
	}
	var each []string
	for _, build := range slices.Sorted(maps.Keys(builds)) {
		each = append(each, build+": "+strings.Join(builds[build], ", "))
	}
	if len(each) > 1 {
		wrong.add(Warning, "deploy again", "the functions were not deployed together: %s", strings.Join(each, "; "))
	}
	return judge(about, fmt.Sprintf(
		"this program is %s; the %d functions run %s, last changed %s; their code names no version, so only "+
			"the state machine's definition was compared",
		program, len(deployed), slices.Sorted(maps.Keys(builds))[0], changed), wrong)
}

// pipe is a pipe as it is deployed; without values, if it could not be read.
type pipe struct {
	resource
	*pipes.DescribePipeOutput
	err error
}

func (p pipe) ofTable() bool { return strings.Contains(aws.ToString(p.Source), ":dynamodb:") }

// readPipes reads the stack's pipes, on which other checks depend.
func (e *examination) readPipes(ctx context.Context) {
	client := pipes.NewFromConfig(e.Config)
	for _, r := range e.of("AWS::Pipes::Pipe") {
		got, err := client.DescribePipe(ctx, &pipes.DescribePipeInput{Name: &r.physical})
		p := pipe{r, cmp.Or(got, &pipes.DescribePipeOutput{}), err}
		e.described = append(e.described, p)
		part, source, itself := ofMessages, fileQueue, thatOfMessages
		if p.ofTable() {
			part, source, itself = ofChanges, statusStream, thatOfChanges
		}
		if err == nil {
			e.learn(itself, aws.ToString(p.Arn))
			e.learn(roleOf(part), aws.ToString(p.RoleArn))
			e.learn(source, aws.ToString(p.Source))
		}
	}
}

func (e *examination) pipes(context.Context) (found []Diagnosis) {
	changes := false // a pipe reads them, as far as is known
	for _, p := range e.described {
		about := "pipe " + p.logical
		changes = changes || p.err != nil || p.ofTable()
		if p.err != nil {
			found = append(found, failed(about, p.err))
			continue
		}
		found = append(found, judge(about, "runs, with the right source and target",
			append(e.judgeRunning(p), e.judgeEnds(p)...))...)
	}
	if len(e.resources) > 0 && !changes {
		found = append(found, Diagnosis{Warning, "pipes", "no pipe reads changes of status: only the sweep finds them",
			"deploy with -c exportStatusTableStreamArn=…"})
	}
	return found
}

func (e *examination) judgeRunning(p pipe) (wrong problems) {
	fix := e.aws.Do("pipes start-pipe " + report.Flag("name", p.physical))
	switch running := p.CurrentState == pipestypes.PipeStateRunning; {
	case running || p.ofTable() && e.Local: // the local runner serves it
	case p.ofTable():
		wrong.add(Warning, fix, "is %s: only the sweep finds a status Sent that is written after the last file",
			p.CurrentState)
	default:
		wrong.add(Error, fix, "is %s: no message is counted; the queue keeps them for 14 days. %s", p.CurrentState,
			aws.ToString(p.StateReason))
	}
	return wrong
}

func (e *examination) judgeEnds(p pipe) (wrong problems) {
	add := func(says string) { wrong.add(Error, "deploy again", "%s", says) }
	source := aws.ToString(p.Source)
	if aws.ToString(p.Target) != e.StateMachineArn {
		add("has the target " + aws.ToString(p.Target))
	}
	if queue := lastPart(e.FileReceivedQueueUrl, "/"); !p.ofTable() && lastPart(source, ":") != queue {
		add("has the source " + source + ", but the stack's queue is " + queue)
	}
	if p.ofTable() && !strings.Contains(source, ":table/"+e.ExportStatusTableName+"/") {
		add("has the source " + source + ", which is not the export status table")
	}
	return wrong
}

// batches is how many seconds the pipe from the source queue gathers a batch, and its maximum of messages; zeros if the
// pipe could not be read.
func (e *examination) batches() (window, size int) {
	for _, p := range e.described {
		if p.SourceParameters != nil && p.SourceParameters.SqsQueueParameters != nil {
			source := p.SourceParameters.SqsQueueParameters
			return int(aws.ToInt32(source.MaximumBatchingWindowInSeconds)), int(aws.ToInt32(source.BatchSize))
		}
	}
	return 0, 0
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
		target := cmp.Or(got.Target, &schedulertypes.Target{})
		e.learn(roleOf(about), aws.ToString(target.RoleArn))
		var wrong problems
		if got.State != schedulertypes.ScheduleStateEnabled {
			wrong.add(Error,
				"enable it, or deploy again; meanwhile call the sweep: "+e.command.Do("pending --deliver --yes"),
				"is %s: pending messages stay pending, and no alert is sent for stalled runs", got.State)
		}
		if lastPart(aws.ToString(target.Arn), ":") != e.FunctionName("sweep") {
			wrong.add(Error, "deploy again", "does not call the function %s", e.FunctionName("sweep"))
		}
		found = append(found, judge(about, "calls it: "+aws.ToString(got.ScheduleExpression), wrong)...)
	}
	return found
}
