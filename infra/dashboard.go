package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/price"
	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// NewDashboard makes the dashboard. Its rows are an operator's questions, the most urgent first.
func NewDashboard(scope constructs.Construct, id string, p parts, alarms []awscloudwatch.IAlarm) {
	here := constructs.NewConstruct(scope, &id)
	dashboard := awscloudwatch.NewDashboard(here, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(p.settings.StackName()),
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
		Alarms: &shown, Title: jsii.String("Alarms (what to do: docs/runbook.md)"), Width: jsii.Number(24),
		Height: jsii.Number(8)}))
	row("Which runs are open?", runWidgets(p)...)
	row("Where are messages waiting?", queueWidgets(p)...)
	row("How fast is it?", speedWidgets(p)...)
	row("What does it cost?", costWidgets(p)...)
}

// graph draws metrics, up to four graphs in a row.
func graph(title, unit string, drawn ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &drawn, Width: jsii.Number(6), Height: jsii.Number(6), LeftYAxis: axis(unit)})
}

func axis(unit string) *awscloudwatch.YAxisProps {
	return &awscloudwatch.YAxisProps{Min: jsii.Number(0), Label: &unit, ShowUnits: jsii.Bool(false)}
}

func labelled(m awscloudwatch.Metric, label string) awscloudwatch.IMetric {
	return m.With(&awscloudwatch.MetricOptions{Label: &label})
}

func runWidgets(p parts) []awscloudwatch.IWidget {
	ours := p.settings.metric
	return []awscloudwatch.IWidget{
		graph("Open, stalled and late runs", "runs", ours(metrics.OpenRuns, "Maximum"),
			ours(metrics.StalledRuns, "Maximum"), ours(metrics.LateRuns, "Maximum")),
		graph("Age of the oldest", "seconds", labelled(ours(metrics.OldestOpenRunAge, "Maximum"), "open run"),
			labelled(ours(metrics.OldestPendingAge, "Maximum"), "pending message")),
		graph("Notifications", "runs", ours(metrics.RunsReceived, "Sum"), ours(metrics.RunsSuccessful, "Sum")),
		graph("Collections", "collections", ours(metrics.CollectionsReceived, "Sum"), ours(metrics.RequestsSent, "Sum"),
			ours(metrics.CollectionsSuccessful, "Sum")),
	}
}

func queueWidgets(p parts) []awscloudwatch.IWidget {
	const visibleMessages = "ApproximateNumberOfMessagesVisible"
	type named struct {
		name string
		awssqs.IQueue
	}
	var visible, ages, failed, rejected []awscloudwatch.IMetric
	for _, queue := range []named{{"file received", p.queues.FileReceived}, {"export state", p.queues.ExportState}} {
		visible = append(visible, labelled(queueMetric(queue, visibleMessages, "Maximum"), queue.name),
			labelled(queueMetric(queue, "ApproximateNumberOfMessagesNotVisible", "Maximum"), queue.name+", in flight"))
		ages = append(ages, labelled(queueMetric(queue, "ApproximateAgeOfOldestMessage", "Maximum"), queue.name))
	}
	for _, queue := range []named{{"rejected", p.queues.Rejected},
		{"file received, dead letters", p.queues.FileReceivedDeadLetters},
		{"export state, dead letters", p.queues.ExportStateDeadLetters},
		{"status changed, dead letters", p.statusChanged.DeadLetters}} {
		if queue.IQueue != nil {
			failed = append(failed, labelled(queueMetric(queue, visibleMessages, "Maximum"), queue.name))
		}
	}
	for _, reason := range snapshot.Reasons {
		if reason != snapshot.ReasonNotCounted { // the state machine rejects these, without a metric
			rejected = append(rejected, labelled(p.settings.rejected(reason), string(reason)))
		}
	}
	return []awscloudwatch.IWidget{
		graph("Waiting", "messages", visible...),
		graph("Age of the oldest", "seconds", ages...),
		graph("Needing a person", "messages", failed...),
		graph("Rejected, by reason", "messages", rejected...),
	}
}

