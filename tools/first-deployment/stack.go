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

// noStack reports whether an error says that the stack does not exist.
func noStack(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" &&
		strings.Contains(api.ErrorMessage(), "does not exist")
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
	created, err := t.resources(ctx, t.stack)
	return fmt.Sprintf("%d resources", len(created)), err
}

// resources are the stack's existing resources by logical id.
func (t *trial) resources(ctx context.Context, stack string) (map[string]types.StackResourceSummary, error) {
	created := map[string]types.StackResourceSummary{}
	client := cloudformation.NewFromConfig(t.config)
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{
		StackName: &stack,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the stack's resources: %w", err)
		}
		for _, one := range page.StackResourceSummaries {
			if aws.ToString(one.PhysicalResourceId) != "" && one.ResourceStatus != types.ResourceStatusDeleteComplete {
				created[aws.ToString(one.LogicalResourceId)] = one
			}
		}
	}
	return created, nil
}

// pipesRun waits until both run, and then has them served.
func (t *trial) pipesRun(ctx context.Context) (string, error) {
	created, err := t.resources(ctx, t.stack)
	if err != nil {
		return "", err
	}
	client := pipes.NewFromConfig(t.config)
	var states []string
	err = t.until(ctx, t.timeouts.run, func() (bool, error) {
		states = nil
		running := 0
		for _, one := range created {
			if aws.ToString(one.ResourceType) != "AWS::Pipes::Pipe" {
				continue
			}
			pipe, err := client.DescribePipe(ctx, &pipes.DescribePipeInput{Name: one.PhysicalResourceId})
			if err != nil {
				return false, fmt.Errorf("reading pipe %s: %w", *one.PhysicalResourceId, err)
			}
			states = append(states, strings.TrimSpace(fmt.Sprintf("%s %s %s",
				aws.ToString(one.LogicalResourceId), pipe.CurrentState, aws.ToString(pipe.StateReason))))
			if pipe.CurrentState == pipestypes.PipeStateRunning {
				running++
			}
		}
		slices.Sort(states)
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
	var problems []string
	bad := false
	for _, one := range found {
		if one.Level == doctor.OK {
			fine++
			continue
		}
		bad = bad || one.Level == doctor.Error
		problems = append(problems, fmt.Sprintf("%s: %s %s", one.Level, one.About, one.Sentence))
	}
	seen := fmt.Sprintf("%d findings are OK", fine)
	if bad {
		return seen, errors.New(strings.Join(problems, "; "))
	}
	return strings.Join(append([]string{seen}, problems...), "; "), nil
}

func (t *trial) diff(ctx context.Context) (string, error) { return "", t.cdk.diff(ctx, t.settings()) }

// destroy deletes the stack, if it exists, and checks that its resources are deleted.
func (t *trial) destroy(ctx context.Context) (string, error) {
	client := cloudformation.NewFromConfig(t.config)
	found, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.stack})
	if noStack(err) {
		return "the stack does not exist", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the stack: %w", err)
	}
	id := found.Stacks[0].StackId
	created, err := t.resources(ctx, *id)
	if err != nil {
		return "", err
	}
	for _, one := range created {
		if aws.ToString(one.ResourceType) == tableKind {
			t.tables = append(t.tables, *one.PhysicalResourceId)
		}
	}
	slices.Sort(t.tables)
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: id}); err != nil {
		return "", fmt.Errorf("deleting the stack: %w", err)
	}
	err = t.until(ctx, cleanUpWithin, func() (bool, error) {
		now, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: id})
		if err != nil {
			return false, fmt.Errorf("reading the stack: %w", err)
		}
		if status := now.Stacks[0].StackStatus; status == types.StackStatusDeleteFailed {
			return false, fmt.Errorf("the stack is %s: %s", status, aws.ToString(now.Stacks[0].StackStatusReason))
		}
		return now.Stacks[0].StackStatus == types.StackStatusDeleteComplete, nil
	})
	if err != nil {
		return "", err
	}
	t.deployed = false
	return t.checkDeleted(ctx, id, created)
}

// checkDeleted checks the last event of each resource: all are deleted but the tables.
func (t *trial) checkDeleted(
	ctx context.Context, id *string, created map[string]types.StackResourceSummary,
) (string, error) {
	last := map[string]types.ResourceStatus{} // by logical id; events are ordered newest first
	client := cloudformation.NewFromConfig(t.config)
	pages := cloudformation.NewDescribeStackEventsPaginator(client, &cloudformation.DescribeStackEventsInput{
		StackName: id,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("reading the stack's events: %w", err)
		}
		for _, event := range page.StackEvents {
			if name := aws.ToString(event.LogicalResourceId); last[name] == "" {
				last[name] = event.ResourceStatus
			}
		}
	}
	var wrong []string
	for name, one := range created {
		want := types.ResourceStatusDeleteComplete
		if aws.ToString(one.ResourceType) == tableKind {
			want = types.ResourceStatusDeleteSkipped
		}
		if last[name] != want {
			wrong = append(wrong, fmt.Sprintf("%s (%s) is %s", name, *one.PhysicalResourceId, last[name]))
		}
	}
	for _, prefix := range []string{"/aws/lambda/", "/aws/vendedlogs/states/", "/aws/vendedlogs/pipes/"} {
		logs := cloudwatchlogs.NewFromConfig(t.config)
		groups, err := logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{
			LogGroupNamePrefix: aws.String(prefix + t.stack),
		})
		if err != nil {
			return "", fmt.Errorf("listing log groups: %w", err)
		}
		for _, group := range groups.LogGroups {
			wrong = append(wrong, "log group "+aws.ToString(group.LogGroupName)+" exists")
		}
	}
	seen := fmt.Sprintf("%d resources are deleted, %d tables remain", len(created)-len(t.tables), len(t.tables))
	if len(wrong) > 0 {
		slices.Sort(wrong)
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
	client := dynamodb.NewFromConfig(t.config)
	for _, name := range t.tables {
		found, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return "", fmt.Errorf("reading table %s: %w", name, err)
		}
		if found.Table.TableStatus != dynamodbtypes.TableStatusActive {
			return "", fmt.Errorf("table %s is %s", name, found.Table.TableStatus)
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
	for _, name := range t.tables {
		if err := t.deleteTable(ctx, client, name); err != nil {
			return "", fmt.Errorf("deleting table %s: %w", name, err)
		}
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
