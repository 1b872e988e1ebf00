package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func (e *examination) alarms(ctx context.Context) []Diagnosis {
	const about = "alarms"
	made := e.of("AWS::CloudWatch::Alarm")
	if len(made) == 0 {
		return nil // the stack is unknown
	}
	existing := map[string]types.MetricAlarm{}
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(e.Config),
		&cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(e.Stack + "-")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return []Diagnosis{failed(about, err)}
		}
		for _, alarm := range page.MetricAlarms {
			existing[aws.ToString(alarm.AlarmName)] = alarm
		}
	}
	var gone, silent, off, raised []string
	for _, r := range made {
		alarm, there := existing[r.physical]
		switch {
		case !there:
			gone = append(gone, r.physical)
		case len(alarm.AlarmActions) == 0:
			silent = append(silent, r.physical)
		case !aws.ToBool(alarm.ActionsEnabled):
			off = append(off, r.physical)
		}
		if alarm.StateValue == types.StateValueAlarm {
			raised = append(raised, r.physical)
		}
	}
	var wrong problems
	add := func(level Level, names []string, says, fix string) {
		if len(names) > 0 {
			wrong.add(level, fix, "%d of %d %s", len(names), len(made), says)
		}
	}
	add(Error, gone, "do not exist", "deploy again: "+strings.Join(gone, ", "))
	add(Warning, silent, "have no action", "deploy with -c alarmTopicArn=…")
	add(Warning, off, "have their actions disabled", e.aws.Do("cloudwatch enable-alarm-actions --alarm-names", off...))
	add(Warning, raised, "are in state ALARM", "docs/runbook.md has an entry for each: "+strings.Join(raised, ", "))
	return judge(about, fmt.Sprintf("all %d exist and have actions", len(made)), wrong)
}
