package doctor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	tabletypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/operatortest"
	"snapshot-status-checker/statemachine"
)

const (
	stream      = "arn:aws:dynamodb:eu-west-1:111122223333:table/rows/stream/2026-01-01T00:00:00.000"
	machine     = "arn:aws:states:eu-west-1:111122223333:stateMachine:dev"
	customerKey = "arn:aws:kms:eu-west-1:111122223333:key/k"
)

// change changes an answer of AWS, or makes it an error. It reports whether it did.
type change func(in, out any) (done bool, err error)

// on changes the answers of a type to calls whose input has a text that begins so.
func on[Out any](named string, change func(*Out)) change {
	return func(in, out any) (done bool, err error) {
		answer, is := out.(*Out)
		if done = is && names(in, named); done {
			change(answer)
		}
		return done, nil
	}
}

func names(in any, text string) bool {
	raw, err := json.Marshal(in)
	return err == nil && strings.Contains(string(raw), `"`+text)
}

// deployed is the stack dev, which is healthy but for the changes. Its names end with the suffix of its type. A change
// that changed nothing in the end fails the test.
func deployed(t *testing.T, name, express string, changes ...change) deployment.Deployment {
	t.Helper()
	made := make([]atomic.Bool, len(changes))
	config := operatortest.AWS(func(_ context.Context, in any) (any, error) {
		out := healthy(express, in)
		for i, change := range changes {
			done, err := change(in, out)
			if done {
				made[i].Store(true)
			}
			if err != nil {
				return nil, err
			}
		}
		return out, nil
	})
	t.Cleanup(func() {
		for i := range made {
			if !made[i].Load() {
				t.Errorf("%s: change %d changed nothing", name, i)
			}
		}
	})
	return deployment.Deployment{Stack: "dev", Config: config, Outputs: local.Outputs{
		FileReceivedQueueUrl: "https://sqs/files", ExportStatusTableName: "rows", LedgerTableName: "ledger",
		ExportStateQueueUrl: "https://sqs/state", MonitoringTopicArn: "arn:monitoring",
		RejectedMessagesQueueUrl: "https://sqs/rejected", StateMachineArn: machine + express}}
}

