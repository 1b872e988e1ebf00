package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// StackProps are the settings and the folder that holds <task>/bootstrap, built for the settings' architecture.
type StackProps struct {
	Settings     Settings
	FunctionsDir string
}

// NewStack makes the whole system as one stack, in the order in which a message meets it last to first, and names
// what outsiders use as its outputs.
func NewStack(scope constructs.Construct, props StackProps) awscdk.Stack {
	s := props.Settings
	stack := awscdk.NewStack(scope, jsii.String(s.StackName()), &awscdk.StackProps{
		Description: jsii.String(
			"Counts the files that arrived of snapshot sender runs and tells when collections and runs are complete"),
		Tags: stackTags(s),
	})
	warnOfUnknown(stack, s)
	key := NewKey(stack, "Key", s)
	tables := NewTables(stack, "Tables", TablesProps{Settings: s, Key: key})
	queues := NewQueues(stack, "Queues", QueuesProps{Settings: s, Key: key})
	monitoring := NewMonitoring(stack, "Monitoring", MonitoringProps{Settings: s, Key: key})
	parts := FunctionsProps{Settings: s, Key: key, Dir: props.FunctionsDir, Tables: tables, Queues: queues,
		Monitoring: monitoring}
	functions := NewFunctions(stack, "Functions", parts)
	workflow := NewWorkflow(stack, "Workflow", WorkflowProps{Settings: s, Key: key, Functions: functions,
		Queues: queues})
	sweep := NewSweep(stack, "Sweep", SweepProps{FunctionsProps: parts, Workflow: workflow})
	ends := PipeProps{Settings: s, Key: key, Tables: tables, Queues: queues, Workflow: workflow}
	watched := WatchedProps{Settings: s, Tables: tables, Queues: queues, Monitoring: monitoring, Functions: functions,
		Workflow: workflow, Sweep: sweep, FileReceived: NewFileReceivedPipe(stack, "FileReceivedPipe", ends),
		StatusChanged: NewStatusChangedPipe(stack, "StatusChangedPipe", ends)}
	sweep.watches(watched.pipes(), "PIPE_NAMES")
	NewDashboard(stack, "Dashboard", watched, NewAlarms(stack, "Alarms", watched))
	NewQueries(stack, "Queries", watched)

	output(stack, "FileReceivedQueueUrl", queues.FileReceived.QueueUrl(),
		"Where messages of received files are sent to")
	output(stack, "ExportStatusTableName", tables.ExportStatus.TableName(),
		"The table of collections, shared with exporter and sender")
	output(stack, "LedgerTableName", tables.Ledger.TableName(), "What was received, counted and delivered")
	output(stack, "ExportStateQueueUrl", queues.ExportState.QueueUrl(), "Requests for success files")
	output(stack, "MonitoringTopicArn", monitoring.Topic.TopicArn(), "Notifications and alerts about runs")
	output(stack, "RejectedMessagesQueueUrl", queues.Rejected.QueueUrl(),
		"Messages that could not be counted, with their reasons")
	output(stack, "StateMachineArn", workflow.StateMachine.StateMachineArn(), "The status checker itself")
	return stack
}

func stackTags(s Settings) *map[string]*string {
	tags := map[string]*string{}
	for name, value := range map[string]string{"application": s.Application, "environment": s.Environment} {
		if !hasTag(s.Tags, name) {
			tags[name] = &value
		}
	}
	for name, value := range s.Tags {
		tags[name] = &value
	}
	return &tags
}

func output(stack awscdk.Stack, name string, value *string, description string) {
	awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value, Description: &description})
}
