package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/statemachine"
)

// FunctionsProps are what the functions are made of and what they use.
type FunctionsProps struct {
	Settings   Settings
	Key        Key
	Dir        string // holds <task>/bootstrap, built for the settings' architecture
	Tables     Tables
	Queues     Queues
	Monitoring Monitoring
}

// Functions are the tasks of the state machine.
type Functions struct {
	Increment       Function
	CheckCollection Function
	CheckAll        Function
	Notify          Function
}

// NewFunctions makes every function, with the environment and the rights of what it uses.
func NewFunctions(scope constructs.Construct, id string, props FunctionsProps) Functions {
	here := constructs.NewConstruct(scope, &id)
	f := Functions{
		Increment: newFunction(here, "Increment", "increment", limits{memoryMB: 512, seconds: 30}, props),
		CheckCollection: newFunction(here, "CheckCollection", "check-collection", limits{memoryMB: 256, seconds: 30},
			props),
		CheckAll: newFunction(here, "CheckAll", "check-all", limits{memoryMB: 256, seconds: 30}, props),
		Notify:   newFunction(here, "Notify", "notify", limits{memoryMB: 256, seconds: 30}, props),
	}
	// It reads the ledger's collection alone when it adopts a row: after the row.
	f.Increment.usesExportStatus(props.Tables.ExportStatus, "BatchGetItem", "GetItem", "UpdateItem")
	f.Increment.usesLedger(props.Tables.Ledger, "BatchGetItem", "GetItem", "UpdateItem")
	f.Increment.sendsTo(props.Queues.Rejected, "REJECTED_MESSAGES_QUEUE_URL")
	f.Increment.exempts(props.Settings)
	if props.Settings.WorkflowType == Standard {
		f.Increment.set("MAX_COLLECTIONS", strconv.Itoa(statemachine.MaxCollections))
	}

	f.CheckCollection.usesExportStatus(props.Tables.ExportStatus, "GetItem", "UpdateItem")
	f.CheckCollection.usesLedger(props.Tables.Ledger, "GetItem", "UpdateItem")
	f.CheckCollection.exempts(props.Settings)
	f.CheckCollection.enqueues(props.Settings)

	f.CheckAll.usesExportStatus(props.Tables.ExportStatus, "GetItem", "Query")
	f.CheckAll.usesLedger(props.Tables.Ledger, "GetItem", "UpdateItem")
	f.CheckAll.exempts(props.Settings)
	f.CheckAll.enqueues(props.Settings)

	f.Notify.usesLedger(props.Tables.Ledger, "GetItem", "UpdateItem")
	f.Notify.sendsTo(props.Queues.ExportState, "EXPORT_STATE_SQS_QUEUE_URL")
	f.Notify.publishesTo(props.Monitoring.Topic, "MONITORING_SNS_TOPIC_ARN")
	return f
}

// Function is a Lambda function with a role of its own. What it uses is told by one method each, which grants the
// right and sets the variable that names the resource.
type Function struct {
	awslambda.Function
	role     awsiam.Role
	key      Key
	memoryMB float64
}

// limits are a function's memory and the longest that a call may take.
type limits struct{ memoryMB, seconds float64 }

func newFunction(scope constructs.Construct, id, task string, limits limits, props FunctionsProps) Function {
	here := constructs.NewConstruct(scope, &id)
	name := props.Settings.StackName() + "-" + task
	logs := newLogGroup(here, "/aws/lambda/"+name, props.Key)
	role := newServiceRole(here, "Role", "lambda.amazonaws.com", "What the function "+task+" may do", nil)
	allow(role, logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")

	function := awslambda.NewFunction(here, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: &name,
		Description:  jsii.String("Task " + task + " of the snapshot sender's status checker"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: lambdaArchitecture(props.Settings.Architecture),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(props.Dir+"/"+task), &awss3assets.AssetOptions{}),
		MemorySize:   &limits.memoryMB,
		// Nil unless the context names the task.
		ReservedConcurrentExecutions: reserved(props.Settings, task),
		Timeout:                      awscdk.Duration_Seconds(&limits.seconds),
		Tracing:                      awslambda.Tracing_ACTIVE,
		LogGroup:                     logs,
		Role:                         role,
		Environment: &map[string]*string{
			"ENVIRONMENT": &props.Settings.Environment,
			"APPLICATION": &props.Settings.Application,
			"LOG_LEVEL":   &props.Settings.LogLevel,
		},
	})
	return Function{Function: function, role: role, key: props.Key, memoryMB: limits.memoryMB}
}

