package main

import (
	"strings"
	"unicode"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// alarm is something that a person is told of: its metric is at the threshold or above (with below: under it) for a
// number of periods of 5 minutes one after the other.
type alarm struct {
	id        string // says what is wrong; also names its entry in the runbook, unless there is one for several alarms
	entry     string
	text      string // what is wrong and what to do, in sentences
	metric    awscloudwatch.IMetric
	threshold float64
	periods   float64
	below     bool
	missing   missing
}

// missing is what an alarm makes of a metric that has nothing to tell.
type missing int

const (
	isFine   missing = iota // what counts events is silent while none happen
	keeps                   // what the sweep measures is as it was until the next sweep; SweepMissing tells of none
	isBroken                // the sweep is called whatever happens
)

// alarms makes alarms and remembers them for the dashboard.
type alarms struct {
	scope constructs.Construct
	stack string
	topic awssns.ITopic // nil if the context names none
	made  []awscloudwatch.IAlarm
}

func newAlarms(scope constructs.Construct, settings Settings) *alarms {
	a := &alarms{scope: scope, stack: settings.StackName()}
	if arn := settings.AlarmTopicArn; arn != "" {
		a.topic = awssns.Topic_FromTopicArn(a.scope, jsii.String("Topic"), &arn)
	}
	return a
}

func (a *alarms) add(new alarm) {
	if new.entry == "" {
		new.entry = runbookEntry(new.id)
	}
	operator := awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD
	if new.below {
		operator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	made := awscloudwatch.NewAlarm(a.scope, &new.id, &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(a.stack + "-" + new.id),
		AlarmDescription:   jsii.String(new.text + " Runbook: docs/runbook.md#" + new.entry),
		Metric:             new.metric,
		ComparisonOperator: operator,
		Threshold:          &new.threshold,
		EvaluationPeriods:  &new.periods,
		TreatMissingData: map[missing]awscloudwatch.TreatMissingData{
			isFine:   awscloudwatch.TreatMissingData_NOT_BREACHING,
			keeps:    awscloudwatch.TreatMissingData_IGNORE,
			isBroken: awscloudwatch.TreatMissingData_BREACHING,
		}[new.missing],
	})
	if a.topic != nil {
		made.AddAlarmAction(awscloudwatchactions.NewSnsAction(a.topic))
	}
	a.made = append(a.made, made)
}

// runbookEntry is the anchor of an alarm's heading: ExecutionsFailed has "Executions failed".
func runbookEntry(id string) string {
	var entry strings.Builder
	for i, r := range id {
		if unicode.IsUpper(r) && i > 0 {
			entry.WriteByte('-')
		}
		entry.WriteRune(unicode.ToLower(r))
	}
	return entry.String()
}
