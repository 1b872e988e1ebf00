package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/price"
)

// costWidgets draw what an hour cost at AWS's list prices (internal/price), as far as metrics tell: no discounts, no
// storage, and of Step Functions only the two states (or the request) that every execution has at least.
func costWidgets(p WatchedProps) []awscloudwatch.IWidget {
	one := func(d price.Dimension) float64 {
		usage := price.Usage{}
		usage[d] = 1
		return price.List.Bill(usage).Total()
	}
	var lambda, logs []priced
	for _, f := range p.functions() {
		gb := f.memoryMB / 1024
		lambda = append(lambda, priced{f.metric("Invocations", "Sum"), one(price.LambdaRequest)},
			priced{f.metric("Duration", "Sum"), one(price.LambdaGBSecond) * gb / 1000})
		logs = append(logs, priced{f.logMetric("IncomingBytes"), one(price.LogGB) / 1e9})
	}
	execution := 2 * one(price.StateTransition)
	if p.Settings.WorkflowType == Express {
		execution = one(price.ExpressRequest)
	}
	queue := func(name string) priced {
		return priced{queueMetric(p.Queues.FileReceived, name, "Sum"), one(price.SQSRequest)}
	}
	costs := []awscloudwatch.IMetric{
		cost("Lambda", "l", lambda...),
		cost("DynamoDB", "d",
			priced{tableMetric(p.Tables.Ledger, "ConsumedReadCapacityUnits", "Sum"), one(price.ReadUnit)},
			priced{tableMetric(p.Tables.Ledger, "ConsumedWriteCapacityUnits", "Sum"), one(price.WriteUnit)},
			priced{tableMetric(p.Tables.ExportStatus, "ConsumedReadCapacityUnits", "Sum"), one(price.ReadUnit)},
			priced{tableMetric(p.Tables.ExportStatus, "ConsumedWriteCapacityUnits", "Sum"), one(price.WriteUnit)}),
		cost("Step Functions, at least", "s", priced{p.Workflow.metric("ExecutionsStarted", "Sum"), execution}),
		cost("Pipes", "p", pipeCosts(p, one(price.PipesRequest))...),
		cost("Source queue", "q", queue("NumberOfMessagesSent"), queue("NumberOfMessagesReceived"),
			queue("NumberOfEmptyReceives"), queue("NumberOfMessagesDeleted")),
		cost("Logs of the functions", "g", logs...),
	}
	width, unit := 12.0, "USD"
	return []awscloudwatch.IWidget{
		awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
			Title: jsii.String("USD an hour, at list prices"), Left: &costs, Stacked: jsii.Bool(true), Width: &width,
			Height:    jsii.Number(6),
			LeftYAxis: &awscloudwatch.YAxisProps{Min: jsii.Number(0), Label: &unit, ShowUnits: jsii.Bool(false)},
		}),
		graph("Capacity units", "in 5 minutes", labelled(tableMetric(p.Tables.Ledger, "ConsumedWriteCapacityUnits",
			"Sum"), "ledger, written"),
			labelled(tableMetric(p.Tables.Ledger, "ConsumedReadCapacityUnits", "Sum"), "ledger, read"),
			labelled(tableMetric(p.Tables.ExportStatus, "ConsumedWriteCapacityUnits", "Sum"),
				"export status, written by anybody"),
			labelled(tableMetric(p.Tables.ExportStatus, "ConsumedReadCapacityUnits", "Sum"),
				"export status, read by anybody")),
		graph("Executions", "in 5 minutes", p.Workflow.metric("ExecutionsStarted", "Sum"),
			p.Workflow.metric("ExecutionsFailed", "Sum"),
			p.Workflow.metric("ExecutionsTimedOut", "Sum")),
	}
}

func pipeCosts(p WatchedProps, usd float64) (parts []priced) {
	for _, pipe := range p.pipes() {
		parts = append(parts, priced{pipe.metric("Invocations", "Sum"), usd})
	}
	return parts
}

// priced is a metric whose every unit has a price.
type priced struct {
	metric awscloudwatch.Metric
	usd    float64
}

// cost is what they cost in an hour. prefix keeps the names in its expression apart from those of other costs.
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
