package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/test/scenario"
)

const denial = "first-deployment-denies-writes" // name of the role's policy

// alarmsOfRefusal are raised when increment cannot write: its message is rejected, and its execution fails.
var alarmsOfRefusal = []string{"ExecutionsFailed", "RejectedMessages"}

// refusal is a run of one collection with a message that could not be counted.
type refusal struct {
	run  scenario.Run
	sent int // messages, including that one
}

// role is the name of increment's role.
func (t *trial) role(ctx context.Context) (*string, error) {
	name := t.deployment().FunctionName("increment")
	function, err := lambda.NewFromConfig(t.config).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &name,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the role of %s: %w", name, err)
	}
	role := aws.ToString(function.Role)
	return aws.String(role[strings.LastIndex(role, "/")+1:]), nil
}

func (t *trial) denyWrites(ctx context.Context) error {
	role, err := t.role(ctx)
	if err != nil {
		return err
	}
	if _, err := iam.NewFromConfig(t.config).PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: role, PolicyName: aws.String(denial), PolicyDocument: aws.String(`{"Version":"2012-10-17",
			"Statement":[{"Effect":"Deny","Action":"dynamodb:UpdateItem","Resource":"*"}]}`),
	}); err != nil {
		return fmt.Errorf("denying increment its writes: %w", err)
	}
	return nil
}

// allowWrites removes the denial, if there is one. A role that has it cannot be deleted with the stack.
func (t *trial) allowWrites(ctx context.Context) error {
	role, err := t.role(ctx)
	if err != nil {
		return err
	}
	_, err = iam.NewFromConfig(t.config).DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{
		RoleName: role, PolicyName: aws.String(denial),
	})
	if gone := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &gone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("allowing increment its writes again: %w", err)
	}
	return nil
}

// refuse revokes the right, and sends files until one is not counted: a change of IAM takes a while.
func (t *trial) refuse(ctx context.Context) (string, error) {
	t.atEnd("increment has its right again", func(ctx context.Context) (string, error) { return "", t.allow(ctx) })
	if err := t.deny(ctx); err != nil {
		return "", err
	}
	const files = 6
	player := scenario.NewPlayer(t.config, t.outputs)
	run := scenario.Run{CorrelationID: t.environment + "-refused", SnapshotType: "full", ExportDate: "2026-11-23",
		Collections: []scenario.Collection{{Name: "db.refused.collection", Status: "Exported", Files: files}}}
	if err := player.PutRows(ctx, run); err != nil {
		return "", err
	}
	for sent := 1; sent < files; sent++ {
		file := scenario.Message{Text: scenario.Text(run.File(run.Collections[0].Name, sent))}
		if _, err := player.Send(ctx, []scenario.Message{file}, 0); err != nil {
			return "", err
		}
		failed, counted := 0, 0
		err := t.until(ctx, t.timeouts.run, func() (bool, error) { // retries take up to 4 minutes
			var err error
			if failed, counted, err = t.count(ctx, player, run); err != nil {
				return false, err
			}
			return failed > 0 || counted == sent, nil
		})
		if err != nil {
			return "", err
		}
		if failed > 0 {
			t.refused = &refusal{run, sent}
			return fmt.Sprintf("the execution of file %d failed after all retries", sent), nil
		}
	}
	return "", missing{fmt.Sprintf("rights are not enforced: %d files were counted despite the denial", files-1)}
}

// count counts the failed executions and the files in the run's row.
func (t *trial) count(
	ctx context.Context, player *scenario.Player, run scenario.Run,
) (failed, counted int, err error) {
	list, err := sfn.NewFromConfig(t.config).ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &t.outputs.StateMachineArn, StatusFilter: sfntypes.ExecutionStatusFailed})
	if err != nil {
		return 0, 0, fmt.Errorf("listing failed executions: %w", err)
	}
	rows, err := player.Rows(ctx, run)
	if err != nil {
		return 0, 0, err
	}
	for _, row := range rows {
		counted += row.Received
	}
	return len(list.Executions), counted, nil
}