func reserved(s Settings, task string) *float64 {
	if number, ok := s.ReservedConcurrency[task]; ok {
		return jsii.Number(number)
	}
	return nil
}

func lambdaArchitecture(a Architecture) awslambda.Architecture {
	if a == X8664 {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

// newLogGroup makes a log group that keeps its lines for 30 days. It goes with the stack: its name is fixed, and a
// stack that is made again must find it free.
func newLogGroup(scope constructs.Construct, name string, key Key) awslogs.LogGroup {
	props := &awslogs.LogGroupProps{
		LogGroupName:  &name,
		Retention:     awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	}
	if key.given() {
		props.EncryptionKey = key.IKey
	}
	return awslogs.NewLogGroup(scope, jsii.String("Logs"), props)
}

// set gives the function an environment variable.
func (f Function) set(variable, value string) {
	f.AddEnvironment(&variable, &value, nil)
}

// exempts tells the function which statuses count as done.
func (f Function) exempts(s Settings) { f.set("EXEMPT_STATUSES", strings.Join(s.ExemptStatuses, ",")) }

// enqueues tells the function how long it has for delivering a message that it enqueues.
func (f Function) enqueues(s Settings) {
	f.set("LEASE_SECONDS", strconv.FormatFloat(lease(s).Seconds(), 'f', 0, 64))
}

// lease is how long the owner of a message has for delivering it.
func lease(s Settings) time.Duration {
	if s.WorkflowType == Express {
		return store.ExpressLease
	}
	return store.DefaultLease
}

func (f Function) usesExportStatus(table awsdynamodb.ITable, actions ...string) {
	f.usesTable(table, f.key, "DYNAMO_DB_EXPORT_STATUS_TABLE_NAME", actions...)
}

func (f Function) usesLedger(table awsdynamodb.ITable, actions ...string) {
	f.usesTable(table, f.key.ours(), "LEDGER_TABLE_NAME", actions...)
}

func (f Function) usesTable(table awsdynamodb.ITable, key Key, variable string, actions ...string) {
	f.set(variable, *table.TableName())
	for _, action := range actions {
		allow(f.role, table.TableArn(), "dynamodb:"+action)
	}
	key.allowTableUse(f.role)
}

func (f Function) sendsTo(queue awssqs.IQueue, variable string) {
	f.set(variable, *queue.QueueUrl())
	allow(f.role, queue.QueueArn(), "sqs:SendMessage")
	f.key.allowSending(f.role)
}

func (f Function) starts(machine awsstepfunctions.IStateMachine, variable string) {
	f.set(variable, *machine.StateMachineArn())
	allow(f.role, machine.StateMachineArn(), "states:StartExecution")
}

// watches lets the function ask whether the pipes run.
func (f Function) watches(pipes []Pipe, variable string) {
	var names []string
	for _, pipe := range pipes {
		names = append(names, *pipe.Name)
		allow(f.role, pipe.ARN, "pipes:DescribePipe")
	}
	f.set(variable, strings.Join(names, ","))
}

func (f Function) publishesTo(topic awssns.ITopic, variable string) {
	f.set(variable, *topic.TopicArn())
	allow(f.role, topic.TopicArn(), "sns:Publish")
	f.key.allowSending(f.role)
}
