package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	tabletypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/google/go-cmp/cmp"

	"snapshot-status-checker/operator/operatortest"
)

// troubled answers for a stack with a stopped pipe and a quiet alarm, whose deletion fails.
func troubled(_ context.Context, in any) (any, error) {
	switch in := in.(type) {
	case *cloudformation.DescribeStacksInput:
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackId: aws.String("id"),
			StackStatus: types.StackStatusDeleteFailed, StackStatusReason: aws.String("in use")}}}, nil
	case *cloudformation.ListStackResourcesInput:
		out := &cloudformation.ListStackResourcesOutput{}
		for name, kind := range map[string]string{"stopped": "AWS::Pipes::Pipe", "rows": tableKind, "queue": "other"} {
			out.StackResourceSummaries = append(out.StackResourceSummaries,
				types.StackResourceSummary{ResourceType: &kind, PhysicalResourceId: &name})
		}
		return out, nil
	case *cloudformation.DeleteStackInput:
		return &cloudformation.DeleteStackOutput{}, nil
	case *pipes.DescribePipeInput:
		return &pipes.DescribePipeOutput{CurrentState: "STOPPED", StateReason: aws.String("no right")}, nil
	case *cloudwatch.DescribeAlarmsInput:
		return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []alarmtypes.MetricAlarm{{StateValue: "OK",
			AlarmName: aws.String(*in.AlarmNamePrefix + "Quiet"), StateReason: aws.String("no datapoints")}}}, nil
	case *dynamodb.DescribeTableInput:
		return &dynamodb.DescribeTableOutput{Table: &tabletypes.TableDescription{TableStatus: "ACTIVE"}}, nil
	}
	return nil, fmt.Errorf("unexpected %T", in)
}

// What is not as it should be is told with its reason. Tables of a stack that is not deleted are known.
func TestReasonsAreTold(t *testing.T) {
	t.Parallel()
	trial := newTrial(operatortest.AWS(troubled), "111122223333", "test", nil)
	trial.progress, trial.deployed, trial.pollInterval = t.Output(), true, time.Microsecond
	trial.timeouts.run, trial.timeouts.alarm = 0, 0
	quiet := func(ctx context.Context) (string, error) { return trial.awaitAlarms(ctx, "Quiet") }
	var got []string
	for _, ask := range []func(context.Context) (string, error){trial.pipesRun, quiet, trial.leaveTables,
		trial.destroy, trial.leaveTables} {
		trial.ask(t.Context(), question{ask: ask})
		last := trial.facts[len(trial.facts)-1]
		got = append(got, string(last.answer)+": "+last.seen)
	}
	want := []string{"NO: stopped STOPPED no right timed out after 0s",
		"NO: in state ALARM:  no alarm Quiet within 0s; Quiet is OK: no datapoints",
		"not asked: the stack's tables are not known", "NO: the stack is DELETE_FAILED: in use",
		"yes: rows. To delete one: aws dynamodb update-table --no-deletion-protection-enabled " +
			"--table-name NAME, then aws dynamodb delete-table --table-name NAME"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