// replay restores the right, and replays the message from the rejected-messages queue as the runbook says.
func (t *trial) replay(ctx context.Context) (string, error) {
	if err := t.allow(ctx); err != nil {
		return "", err
	}
	if t.refused == nil {
		return "", missing{"nothing was refused"}
	}
	client, player := sqs.NewFromConfig(t.config), scenario.NewPlayer(t.config, t.outputs)
	var reason, identity string
	err := t.until(ctx, t.timeouts.run, func() (bool, error) {
		received, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &t.outputs.RejectedMessagesQueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			VisibilityTimeout: 10, MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			return false, fmt.Errorf("reading the rejected-messages queue: %w", err)
		}
		for _, message := range received.Messages {
			if !strings.Contains(*message.Body, t.refused.run.CorrelationID) {
				continue
			}
			reason = aws.ToString(message.MessageAttributes["reason_code"].StringValue)
			identity = aws.ToString(message.MessageAttributes["identity"].StringValue)
			envelope := scenario.Envelope(scenario.Record(identity, *message.Body))
			if _, err := player.Send(ctx, []scenario.Message{envelope}, 0); err != nil {
				return false, err
			}
			_, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
				QueueUrl: &t.outputs.RejectedMessagesQueueUrl, ReceiptHandle: message.ReceiptHandle,
			})
			return true, err
		}
		return false, nil
	})
	if err != nil {
		return "", fmt.Errorf("reading the rejected message: %w", err)
	}
	seen := fmt.Sprintf("reason_code %s, identity %s", reason, identity)
	if reason != string(snapshot.ReasonNotCounted) {
		return seen, fmt.Errorf("reason_code is %q", reason)
	}
	return seen, t.until(ctx, t.timeouts.run, func() (bool, error) {
		_, counted, err := t.count(ctx, player, t.refused.run)
		return counted == t.refused.sent, err
	})
}

func (t *trial) rejectedAlarm(ctx context.Context) (string, error) {
	return t.awaitAlarms(ctx, "RejectedMessages")
}

func (t *trial) refusedAlarms(ctx context.Context) (string, error) {
	if t.refused == nil {
		return "", missing{"nothing was refused"}
	}
	return t.awaitAlarms(ctx, alarmsOfRefusal...)
}

// awaitAlarms waits until these alarms of the stack are in state ALARM, and lists all that are. The error of another
// one says whether its metric has data.
func (t *trial) awaitAlarms(ctx context.Context, names ...string) (string, error) {
	client := cloudwatch.NewFromConfig(t.config)
	found := map[string]types.MetricAlarm{}
	silent := func(name string) bool { return found[t.stack+"-"+name].StateValue != types.StateValueAlarm }
	err := t.until(ctx, t.timeouts.alarm, func() (bool, error) {
		pages := cloudwatch.NewDescribeAlarmsPaginator(client, &cloudwatch.DescribeAlarmsInput{
			AlarmNamePrefix: aws.String(t.stack + "-"),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return false, fmt.Errorf("listing alarms: %w", err)
			}
			for _, alarm := range page.MetricAlarms {
				found[*alarm.AlarmName] = alarm
			}
		}
		return !slices.ContainsFunc(names, silent), nil
	})
	var raised []string
	for name, alarm := range found {
		if alarm.StateValue == types.StateValueAlarm {
			raised = append(raised, strings.TrimPrefix(name, t.stack+"-"))
		}
	}
	slices.Sort(raised)
	seen := "in state ALARM: " + strings.Join(raised, ", ")
	if !errors.Is(err, errTimeout) {
		return seen, err
	}
	var wrong []error
	for _, name := range names {
		if silent(name) {
			wrong = append(wrong, t.whySilent(ctx, found[t.stack+"-"+name]))
		}
	}
	return seen, errors.Join(wrong...)
}

// whySilent says whether the alarm's metric has data.
func (t *trial) whySilent(ctx context.Context, alarm types.MetricAlarm) error {
	now := time.Now()
	data, err := cloudwatch.NewFromConfig(t.config).GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: alarm.Namespace, MetricName: alarm.MetricName, Dimensions: alarm.Dimensions, Period: alarm.Period,
		Statistics: []types.Statistic{alarm.Statistic}, StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading the metric of alarm %s: %w", aws.ToString(alarm.AlarmName), err)
	case len(data.Datapoints) == 0:
		return missing{"no data of the metric " + aws.ToString(alarm.Namespace) + " " + aws.ToString(alarm.MetricName)}
	}
	return fmt.Errorf("alarm %s is %s: %s",
		aws.ToString(alarm.AlarmName), alarm.StateValue, aws.ToString(alarm.StateReason))
}
