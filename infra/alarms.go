package main

import (
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AlarmsProps are what the alarms watch.
type AlarmsProps struct {
	Settings                 Settings
	Queues                   Queues
	StatusChangedDeadLetters awssqs.IQueue // nil without that pipe
	Workflow                 Workflow
	Sweep                    Function
}

// alarms adds alarms of one kind: each goes off at a threshold and calls the topic of the context, if there is one.
type alarms struct {
	scope constructs.Construct
	topic awssns.ITopic
}

// NewAlarms makes the alarms. What they watch is silent while nothing happens, so missing data is no alarm, except for
// the sweep, which is called whatever happens.
func NewAlarms(scope constructs.Construct, id string, props AlarmsProps) {
	a := alarms{scope: constructs.NewConstruct(scope, &id)}
	if arn := props.Settings.AlarmTopicArn; arn != "" {
		a.topic = awssns.Topic_FromTopicArn(a.scope, jsii.String("Topic"), &arn)
	}
	a.add("ExecutionsFailed",
		props.Workflow.StateMachine.MetricFailed(options("Sum")), 1, 1,
		"Executions of the state machine failed. Open a failed execution and read its cause: increment's messages are "+
			"in the rejected-messages queue or, with EXPRESS, still in their own; what failed later is owed in the tables and stays for the next look.")
	a.notEmpty("RejectedMessages", props.Queues.Rejected,
		"Messages were rejected. Read their attributes: each carries its reason and a sentence that says what is wrong. "+
			"Have the producer corrected, then put the message back in an envelope with its identity, or delete it.")
	a.notEmpty("FileReceivedDeadLetters", props.Queues.FileReceivedDeadLetters,
		"No execution could be started for messages or, with EXPRESS, counting them failed again and again. Read the log groups "+
			"of the pipe and of increment, remove the cause, then put the messages "+
			"back in an envelope with their identity (a redrive of the queue would give them new ones).")
	a.notEmpty("ExportStateDeadLetters", props.Queues.ExportStateDeadLetters,
		"The snapshot sender did not take requests for success files. See whether it runs and what it logs, then redrive "+
			"the queue: a repeated request is harmless.")
	a.notEmpty("StatusChangedDeadLetters", props.StatusChangedDeadLetters,
		"No execution could be started for changes of status. The sweep finds the collections and looks at them, so nothing "+
			"is lost: read the pipe's log group, remove the cause, then purge the queue.")
	a.add("SweepErrors",
		props.Sweep.MetricErrors(options("Sum")), 1, 1,
		"The sweep failed. Read its log group: the error names the run. The next sweep does what this one did not.")
	a.missing("SweepMissing",
		props.Sweep.MetricInvocations(options("Sum")), max(3, math.Ceil(3*float64(props.Settings.SweepEveryMinutes)/5)),
		"The sweep was not called 3 times in a row. See whether its schedule is enabled and its role may invoke it: without "+
			"the sweep, what is owed too long stays owed and stalled runs are not reported.")
	a.add("FileReceivedAge",
		props.Queues.FileReceived.MetricApproximateAgeOfOldestMessage(options("Maximum")), 15*60, 3,
		"Messages of received files have waited for over 15 minutes. See whether the pipe is running, what its log group "+
			"says, and whether starts of the state machine are throttled.")
}

// notEmpty goes off when the queue holds a message; a queue that is nil has no alarm.
func (a alarms) notEmpty(id string, queue awssqs.IQueue, description string) {
	if queue == nil {
		return
	}
	a.add(id, queue.MetricApproximateNumberOfMessagesVisible(options("Maximum")), 1, 1, description)
}

// add makes an alarm that goes off when the metric is at the threshold or above for a number of periods of 5 minutes.
func (a alarms) add(id string, metric awscloudwatch.Metric, threshold, periods float64, description string) {
	a.create(id, metric, &awscloudwatch.CreateAlarmOptions{
		AlarmDescription:   &description,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		Threshold:          &threshold,
		EvaluationPeriods:  &periods,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// missing makes an alarm that goes off when the metric has nothing to tell for a number of periods of 5 minutes.
func (a alarms) missing(id string, metric awscloudwatch.Metric, periods float64, description string) {
	a.create(id, metric, &awscloudwatch.CreateAlarmOptions{
		AlarmDescription:   &description,
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  &periods,
		TreatMissingData:   awscloudwatch.TreatMissingData_BREACHING,
	})
}

func (a alarms) create(id string, metric awscloudwatch.Metric, options *awscloudwatch.CreateAlarmOptions) {
	alarm := metric.CreateAlarm(a.scope, &id, options)
	if a.topic != nil {
		alarm.AddAlarmAction(awscloudwatchactions.NewSnsAction(a.topic))
	}
}

func options(statistic string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: &statistic, Period: awscdk.Duration_Minutes(jsii.Number(5))}
}