func speedWidgets(p parts) []awscloudwatch.IWidget {
	ours := p.settings.metric
	var durations, errors []awscloudwatch.IMetric
	for _, f := range p.allFunctions() {
		durations = append(durations, labelled(f.metric("Duration", "p99"), f.name))
		errors = append(errors, labelled(f.metric("Errors", "Sum"), f.name+" errors"),
			labelled(f.metric("Throttles", "Sum"), f.name+" throttles"),
			labelled(f.logMetric("EMFValidationErrors"), f.name+" invalid metrics"),
			labelled(f.logMetric("EMFParsingErrors"), f.name+" unreadable metrics"))
	}
	return []awscloudwatch.IWidget{
		graph("Files", "in 5 minutes", ours(metrics.FilesReceived, "Sum"), ours(metrics.SuccessFilesReceived, "Sum"),
			ours(metrics.RepeatedFiles, "Sum"), ours(metrics.DuplicateMessages, "Sum"),
			ours(metrics.FilesOverReceived, "Sum"), ours(metrics.ContentionRetries, "Sum")),
		graph("From sent to counted", "milliseconds", labelled(ours(metrics.MessageProcessingTime, "p50"), "p50"),
			labelled(ours(metrics.MessageProcessingTime, "p99"), "p99"),
			labelled(ours(metrics.MessageProcessingTime, "Maximum"), "maximum")),
		graph("Duration of functions, p99", "milliseconds", durations...),
		graph("Errors of functions", "in 5 minutes", errors...),
	}
}

// costWidgets draw the cost of each hour at AWS's list prices (internal/price), as far as metrics show it: no
// discounts, no storage, and of Step Functions only the two states (or the request) that every execution has.
func costWidgets(p parts) []awscloudwatch.IWidget {
	one := func(d price.Dimension) float64 { return price.List[d][0].USD } // of the first tier
	var lambda, logs, pipes []priced
	for _, f := range p.allFunctions() {
		gb := f.memoryMB / 1024
		lambda = append(lambda, priced{f.metric("Invocations", "Sum"), one(price.LambdaRequest)},
			priced{f.metric("Duration", "Sum"), one(price.LambdaGBSecond) * gb / 1000})
		logs = append(logs, priced{f.logMetric("IncomingBytes"), one(price.LogGB) / 1e9})
	}
	for _, pipe := range p.pipes() {
		pipes = append(pipes, priced{pipe.metric("Invocations"), one(price.PipesRequest)})
	}
	execution := 2 * one(price.StateTransition)
	if p.settings.WorkflowType == Express {
		execution = one(price.ExpressRequest)
	}
	queue := func(name string) priced {
		return priced{queueMetric(p.queues.FileReceived, name, "Sum"), one(price.SQSRequest)}
	}
	ledgerReads := tableMetric(p.tables.Ledger, "ConsumedReadCapacityUnits")
	ledgerWrites := tableMetric(p.tables.Ledger, "ConsumedWriteCapacityUnits")
	statusReads := tableMetric(p.tables.ExportStatus, "ConsumedReadCapacityUnits")
	statusWrites := tableMetric(p.tables.ExportStatus, "ConsumedWriteCapacityUnits")
	costs := []awscloudwatch.IMetric{
		cost("Lambda", "l", lambda...),
		cost("DynamoDB", "d", priced{ledgerReads, one(price.ReadUnit)}, priced{ledgerWrites, one(price.WriteUnit)},
			priced{statusReads, one(price.ReadUnit)}, priced{statusWrites, one(price.WriteUnit)}),
		cost("Step Functions, at least", "s", priced{p.workflow.metric("ExecutionsStarted"), execution}),
		cost("Pipes", "p", pipes...),
		cost("Source queue", "q", queue("NumberOfMessagesSent"), queue("NumberOfMessagesReceived"),
			queue("NumberOfEmptyReceives"), queue("NumberOfMessagesDeleted")),
		cost("Logs of functions", "g", logs...),
	}
	return []awscloudwatch.IWidget{
		awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: jsii.String("USD an hour, at list prices"), Left: &costs, Stacked: jsii.Bool(true),
			Width: jsii.Number(12), Height: jsii.Number(6), LeftYAxis: axis("USD")}),
		graph("Capacity units", "in 5 minutes", labelled(ledgerWrites, "ledger, written"),
			labelled(ledgerReads, "ledger, read"), labelled(statusWrites, "export status, written (all users)"),
			labelled(statusReads, "export status, read (all users)")),
		graph("Executions", "in 5 minutes", p.workflow.metric("ExecutionsStarted"),
			p.workflow.metric("ExecutionsFailed"), p.workflow.metric("ExecutionsTimedOut")),
	}
}

// priced is a metric with the price of each of its units.
type priced struct {
	metric awscloudwatch.Metric
	usd    float64
}

// cost is the cost of the parts in an hour. prefix makes the names in its expression unique within the graph.
func cost(label, prefix string, parts ...priced) awscloudwatch.IMetric {
	using, terms := map[string]awscloudwatch.IMetric{}, []string{}
	for i, part := range parts {
		id := fmt.Sprint(prefix, i)
		using[id], terms = part.metric, append(terms, fmt.Sprintf("FILL(%s,0)*%.12f", id, part.usd))
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(strings.Join(terms, "+")), UsingMetrics: &using, Label: &label,
		Period: awscdk.Duration_Hours(jsii.Number(1)),
	})
}
