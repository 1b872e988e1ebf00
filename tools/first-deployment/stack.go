package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/smithy-go"

	"snapshot-status-checker/operator/deployment"
	"snapshot-status-checker/operator/doctor"
	"snapshot-status-checker/operator/report"
)

const tableKind = "AWS::DynamoDB::Table"

// find describes the stack of a name or id; nil if there is none.
func (t *trial) find(ctx context.Context, stack *string) (*types.Stack, error) {
	found, err := cloudformation.NewFromConfig(t.config).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: stack})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "ValidationError" &&
		strings.Contains(api.ErrorMessage(), "does not exist"):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading stack %s: %w", *stack, err)
	}
	return &found.Stacks[0], nil
}

func (t *trial) deploy(ctx context.Context) (string, error) {
	t.atEnd("the tables are "+t.wanted(), t.leaveTables)
	t.atEnd("the stack is deleted with everything but the tables", t.destroy)
	if err := t.cdk.deploy(ctx, t.settings()); err != nil {
		return "", err
	}
	outputs, err := deployment.ReadStack(ctx, t.config, t.stack)
	if err != nil {
		return "", err
	}
	t.outputs, t.deployed = outputs, true
	return t.stack, nil
}

// resources names the stack's existing resources of a kind.
func (t *trial) resources(ctx context.Context, kind string) ([]string, error) {
	names := []string{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(t.config),
		&cloudformation.ListStackResourcesInput{StackName: &t.stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the stack's resources: %w", err)
		}
		for _, one := range page.StackResourceSummaries {
			name := aws.ToString(one.PhysicalResourceId)
			if *one.ResourceType == kind && name != "" && one.ResourceStatus != types.ResourceStatusDeleteComplete {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// pipesRun waits until both run, and then has them served.
func (t *trial) pipesRun(ctx context.Context) (string, error) {
	names, err := t.resources(ctx, "AWS::Pipes::Pipe")
	if err != nil {
		return "", err
	}
	var states []string
	err = t.until(ctx, t.timeouts.run, func() (bool, error) {
		states = nil
		running := 0
		for _, name := range names {
			pipe, err := pipes.NewFromConfig(t.config).DescribePipe(ctx, &pipes.DescribePipeInput{Name: &name})
			if err != nil {
				return false, fmt.Errorf("reading pipe %s: %w", name, err)
			}
			states = append(states, strings.TrimSpace(fmt.Sprintf("%s %s %s", name, pipe.CurrentState,
				aws.ToString(pipe.StateReason))))
			if pipe.CurrentState == pipestypes.PipeStateRunning {
				running++
			}
		}
		return running == 2, nil
	})
	if err == nil {
		err = t.cdk.serve(ctx, t.stack)
	}
	return strings.Join(states, ", "), err
}

// examine runs doctor. Its warnings are shown and are no error.
func (t *trial) examine(ctx context.Context) (string, error) {
	command := report.Command("snapshot-status " + report.Flag("stack", t.stack))
	found, err := doctor.Examine(ctx, t.deployment(), "", command, "aws")
	if err != nil {
		return "", err
	}
	fine := 0
	var warnings, wrong []string
	for _, one := range found {
		sentence := fmt.Sprintf("%s: %s %s", one.Level, one.About, one.Sentence)
		switch one.Level {
		case doctor.OK:
			fine++
		case doctor.Error:
			wrong = append(wrong, sentence)
		default:
			warnings = append(warnings, sentence)
		}
	}
	seen := strings.Join(append([]string{fmt.Sprintf("%d findings are OK", fine)}, warnings...), "; ")
	if len(wrong) > 0 {
		return seen, errors.New(strings.Join(wrong, "; "))
	}
	return seen, nil
}

func (t *trial) diff(ctx context.Context) (string, error) { return "", t.cdk.diff(ctx, t.settings()) }

// destroy deletes the stack, if it exists, and checks that its resources are deleted.
func (t *trial) destroy(ctx context.Context) (string, error) {
	stack, err := t.find(ctx, &t.stack)
	if err != nil {
		return "", err
	}
	if stack == nil {
		t.tables = []string{}
		return "the stack does not exist", nil
	}
	if t.tables, err = t.resources(ctx, tableKind); err != nil {
		return "", err
	}
	id := stack.StackId
	if _, err := cloudformation.NewFromConfig(t.config).DeleteStack(ctx,
		&cloudformation.DeleteStackInput{StackName: id}); err != nil {
		return "", fmt.Errorf("deleting the stack: %w", err)
	}
	err = t.until(ctx, cleanUpWithin, func() (bool, error) {
		now, err := t.find(ctx, id)
		if err != nil {
			return false, err
		}
		if now.StackStatus == types.StackStatusDeleteFailed {
			return false, fmt.Errorf("the stack is %s: %s", now.StackStatus, aws.ToString(now.StackStatusReason))
		}
		return now.StackStatus == types.StackStatusDeleteComplete, nil
	})
	if err != nil {
		return "", err
	}
	t.deployed = false
	return t.checkDeleted(ctx, id)
}

// checkDeleted checks the last event of each resource: all are deleted but the tables. No log group is left.
func (t *trial) checkDeleted(ctx context.Context, id *string) (string, error) {
	last := map[string]types.StackEvent{} // by logical id; events are ordered newest first
	pages := cloudformation.NewDescribeStackEventsPaginator(cloudformation.NewFromConfig(t.config),
		&cloudformation.DescribeStackEventsInput{StackName: id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("reading the stack's events: %w", err)
		}
		for _, event := range page.StackEvents {
			_, there := last[*event.LogicalResourceId]
			made := aws.ToString(event.PhysicalResourceId) != "" &&
				aws.ToString(event.ResourceType) != "AWS::CloudFormation::Stack"
			if made && !there {
				last[*event.LogicalResourceId] = event
			}
		}
	}
	t.tables = []string{}
	var wrong []string
	for name, event := range last {
		want := types.ResourceStatusDeleteComplete
		if aws.ToString(event.ResourceType) == tableKind {
			want = types.ResourceStatusDeleteSkipped
			t.tables = append(t.tables, aws.ToString(event.PhysicalResourceId))
		}
		if event.ResourceStatus != want {
			wrong = append(wrong, fmt.Sprintf("%s (%s) is %s", name, aws.ToString(event.PhysicalResourceId),
				event.ResourceStatus))
		}
	}
	for _, prefix := range []string{"/aws/lambda/", "/aws/vendedlogs/states/", "/aws/vendedlogs/pipes/"} {
		groups, err := cloudwatchlogs.NewFromConfig(t.config).DescribeLogGroups(ctx,
			&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(prefix + t.stack)})
		if err != nil {
			return "", fmt.Errorf("listing log groups: %w", err)
		}
		for _, group := range groups.LogGroups {
			wrong = append(wrong, "log group "+aws.ToString(group.LogGroupName)+" exists")
		}
	}
	slices.Sort(t.tables)
	slices.Sort(wrong)
	seen := fmt.Sprintf("%d resources are deleted, %d tables remain", len(last)-len(t.tables), len(t.tables))
	if len(wrong) > 0 {
		return seen, errors.New(strings.Join(wrong, "; "))
	}
	return seen, nil
}

func (t *trial) wanted() string {
	if t.deleteTables {
		return "deleted, as --delete-tables says"
	}
	return "still there"
}

// leaveTables checks that the tables remained, and deletes them if --delete-tables says so.
func (t *trial) leaveTables(ctx context.Context) (string, error) {
	if t.tables == nil {
		return "", skipped{"the stack's tables are not known"}
	}
	client := dynamodb.NewFromConfig(t.config)
	for _, name := range t.tables {
		found, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return "", fmt.Errorf("reading table %s: %w", name, err)
		}
		if found.Table.TableStatus != dynamodbtypes.TableStatusActive {
			return "", fmt.Errorf("table %s is %s", name, found.Table.TableStatus)
		}
		if t.deleteTables {
			if err := t.deleteTable(ctx, client, name); err != nil {
				return "", fmt.Errorf("deleting table %s: %w", name, err)
			}
		}
	}
	names := strings.Join(t.tables, ", ")
	switch {
	case len(t.tables) == 0:
		return "none was created", nil
	case !t.deleteTables:
		return names + ". To delete one: aws dynamodb update-table --no-deletion-protection-enabled " +
			"--table-name NAME, then aws dynamodb delete-table --table-name NAME", nil
	}
	return names, nil
}

func (t *trial) deleteTable(ctx context.Context, client *dynamodb.Client, name string) error {
	if _, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: &name, DeletionProtectionEnabled: aws.Bool(false),
	}); err != nil {
		return err
	}
	return t.until(ctx, t.timeouts.run, func() (bool, error) {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		if busy := (*dynamodbtypes.ResourceInUseException)(nil); errors.As(err, &busy) {
			return false, nil // its update or deletion is in progress
		}
		if gone := (*dynamodbtypes.ResourceNotFoundException)(nil); errors.As(err, &gone) {
			return true, nil
		}
		return false, err
	})
}
