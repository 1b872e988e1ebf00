package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/snapshot"
	"snapshot-status-checker/internal/telemetry/logging"
	"snapshot-status-checker/internal/telemetry/metrics"
)

// metricMinutes is the period of the metrics. Every alarm counts in it.
const metricMinutes = 5

// metric is read by an alarm or the dashboard. CloudWatch accepts any name, also of a metric that does not exist:
// TestMetricsExist compares each with the metrics that AWS and our functions publish.
func metric(namespace, name, statistic string, dimensions map[string]*string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: &namespace, MetricName: &name, Statistic: &statistic, DimensionsMap: &dimensions,
		Period: awscdk.Duration_Minutes(jsii.Number(metricMinutes)),
	})
}

func (w Workflow) metric(name string) awscloudwatch.Metric {
	return metric("AWS/States", name, "Sum", map[string]*string{"StateMachineArn": w.StateMachine.StateMachineArn()})
}

func (f Function) metric(name, statistic string) awscloudwatch.Metric {
	return metric("AWS/Lambda", name, statistic, map[string]*string{"FunctionName": f.FunctionName()})
}

// logMetric is a metric of the function's log group.
func (f Function) logMetric(name string) awscloudwatch.Metric {
	return metric("AWS/Logs", name, "Sum", map[string]*string{"LogGroupName": f.LogGroup().LogGroupName()})
}

func (p Pipe) metric(name string) awscloudwatch.Metric {
	return metric("AWS/EventBridge/Pipes", name, "Sum", map[string]*string{"PipeName": p.Name})
}

func queueMetric(queue awssqs.IQueue, name, statistic string) awscloudwatch.Metric {
	return metric("AWS/SQS", name, statistic, map[string]*string{"QueueName": queue.QueueName()})
}

func tableMetric(table awsdynamodb.ITable, name string) awscloudwatch.Metric {
	return metric("AWS/DynamoDB", name, "Sum", map[string]*string{"TableName": table.TableName()})
}

// metric is a metric that our functions publish.
func (s Settings) metric(of metrics.Metric, statistic string) awscloudwatch.Metric {
	return metric(metrics.Namespace, of.Name, statistic, s.dimensions())
}

func (s Settings) dimensions() map[string]*string {
	return map[string]*string{logging.Application: &s.Application, logging.Environment: &s.Environment}
}

// rejected is MessagesRejected for one reason.
func (s Settings) rejected(reason snapshot.Reason) awscloudwatch.Metric {
	dimensions := s.dimensions()
	dimensions[logging.Reason] = jsii.String(string(reason))
	return metric(metrics.Namespace, metrics.MessagesRejected.Name, "Sum", dimensions)
}
