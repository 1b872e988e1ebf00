package main

import (
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"snapshot-status-checker/internal/telemetry/metrics"
)

// WatchedProps are what alarms and dashboard watch.
type WatchedProps struct {
	Settings      Settings
	Tables        Tables
	Queues        Queues
	Monitoring    Monitoring
	Functions     Functions
	Workflow      Workflow
	Sweep         Function
	FileReceived  Pipe
	StatusChanged Pipe // without a name if the table has no stream
}

// functions lists all functions by the names that their alarms begin with.
func (p WatchedProps) functions() []namedFunction {
	return []namedFunction{{"Increment", p.Functions.Increment}, {"CheckCollection", p.Functions.CheckCollection},
		{"CheckAll", p.Functions.CheckAll}, {"Notify", p.Functions.Notify}, {"Sweep", p.Sweep}}
}

type namedFunction struct {
	name string
	Function
}

// pipes lists the pipes that there are.
func (p WatchedProps) pipes() []Pipe {
	if p.StatusChanged.Name == nil {
		return []Pipe{p.FileReceived}
	}
	return []Pipe{p.FileReceived, p.StatusChanged}
}

// NewAlarms makes the alarms: all that a person has to know of, and what can be done about it.
func NewAlarms(scope constructs.Construct, id string, props WatchedProps) []awscloudwatch.IAlarm {
	a := newAlarms(constructs.NewConstruct(scope, &id), props.Settings)
	a.ofRuns(props)
	a.ofExecutions(props)
	a.ofMessages(props.Queues, props.StatusChanged.DeadLetters)
	a.ofPipes(props)
	a.ofFunctions(props)
	a.ofTables(props.Tables)
	return a.made
}

// ofRuns: what was to happen and did not. The sweep measures it.
func (a *alarms) ofRuns(p WatchedProps) {
	sweeping := float64(p.Settings.SweepEveryMinutes)
	a.add(alarm{id: "RunStalled", metric: p.Settings.metric(metrics.StalledRuns, "Maximum"), threshold: 1, periods: 1,
		missing: keeps,
		text: "A run has made no progress for too long. The alert on the monitoring topic names the collections " +
			"that block it: find out what each waits for."})
	a.add(alarm{id: "MessagePending", metric: p.Settings.metric(metrics.OldestPendingAge, "Maximum"), periods: 1,
		missing:   keeps,
		threshold: lease(p.Settings).Seconds() + 2*60*sweeping, // an owner may die, and the next sweep has it delivered
		text: "A request to the sender or a notification to monitoring has been pending for too long: its delivery " +
			"fails again and again. " +
			"Read what the function notify logs. Check that queue and topic exist and that it may send to them."})
	a.add(alarm{id: "NotificationNotDelivered", metric: topicMetric(p.Monitoring.Topic, "NumberOfNotificationsFailed",
		"Sum"), threshold: 1, periods: 1,
		text: "The monitoring topic could not deliver a notification to a subscriber, and will not try again. Mend " +
			"the subscription, and tell its owner what the topic said."})
	a.add(alarm{id: "SweepMissing", metric: p.Sweep.metric("Invocations", "Sum"), threshold: 1, below: true,
		missing: isBroken,
		periods: max(3, math.Ceil(3*sweeping/metricMinutes)),
		text: "The sweep was not called 3 times in a row: messages that are pending too long stay pending, and " +
			"nobody is alerted to stalled runs. " +
			"See whether its schedule is enabled and its role may invoke it."})
}

func (a *alarms) ofExecutions(p WatchedProps) {
	a.add(alarm{id: "ExecutionsFailed", metric: p.Workflow.metric("ExecutionsFailed", "Sum"), threshold: 1, periods: 1,
		text: "Executions of the state machine failed. Read the cause of one: increment's messages are in the " +
			"rejected-messages queue or, with EXPRESS, still in their own; " +
			"what failed later is stored in the tables, and the sweep continues from there."})
	a.add(alarm{id: "ExecutionsTimedOut", metric: p.Workflow.metric("ExecutionsTimedOut", "Sum"), threshold: 1,
		periods: 1,
		text: "Executions ran out of time, which only EXPRESS knows (5 minutes). Their messages are in the source " +
			"queue again. See which state they stood in."})
	a.add(alarm{id: "ExecutionsThrottled", metric: p.Workflow.metric("ExecutionThrottled", "Sum"), threshold: 1,
		periods: 3,
		text: "Step Functions has throttled the state machine for 15 minutes. It goes on more slowly. Raise the " +
			"account's quotas, or batchSize."})
}