func healthy(express string, in any) any {
	switch in := in.(type) {
	case *cloudformation.ListStackResourcesInput:
		out := &cloudformation.ListStackResourcesOutput{}
		for _, r := range []string{"AWS::Pipes::Pipe FileReceivedPipe dev-file-received",
			"AWS::Pipes::Pipe StatusChangedPipe dev-status-changed", "AWS::Scheduler::Schedule Sweep dev-sweep",
			"AWS::SQS::Queue QueuesFileReceivedDeadLetters1 https://sqs/files-dead",
			"AWS::SQS::Queue QueuesExportStateDeadLetters1 https://sqs/state-dead",
			"AWS::SQS::Queue StatusChangedPipeDeadLetters1 https://sqs/changes-dead",
			"AWS::SQS::Queue QueuesFileReceived1 https://sqs/files", "AWS::CloudWatch::Alarm Good dev-Good",
			"AWS::CloudWatch::Alarm Other dev-Other"} {
			is := strings.Fields(r)
			out.StackResourceSummaries = append(out.StackResourceSummaries, cfntypes.StackResourceSummary{
				ResourceType: &is[0], LogicalResourceId: &is[1], PhysicalResourceId: &is[2]})
		}
		return out
	case *dynamodb.DescribeTableInput:
		return &dynamodb.DescribeTableOutput{Table: &tabletypes.TableDescription{TableArn: aws.String("arn:" +
			*in.TableName), TableStatus: "ACTIVE", LatestStreamArn: aws.String(stream),
			StreamSpecification: &tabletypes.StreamSpecification{StreamEnabled: aws.Bool(true),
				StreamViewType: "NEW_AND_OLD_IMAGES"}}}
	case *sqs.GetQueueAttributesInput:
		least := map[string]string{"": "150", "-express": "450"}[express]
		return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"QueueArn": strings.Replace(*in.QueueUrl,
			"https://sqs/", "arn:aws:sqs:eu-west-1:111122223333:", 1), "ApproximateNumberOfMessages": "0",
			"SqsManagedSseEnabled": "true",
			"RedrivePolicy":        `{"deadLetterTargetArn":"arn:dead"}`, "VisibilityTimeout": least,
			"MaximumMessageSize": "12134"}}
	case *sns.GetTopicAttributesInput:
		return &sns.GetTopicAttributesOutput{Attributes: map[string]string{"SubscriptionsConfirmed": "1"}}
	case *sfn.DescribeStateMachineInput:
		is := sfntypes.StateMachineTypeStandard
		if express != "" {
			is = sfntypes.StateMachineTypeExpress
		}
		return &sfn.DescribeStateMachineOutput{RoleArn: aws.String("arn:role/machine"), Type: is,
			Status: "ACTIVE", Definition: aws.String(strings.NewReplacer(
				"${IncrementFunctionArn}", "arn:aws:lambda:eu-west-1:1:function:a", "${WorkflowType}",
				string(is)).Replace(
				statemachine.Definition) + "\n"),
			LoggingConfiguration: &sfntypes.LoggingConfiguration{Level: "ALL"}}
	case *lambda.GetFunctionConfigurationInput:
		task := strings.TrimPrefix(*in.FunctionName, "dev-")
		return &lambda.GetFunctionConfigurationOutput{FunctionArn: aws.String("arn:function-" + task),
			Role: aws.String("arn:role/" + task), State: "Active", LastUpdateStatus: "Successful",
			Runtime: "provided.al2023", Architectures: []lambdatypes.Architecture{"arm64"},
			LastModified: aws.String(fmt.Sprint("2026-11-", 10+len(task))),
			Environment:  &lambdatypes.EnvironmentResponse{Variables: variables(task, express)}}
	case *pipes.DescribePipeInput:
		out := &pipes.DescribePipeOutput{Arn: aws.String("arn:pipe-" + *in.Name), RoleArn: aws.String("arn:role/" +
			*in.Name), Source: aws.String(stream), Target: aws.String(machine + express), CurrentState: "RUNNING"}
		if *in.Name == "dev-file-received" {
			out.Source = aws.String("arn:aws:sqs:eu-west-1:111122223333:files")
			out.SourceParameters = &pipestypes.PipeSourceParameters{SqsQueueParameters: &pipestypes.
				PipeSourceSqsQueueParameters{MaximumBatchingWindowInSeconds: aws.Int32(90), BatchSize: aws.Int32(10)}}
		}
		return out
	case *scheduler.GetScheduleInput:
		return &scheduler.GetScheduleOutput{State: "ENABLED",
			ScheduleExpression: aws.String("rate(5 minutes)"), Target: &schedulertypes.Target{
				Arn: aws.String("arn:lambda:dev-sweep"), RoleArn: aws.String("arn:role/schedule")}}
	case *cloudwatch.DescribeAlarmsInput:
		out := &cloudwatch.DescribeAlarmsOutput{}
		for _, name := range []string{"dev-Good", "dev-Other", "dev-OfAnotherStack"} {
			out.MetricAlarms = append(out.MetricAlarms, alarmtypes.MetricAlarm{AlarmName: &name,
				ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:pager"}, StateValue: "OK"})
		}
		return out
	case *iam.SimulatePrincipalPolicyInput:
		out := &iam.SimulatePrincipalPolicyOutput{}
		for _, action := range in.ActionNames {
			out.EvaluationResults = append(out.EvaluationResults, iamtypes.EvaluationResult{EvalActionName: &action,
				EvalDecision: "allowed"})
		}
		return out
	}
	panic(fmt.Sprintf("unexpected %T", in))
}

// variables is the environment of a task's function.
func variables(task, express string) map[string]string {
	all := map[string]string{"LEDGER_TABLE_NAME": "ledger"}
	if task != "notify" {
		all["DYNAMO_DB_EXPORT_STATUS_TABLE_NAME"] = "rows"
	}
	switch task {
	case "increment":
		all["REJECTED_MESSAGES_QUEUE_URL"] = "https://sqs/rejected"
	case "notify":
		all["EXPORT_STATE_SQS_QUEUE_URL"], all["MONITORING_SNS_TOPIC_ARN"] = "https://sqs/state", "arn:monitoring"
	case "sweep":
		all["STATE_MACHINE_ARN"], all["MONITORING_SNS_TOPIC_ARN"] = machine+express, "arn:monitoring"
		all["PIPE_NAMES"] = "p"
		fallthrough
	case "check-all", "check-collection":
		all["LEASE_SECONDS"] = map[string]string{"": "600", "-express": "300"}[express]
	}
	return all
}
