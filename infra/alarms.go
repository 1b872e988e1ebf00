package main

import (
	"cmp"
	"math"
	"strings"
	"unicode"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/telemetry/metrics"
)

// alarm goes off when its metric is at or above the threshold (with below: under it) in a number of consecutive
// periods of metricMinutes.
type alarm struct {
	id        string // says what is wrong; also names its section of the runbook, unless section does
	section   string
	text      string // what is wrong and what to do, in sentences
	metric    awscloudwatch.IMetric
	threshold float64 // 0: 1
	periods   float64 // 0: 1
	below     bool
	missing   awscloudwatch.TreatMissingData // "": missing data are fine, as for a metric that counts events
}

// measuredBySweep leaves an alarm in its state until the next sweep measures; SweepMissing covers a sweep that is not
// called.
const measuredBySweep = awscloudwatch.TreatMissingData_IGNORE

// alarms makes alarms and collects them for the dashboard.
type alarms struct {
	scope constructs.Construct
	stack string
	topic awssns.ITopic // nil if the context names none
	made  []awscloudwatch.IAlarm
}

func (a *alarms) add(new alarm) {
	operator := awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD
	if new.below {
		operator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	made := awscloudwatch.NewAlarm(a.scope, &new.id, &awscloudwatch.AlarmProps{
		AlarmName: jsii.String(a.stack + "-" + new.id),
		AlarmDescription: jsii.String(
			new.text + " Runbook: docs/runbook.md#" + cmp.Or(new.section, runbookSection(new.id))),
		Metric:             new.metric,
		ComparisonOperator: operator,
		Threshold:          jsii.Number(cmp.Or(new.threshold, 1)),
		EvaluationPeriods:  jsii.Number(cmp.Or(new.periods, 1)),
		TreatMissingData:   cmp.Or(new.missing, awscloudwatch.TreatMissingData_NOT_BREACHING),
	})
	if a.topic != nil {
		made.AddAlarmAction(awscloudwatchactions.NewSnsAction(a.topic))
	}
	a.made = append(a.made, made)
}

// runbookSection is the anchor of an alarm's heading: ExecutionsFailed has "Executions failed".
func runbookSection(id string) string {
	var section strings.Builder
	for i, r := range id {
		if unicode.IsUpper(r) && i > 0 {
			section.WriteByte('-')
		}
		section.WriteRune(unicode.ToLower(r))
	}
	return section.String()
}

// NewAlarms makes the alarms: each needs a person, and its text and its section of the runbook say what to do.
func NewAlarms(scope constructs.Construct, id string, p parts) []awscloudwatch.IAlarm {
	a := &alarms{scope: constructs.NewConstruct(scope, &id), stack: p.settings.StackName()}
	if arn := p.settings.AlarmTopicArn; arn != "" {
		a.topic = awssns.Topic_FromTopicArn(a.scope, jsii.String("Topic"), &arn)
	}
	a.ofRuns(p)
	a.ofExecutions(p)
	a.ofMessages(p.queues, p.statusChanged.DeadLetters)
	a.ofPipes(p)
	a.ofFunctions(p)
	a.ofTables(p.tables)
	return a.made
}

func (a *alarms) ofRuns(p parts) {
	sweepMinutes := float64(p.settings.SweepEveryMinutes)
	a.add(alarm{id: "RunStalled", metric: p.settings.metric(metrics.StalledRuns, "Maximum"), missing: measuredBySweep,
		text: "A run has made no progress for too long. The alert on the monitoring topic names the collections " +
			"that block it: find out what each waits for."})
	if p.settings.LateAfter != nil {
		a.add(alarm{id: "RunLate", metric: p.settings.metric(metrics.LateRuns, "Maximum"), missing: measuredBySweep,
			text: "A run is not successful by its deadline (lateAfterMinutes). The alert on the monitoring topic " +
				"names the collections that block it. Find out what each waits for, and tell the run's users when " +
				"to expect it."})
	}
	a.add(alarm{id: "MessagePending", metric: p.settings.metric(metrics.OldestPendingAge, "Maximum"),
		missing:   measuredBySweep,
		threshold: lease(p.settings).Seconds() + 2*60*sweepMinutes, // if an owner dies, the next sweep redelivers
		text: "A request to the sender or a notification to monitoring has been pending for too long: its delivery " +
			"fails repeatedly. Read the errors of the function notify. Check that queue and topic exist and that " +
			"notify may send to them."})
	a.add(alarm{id: "NotificationNotDelivered", metric: metric("AWS/SNS",
		"NumberOfNotificationsFailed", "Sum", map[string]*string{"TopicName": p.topic.TopicName()}),
		text: "The monitoring topic gave up delivering a notification to a subscriber. Repair the subscription, and " +
			"tell its owner what the notification said."})
	a.add(alarm{id: "SweepMissing", metric: p.sweep.metric("Invocations", "Sum"), below: true,
		missing: awscloudwatch.TreatMissingData_BREACHING, periods: max(3, math.Ceil(3*sweepMinutes/metricMinutes)),
		text: "The sweep was not called 3 times in a row: pending messages are not redelivered, and stalled runs " +
			"raise no alert. Check that its schedule is enabled and that the schedule's role may invoke it."})
}

func (a *alarms) ofExecutions(p parts) {
	a.add(alarm{id: "ExecutionsFailed", metric: p.workflow.metric("ExecutionsFailed"),
		text: "Executions of the state machine failed. Read the cause of one. Messages that could not be counted " +
			"are in the rejected-messages queue or, with EXPRESS, still in their own. After any later failure the " +
			"sweep continues from what is stored."})
	a.add(alarm{id: "ExecutionsTimedOut", metric: p.workflow.metric("ExecutionsTimedOut"),
		text: "EXPRESS executions reached their limit of 5 minutes. Their messages are in the source queue again. " +
			"Find the state that took so long."})
	a.add(alarm{id: "ExecutionsThrottled", metric: p.workflow.metric("ExecutionThrottled"), periods: 3,
		text: "Step Functions has throttled the state machine for 15 minutes. It continues more slowly. Raise the " +
			"account's quotas, or batchSize."})
}

// ofMessages covers the queues. The stack does not own those that are nil.
func (a *alarms) ofMessages(q Queues, statusChangedDeadLetters awssqs.IQueue) {
	const days = 24 * 60 * 60
	waits := func(id string, queue awssqs.IQueue, seconds float64, text string) {
		if queue != nil {
			a.add(alarm{id: id, metric: queueMetric(queue, "ApproximateAgeOfOldestMessage", "Maximum"),
				threshold: seconds, periods: 3, text: text})
		}
	}
	notEmpty := func(id string, queue awssqs.IQueue, text string) {
		if queue != nil {
			a.add(alarm{id: id, metric: queueMetric(queue, "ApproximateNumberOfMessagesVisible", "Maximum"),
				text: text})
		}
	}
	waits("FileReceivedAge", q.FileReceived, 15*60, "Messages of received files have waited for over 15 minutes. "+
		"Check that the pipe runs, read its log group, and check whether starts of the state machine are throttled.")
	waits("ExportStateAge", q.ExportState, 60*60,
		"Requests for success files have waited for over an hour. Check that the snapshot sender runs.")
	notEmpty("RejectedMessages", q.Rejected,
		"Messages were rejected. Their attributes hold the reason code and a sentence that says what is wrong. "+
			"Have the producer corrected, then replay the message in an envelope with its identity, or delete it.")
	notEmpty("FileReceivedDeadLetters", q.FileReceivedDeadLetters,
		"No execution could be started for messages or, with EXPRESS, counting them failed repeatedly. "+
			"Read the log groups of the pipe and of increment, remove the cause, then replay the messages: "+
			"snapshot-status rejected replay --dead-letters --yes. Do not redrive the queue: a redrive gives new ids.")
	notEmpty("ExportStateDeadLetters", q.ExportStateDeadLetters,
		"The snapshot sender did not process requests for success files. "+
			"Check that it runs and read its log, then redrive the queue: a repeated request is harmless.")
	notEmpty("StatusChangedDeadLetters", statusChangedDeadLetters,
		"No execution could be started for changes of status. Nothing is lost: the sweep reconciles these "+
			"collections. Read the pipe's log group, remove the cause, then purge the queue.")
	waits("RejectedMessagesExpire", q.Rejected, (retentionDays-3)*days,
		"SQS will delete rejected messages in 3 days. Replay them, delete them, or save them elsewhere.")
	waits("FileReceivedDeadLettersExpire", q.FileReceivedDeadLetters, (retentionDays-6)*days,
		"SQS will soon delete messages of received files from their dead-letter queue, 14 days after they were "+
			"sent. They are not counted yet. Replay them or save them elsewhere.")
	waits("ExportStateDeadLettersExpire", q.ExportStateDeadLetters, (retentionDays-6)*days,
		"SQS will soon delete requests for success files from their dead-letter queue. "+
			"Without them their runs hang. Redrive the queue.")
}

// ofPipes relies on the sweep for stopped pipes: Pipes has no metric for them.
func (a *alarms) ofPipes(p parts) {
	a.add(alarm{id: "PipesStopped", metric: p.settings.metric(metrics.StoppedPipes, "Maximum"),
		missing: measuredBySweep,
		text: "A pipe is stopped, by a person or by AWS after lasting errors, and does not start by itself. Without " +
			"the pipe of messages no message is counted. Remove the cause that its state names, then start it: " +
			"aws pipes start-pipe."})
	for _, pipe := range p.pipes() {
		a.add(alarm{id: pipe.ID + "Failed", section: "pipe-failed", metric: pipe.metric("ExecutionFailed"),
			text: "The pipe could not start the state machine. Its messages or records stay in the source, and the " +
				"pipe retries a few times. Read the pipe's log group."})
		a.add(alarm{id: pipe.ID + "Throttled", section: "pipe-throttled", periods: 3,
			metric: pipe.metric("ExecutionThrottled"),
			text: "The pipe has been throttled for 15 minutes. Its messages or records wait. Raise the account's " +
				"quotas, or batchSize."})
	}
}

// ofFunctions waits for 15 minutes of errors: the state machine retries for minutes.
func (a *alarms) ofFunctions(p parts) {
	for _, f := range p.allFunctions() {
		periods := 3.0
		if f.name == "Sweep" {
			periods = 1 // its next call may be an hour later
		}
		a.add(alarm{id: f.name + "Errors", section: "function-errors", metric: f.metric("Errors", "Sum"),
			periods: periods,
			text: "Calls of the function fail repeatedly. Read the errors in its log group: each names what the call " +
				"worked on, and the cause."})
		a.add(alarm{id: f.name + "Throttled", section: "function-throttled", metric: f.metric("Throttles", "Sum"),
			periods: periods,
			text: "Lambda has throttled the function repeatedly. Its calls are retried. Find what uses up the " +
				"account's concurrency, and raise the quota."})
		a.add(alarm{id: f.name + "Slow", section: "function-slow", metric: f.metric("Duration", "Maximum"),
			threshold: 0.8 * 1000 * *f.Timeout().ToSeconds(nil), periods: periods,
			text: "Calls of the function take over 80% of its timeout. Check whether tables or queues are slow or " +
				"throttled, and whether runs have grown."})
	}
}

// ofTables reads metrics that count the calls of all users of a table.
func (a *alarms) ofTables(t Tables) {
	throttled := func(id string, metric awscloudwatch.Metric) {
		a.add(alarm{id: id, section: "table-throttled", metric: metric, periods: 3,
			text: "DynamoDB has throttled the table for 15 minutes. Calls are retried. Find whose reads or writes " +
				"have grown, and whether one run is much larger than others."})
	}
	throttled("LedgerReadsThrottled", tableMetric(t.Ledger, "ReadThrottleEvents"))
	throttled("LedgerWritesThrottled", tableMetric(t.Ledger, "WriteThrottleEvents"))
	throttled("ExportStatusReadsThrottled", tableMetric(t.ExportStatus, "ReadThrottleEvents"))
	throttled("ExportStatusWritesThrottled", tableMetric(t.ExportStatus, "WriteThrottleEvents"))
	a.add(alarm{id: "ExportStatusConflicts", metric: tableMetric(t.ExportStatus, "TransactionConflict"),
		text: "Another system makes transactions on the export status table; this one makes none. They make the " +
			"sender's plain writes fail. Find that system in CloudTrail."})
}