// ofMessages: where messages wait, and those that a person has to deal with. Queues that are nil are not ours.
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
				threshold: 1, periods: 1, text: text})
		}
	}
	waits("FileReceivedAge", q.FileReceived, 15*60, "Messages of received files have waited for over 15 minutes. "+
		"See whether the pipe is running, what its log group says, and whether starts of the state machine are "+
		"throttled.")
	waits("ExportStateAge", q.ExportState, 60*60,
		"Requests for success files have waited for over an hour. See whether the snapshot sender runs.")
	notEmpty("RejectedMessages", q.Rejected,
		"Messages were rejected. Read their attributes: each carries its reason and a sentence that says what is "+
			"wrong. "+
			"Have the producer corrected, then replay the message in an envelope with its identity, or delete it.")
	notEmpty("FileReceivedDeadLetters", q.FileReceivedDeadLetters,
		"No execution could be started for messages or, with EXPRESS, counting them failed again and again. "+
			"Read the log groups of the pipe and of increment, remove the cause, then replay the messages in an "+
			"envelope with their identity (a redrive of the queue would give them new ones).")
	notEmpty("ExportStateDeadLetters", q.ExportStateDeadLetters,
		"The snapshot sender did not take requests for success files. "+
			"See whether it runs and what it logs, then redrive the queue: a repeated request is harmless.")
	notEmpty("StatusChangedDeadLetters", statusChangedDeadLetters,
		"No execution could be started for changes of status. The sweep reconciles these collections, "+
			"so nothing is lost: read the pipe's log group, remove the cause, then purge the queue.")
	waits("RejectedMessagesExpire", q.Rejected, (keptDays-3)*days,
		"Rejected messages will be deleted in 3 days. Replay them, delete them, or save them elsewhere.")
	waits("FileReceivedDeadLettersExpire", q.FileReceivedDeadLetters, (keptDays-6)*days,
		"Messages of received files will soon be deleted from their dead-letter queue, "+
			"14 days after they were sent, and are not counted yet. Replay them or save them elsewhere.")
	waits("ExportStateDeadLettersExpire", q.ExportStateDeadLetters, (keptDays-6)*days,
		"Requests for success files will soon be deleted from their dead-letter queue. "+
			"Without them their runs hang. Redrive the queue.")
}

// ofPipes. Whether they run is what the sweep measures: a pipe that is stopped has no metric that says so.
func (a *alarms) ofPipes(p WatchedProps) {
	a.add(alarm{id: "PipesStopped", metric: p.Settings.metric(metrics.StoppedPipes, "Maximum"), threshold: 1,
		periods: 1, missing: keeps,
		text: "A pipe is stopped and stays so: by a person, or by AWS after lasting errors. Without the pipe of " +
			"messages no message is counted. " +
			"Remove the cause that its state names, then start it: aws pipes start-pipe."})
	for _, pipe := range p.pipes() {
		a.add(alarm{id: pipe.ID + "Failed", entry: "pipe-failed", metric: pipe.metric("ExecutionFailed", "Sum"),
			threshold: 1, periods: 1,
			text: "The pipe could not start the state machine. What it carried stays in its source and is tried " +
				"again, a few times. Read the pipe's log group."})
		a.add(alarm{id: pipe.ID + "Throttled", entry: "pipe-throttled", metric: pipe.metric("ExecutionThrottled",
			"Sum"), threshold: 1, periods: 3,
			text: "The pipe has been throttled for 15 minutes. What it carries waits. Raise the account's quotas, " +
				"or batchSize."})
	}
}

// ofFunctions. A single error is nothing to get up for: the state machine tries again, for minutes.
func (a *alarms) ofFunctions(p WatchedProps) {
	for _, f := range p.functions() {
		periods := 3.0
		if f.name == "Sweep" {
			periods = 1 // its next call may come an hour later
		}
		a.add(alarm{id: f.name + "Errors", entry: "function-errors", metric: f.metric("Errors", "Sum"), threshold: 1,
			periods: periods,
			text: "Calls of the function fail again and again. Read the errors in its log group: each names what it " +
				"was about and its cause."})
		a.add(alarm{id: f.name + "Throttled", entry: "function-throttled", metric: f.metric("Throttles", "Sum"),
			threshold: 1, periods: periods,
			text: "Lambda refuses calls of the function, and has for a while. They are tried again. See what uses " +
				"up the account's concurrency, and raise it."})
		a.add(alarm{id: f.name + "Slow", entry: "function-slow", metric: f.metric("Duration", "Maximum"),
			threshold: 0.8 * 1000 * *f.Timeout().ToSeconds(nil), periods: periods,
			text: "Calls of the function take over 80% of the time that they have. See whether tables or queues are " +
				"slow or throttled, and whether runs have grown."})
	}
}

// ofTables. Throttles are those of all who use a table. Nobody makes transactions on the export status table, since
// they make the plain writes of others fail.
func (a *alarms) ofTables(t Tables) {
	throttled := func(id string, metric awscloudwatch.Metric) {
		a.add(alarm{id: id, entry: "table-throttled", metric: metric, threshold: 1, periods: 3,
			text: "DynamoDB has throttled the table for 15 minutes. Calls are tried again. See whose reads or " +
				"writes have grown, and whether one run is much larger than others."})
	}
	throttled("LedgerReadsThrottled", tableMetric(t.Ledger, "ReadThrottleEvents", "Sum"))
	throttled("LedgerWritesThrottled", tableMetric(t.Ledger, "WriteThrottleEvents", "Sum"))
	throttled("ExportStatusReadsThrottled", tableMetric(t.ExportStatus, "ReadThrottleEvents", "Sum"))
	throttled("ExportStatusWritesThrottled", tableMetric(t.ExportStatus, "WriteThrottleEvents", "Sum"))
	a.add(alarm{id: "ExportStatusConflicts", metric: tableMetric(t.ExportStatus, "TransactionConflict", "Sum"),
		threshold: 1, periods: 1,
		text: "Somebody makes transactions on the export status table: not this system. They make the sender's " +
			"plain writes fail. Find out who, in CloudTrail."})
}
