package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/operator/rejected"
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

// policy changes the policies of increment's role.
func (t *trial) policy(ctx context.Context, change func(client *iam.Client, role *string) error) error {
	name := t.deployment().FunctionName("increment")
	function, err := lambda.NewFromConfig(t.config).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: &name,
	})
	if err != nil {
		return fmt.Errorf("reading the role of %s: %w", name, err)
	}
	role := aws.ToString(function.Role)
	if err := change(iam.NewFromConfig(t.config), aws.String(role[strings.LastIndex(role, "/")+1:])); err != nil {
		return fmt.Errorf("changing the policies of %s: %w", role, err)
	}
	return nil
}

func (t *trial) denyWrites(ctx context.Context) error {
	return t.policy(ctx, func(client *iam.Client, role *string) error {
		_, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: role, PolicyName: aws.String(denial), PolicyDocument: aws.String(`{"Version":"2012-10-17",
				"Statement":[{"Effect":"Deny","Action":"dynamodb:UpdateItem","Resource":"*"}]}`)})
		return err
	})
}

// allowWrites removes the denial, if there is one. A role that has it cannot be deleted with the stack.
func (t *trial) allowWrites(ctx context.Context) error {
	return t.policy(ctx, func(client *iam.Client, role *string) error {
		_, err := client.DeleteRolePolicy(ctx,
			&iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String(denial)})
		if gone := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &gone) {
			return nil
		}
		return err
	})
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
		failed := 0
		err := t.until(ctx, t.timeouts.run, func() (bool, error) { // retries take up to 4 minutes
			all, err := t.executions(ctx, sfntypes.ExecutionStatusFailed)
			if err != nil {
				return false, err
			}
			failed = len(all)
			counted, err := t.counted(ctx, run)
			return failed > 0 || counted == sent, err
		})
		if err != nil {
			return "", err
		}
		if failed > 0 {
			t.refused = &refusal{run, sent}
			return fmt.Sprintf("the execution of file %d failed after all retries", sent), nil
		}
	}
	return "", fmt.Errorf("rights are not enforced: %d files were counted despite the denial", files-1)
}

// counted is the number of files in the run's rows.
func (t *trial) counted(ctx context.Context, run scenario.Run) (files int, err error) {
	rows, err := scenario.NewPlayer(t.config, t.outputs).Rows(ctx, run)
	for _, row := range rows {
		files += row.Received
	}
	return files, err
}

// replay restores the right, and replays the message from the rejected-messages queue as the runbook says.
func (t *trial) replay(ctx context.Context) (seen string, err error) {
	if err := t.allow(ctx); err != nil {
		return "", err
	}
	if t.refused == nil {
		return "", skipped{"nothing was refused"}
	}
	queues := rejected.Queues{SQS: sqs.NewFromConfig(t.config), Rejected: t.outputs.RejectedMessagesQueueUrl,
		FileReceived: t.outputs.FileReceivedQueueUrl}
	var refused *rejected.Message
	err = t.until(ctx, t.timeouts.run, func() (bool, error) {
		reading, err := queues.Read(ctx)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(reading.Messages, func(m *rejected.Message) bool {
			return slices.Contains(m.Runs, t.refused.run.CorrelationID)
		})
		if i < 0 {
			return false, reading.Release(ctx)
		}
		refused = reading.Messages[i]
		outcomes, err := reading.Replay(ctx, reading.Messages[i:i+1])
		if err == nil {
			err = outcomes[0].Err
		}
		return true, errors.Join(err, reading.Release(ctx, refused))
	})
	if err != nil {
		return "", fmt.Errorf("replaying the rejected message: %w", err)
	}
	seen = fmt.Sprintf("reason_code %s, identity %s", refused.Reason, refused.Identity)
	if refused.Reason != snapshot.ReasonNotCounted {
		return seen, fmt.Errorf("reason_code is %q", refused.Reason)
	}
	return seen, t.until(ctx, t.timeouts.run, func() (bool, error) {
		counted, err := t.counted(ctx, t.refused.run)
		return counted == t.refused.sent, err
	})
}

func (t *trial) rejectedAlarm(ctx context.Context) (string, error) {
	return t.awaitAlarms(ctx, "RejectedMessages")
}

func (t *trial) refusedAlarms(ctx context.Context) (string, error) {
	if t.refused == nil {
		return "", skipped{"nothing was refused"}
	}
	return t.awaitAlarms(ctx, alarmsOfRefusal...)
}

// awaitAlarms waits until these alarms of the stack are in state ALARM, and lists all that are. The error says
// the state of each other one; the reason of a state tells whether the metric has data.
func (t *trial) awaitAlarms(ctx context.Context, names ...string) (seen string, err error) {
	var silent []string
	err = t.until(ctx, t.timeouts.alarm, func() (bool, error) {
		var raised []string
		silent = nil
		pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(t.config),
			&cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(t.stack + "-")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return false, fmt.Errorf("listing alarms: %w", err)
			}
			for _, alarm := range page.MetricAlarms {
				name := strings.TrimPrefix(*alarm.AlarmName, t.stack+"-")
				if alarm.StateValue == types.StateValueAlarm {
					raised = append(raised, name)
				} else if slices.Contains(names, name) {
					silent = append(silent, fmt.Sprintf("; %s is %s: %s", name, alarm.StateValue,
						aws.ToString(alarm.StateReason)))
				}
			}
		}
		slices.Sort(raised)
		seen = "in state ALARM: " + strings.Join(raised, ", ")
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(raised, name) }), nil
	})
	if errors.Is(err, errTimeout) { // the local engine stores no metrics
		return seen, missing{"no alarm " + strings.Join(names, " and ") + " within " + t.timeouts.alarm.String() +
			strings.Join(silent, "")}
	}
	return seen, err
}

// redrive tries to redrive the dead letters of files, of which there are none. The queue's policy has to deny it, also
// to an administrator.
func (t *trial) redrive(ctx context.Context) (string, error) {
	client := sqs.NewFromConfig(t.config)
	dead, err := rejected.Queues{SQS: client, FileReceived: t.outputs.FileReceivedQueueUrl}.DeadLetters(ctx)
	if err != nil {
		return "", err
	}
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &dead.Rejected,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", fmt.Errorf("reading the dead-letter queue's ARN: %w", err)
	}
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(got.Attributes[string(sqstypes.QueueAttributeNameQueueArn)])})
	return denied(err)
}

// denied returns the message of a call that was denied. All else is an error.
func denied(err error) (string, error) {
	var api smithy.APIError
	switch {
	case err == nil:
		return "", errors.New("the redrive was started")
	case errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied"):
		return api.ErrorMessage(), nil
	}
	return "", fmt.Errorf("starting the redrive: %w", err)
}
