package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// NewDashboard makes the dashboard, which answers from top to bottom what an operator asks: is anything wrong, which
// runs are open, where are messages waiting, how fast is it, and what does it cost.
func NewDashboard(scope constructs.Construct, id string, props WatchedProps, alarms []awscloudwatch.IAlarm) {
	here := constructs.NewConstruct(scope, &id)
	dashboard := awscloudwatch.NewDashboard(here, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(props.Settings.StackName()),
		DefaultInterval: awscdk.Duration_Hours(jsii.Number(12)),
	})
	row := func(heading string, widgets ...awscloudwatch.IWidget) {
		dashboard.AddWidgets(awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{
			Markdown: jsii.String("## " + heading), Width: jsii.Number(24), Height: jsii.Number(1)}))
		dashboard.AddWidgets(widgets...)
	}
	var shown []interfacesawscloudwatch.IAlarmRef
	for _, alarm := range alarms {
		shown = append(shown, alarm)
	}
	row("Is anything wrong?", awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Alarms: &shown, Title: jsii.String("Alarms: what to do stands in docs/runbook.md"), Width: jsii.Number(24),
		Height: jsii.Number(8)}))
	row("Which runs are open?", runWidgets(props)...)
	row("Where are messages waiting?", queueWidgets(props)...)
	row("How fast is it?", speedWidgets(props)...)
	row("What does it cost?", costWidgets(props)...)
}

// graph draws metrics, up to four graphs in a row.
func graph(title, unit string, drawn ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &drawn, Width: jsii.Number(6), Height: jsii.Number(6),
		LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), Label: &unit, ShowUnits: jsii.Bool(false)},
	})
}

func labelled(m awscloudwatch.Metric, label string) awscloudwatch.IMetric {
	return m.With(&awscloudwatch.MetricOptions{Label: &label})
}

func runWidgets(p WatchedProps) []awscloudwatch.IWidget {
	ours := p.Settings.metric
	return []awscloudwatch.IWidget{
		graph("Open runs, and stalled ones", "runs", ours(metrics.OpenRuns, "Maximum"),
			ours(metrics.StalledRuns, "Maximum")),
		graph("Ages", "seconds", labelled(ours(metrics.OldestOpenRunAge, "Maximum"), "oldest open run"),
			labelled(ours(metrics.OldestPendingAge, "Maximum"), "oldest pending message")),
		graph("Notifications", "runs", ours(metrics.RunsReceived, "Sum"), ours(metrics.RunsSuccessful, "Sum")),
		graph("Collections", "collections", ours(metrics.CollectionsReceived, "Sum"), ours(metrics.RequestsSent, "Sum"),
			ours(metrics.CollectionsSuccessful, "Sum")),
	}
}

func queueWidgets(p WatchedProps) []awscloudwatch.IWidget {
	var visible, ages, lost []awscloudwatch.IMetric
	for _, queue := range []struct {
		name string
		awssqs.IQueue
	}{{"file received", p.Queues.FileReceived}, {"export state", p.Queues.ExportState}} {
		visible = append(visible, labelled(queueMetric(queue, "ApproximateNumberOfMessagesVisible", "Maximum"),
			queue.name),
			labelled(queueMetric(queue, "ApproximateNumberOfMessagesNotVisible", "Maximum"), queue.name+
				", being worked on"))
		ages = append(ages, labelled(queueMetric(queue, "ApproximateAgeOfOldestMessage", "Maximum"), queue.name))
	}
	for _, queue := range []struct {
		name string
		awssqs.IQueue
	}{{"rejected", p.Queues.Rejected}, {"file received, dead letters", p.Queues.FileReceivedDeadLetters},
		{"export state, dead letters", p.Queues.ExportStateDeadLetters}, {"status changed, dead letters",
			p.StatusChanged.DeadLetters}} {
		if queue.IQueue != nil {
			lost = append(lost, labelled(queueMetric(queue, "ApproximateNumberOfMessagesVisible", "Maximum"),
				queue.name))
		}
	}
	var rejected []awscloudwatch.IMetric
	for _, reason := range snapshot.Reasons {
		if reason != snapshot.ReasonNotCounted { // rejected by the state machine, which measures nothing
			rejected = append(rejected, labelled(p.Settings.rejected(reason), string(reason)))
		}
	}
	return []awscloudwatch.IWidget{
		graph("Waiting", "messages", visible...),
		graph("Age of the oldest", "seconds", ages...),
		graph("For a person", "messages", lost...),
		graph("Rejected, by reason", "messages", rejected...),
	}
}

func speedWidgets(p WatchedProps) []awscloudwatch.IWidget {
	ours := p.Settings.metric
	var durations, troubles []awscloudwatch.IMetric
	for _, f := range p.functions() {
		durations = append(durations, labelled(f.metric("Duration", "p99"), f.name))
		troubles = append(troubles, labelled(f.metric("Errors", "Sum"), f.name+" errors"),
			labelled(f.metric("Throttles", "Sum"), f.name+" throttles"),
			labelled(f.logMetric("EMFValidationErrors"), f.name+" metrics refused"),
			labelled(f.logMetric("EMFParsingErrors"), f.name+" metrics unreadable"))
	}
	return []awscloudwatch.IWidget{
		graph("Files", "in 5 minutes", ours(metrics.FilesReceived, "Sum"), ours(metrics.SuccessFilesReceived, "Sum"),
			ours(metrics.DuplicateMessages, "Sum"),
			ours(metrics.FilesOverReceived, "Sum"), ours(metrics.ContentionRetries, "Sum")),
		graph("From sent to counted", "milliseconds", labelled(ours(metrics.MessageProcessingTime, "p50"),
			"half of the messages"),
			labelled(ours(metrics.MessageProcessingTime, "p99"), "99 of 100"),
			labelled(ours(metrics.MessageProcessingTime, "Maximum"), "all")),
		graph("A function's call, 99 of 100", "milliseconds", durations...),
		graph("Troubles of functions", "in 5 minutes", troubles...),
	}
}
