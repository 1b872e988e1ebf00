package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// parts are the stack's parts in the order in which NewStack makes them: each is made from those above it.
type parts struct {
	settings      Settings
	functionsDir  string // holds <task>/bootstrap, built for the settings' architecture
	key           Key
	tables        Tables
	queues        Queues
	topic         awssns.ITopic // carries the notifications and alerts
	functions     Functions
	workflow      Workflow
	fileReceived  Pipe
	statusChanged Pipe // without a name if the table has no stream
	sweep         Function
}

// allFunctions lists the functions by the names that their alarms begin with.
func (p parts) allFunctions() []namedFunction {
	return []namedFunction{{"Increment", p.functions.Increment}, {"CheckCollection", p.functions.CheckCollection},
		{"CheckAll", p.functions.CheckAll}, {"Notify", p.functions.Notify}, {"Sweep", p.sweep}}
}

type namedFunction struct {
	name string
	Function
}

// pipes lists the pipes that the stack has.
func (p parts) pipes() []Pipe {
	if p.statusChanged.Name == nil {
		return []Pipe{p.fileReceived}
	}
	return []Pipe{p.fileReceived, p.statusChanged}
}

// NewStack makes the whole system as one stack. Its outputs are the names that outsiders use.
func NewStack(scope constructs.Construct, s Settings, functionsDir string) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(s.StackName()), &awscdk.StackProps{
		Description: jsii.String(
			"Counts the received files of snapshot sender runs and notifies when collections and runs are complete"),
		Tags: stackTags(s),
	})
	warnOfUnknown(stack, s)
	p := parts{settings: s, functionsDir: functionsDir, key: NewKey(stack, "Key", s)}
	p.tables = NewTables(stack, "Tables", p)
	p.queues = NewQueues(stack, "Queues", p)
	p.topic = NewMonitoringTopic(stack, "Monitoring", p)
	p.functions = NewFunctions(stack, "Functions", p)
	p.workflow = NewWorkflow(stack, "Workflow", p)
	p.fileReceived = NewFileReceivedPipe(stack, "FileReceivedPipe", p)
	p.statusChanged = NewStatusChangedPipe(stack, "StatusChangedPipe", p)
	p.sweep = NewSweep(stack, "Sweep", p)
	NewDashboard(stack, "Dashboard", p, NewAlarms(stack, "Alarms", p))
	NewQueries(stack, "Queries", p)

	output := func(name string, value *string, description string) {
		awscdk.NewCfnOutput(stack, &name, &awscdk.CfnOutputProps{Value: value, Description: &description})
	}
	output("FileReceivedQueueUrl", p.queues.FileReceived.QueueUrl(), "The queue for messages of received files")
	output("ExportStatusTableName", p.tables.ExportStatus.TableName(),
		"The table of collections, shared with exporter and sender")
	output("LedgerTableName", p.tables.Ledger.TableName(), "What was received, counted and delivered")
	output("ExportStateQueueUrl", p.queues.ExportState.QueueUrl(), "Requests for success files")
	output("MonitoringTopicArn", p.topic.TopicArn(), "Notifications and alerts about runs")
	output("RejectedMessagesQueueUrl", p.queues.Rejected.QueueUrl(),
		"Messages that could not be counted, with their reasons")
	output("StateMachineArn", p.workflow.StateMachine.StateMachineArn(), "The status checker's state machine")
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
