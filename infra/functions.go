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
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/internal/store"
	"snapshot-status-checker/statemachine"
)

// Functions are the tasks of the state machine.
type Functions struct{ Increment, CheckCollection, CheckAll, Notify Function }

// NewFunctions makes the state machine's functions, with the environment and the rights for the resources they use.
func NewFunctions(scope constructs.Construct, id string, p parts) Functions {
	here := constructs.NewConstruct(scope, &id)
	f := Functions{
		Increment:       newFunction(here, "Increment", "increment", 512, 30, p),
		CheckCollection: newFunction(here, "CheckCollection", "check-collection", 256, 30, p),
		CheckAll:        newFunction(here, "CheckAll", "check-all", 256, 30, p),
		Notify:          newFunction(here, "Notify", "notify", 256, 30, p),
	}
	// GetItem: to adopt a row, it reads the row again, and the ledger's collection after it.
	f.Increment.usesExportStatus(p.tables.ExportStatus, "BatchGetItem", "GetItem", "UpdateItem")
	f.Increment.usesLedger(p.tables.Ledger, "BatchGetItem", "GetItem", "UpdateItem")
	f.Increment.sendsTo(p.queues.Rejected, "REJECTED_MESSAGES_QUEUE_URL")
	f.Increment.exempts(p.settings)
	f.Increment.countsBy(p.settings)
	if p.settings.WorkflowType == Standard {
		f.Increment.set("MAX_COLLECTIONS", strconv.Itoa(statemachine.MaxCollections))
	}

	f.CheckCollection.usesExportStatus(p.tables.ExportStatus, "GetItem", "UpdateItem")
	f.CheckCollection.usesLedger(p.tables.Ledger, "GetItem", "UpdateItem")
	f.CheckCollection.exempts(p.settings)
	f.CheckCollection.enqueues(p.settings)

	f.CheckAll.usesExportStatus(p.tables.ExportStatus, "GetItem", "Query")
	f.CheckAll.usesLedger(p.tables.Ledger, "GetItem", "UpdateItem")
	f.CheckAll.exempts(p.settings)
	f.CheckAll.enqueues(p.settings)

	f.Notify.usesLedger(p.tables.Ledger, "GetItem", "UpdateItem")
	f.Notify.sendsTo(p.queues.ExportState, "EXPORT_STATE_SQS_QUEUE_URL")
	f.Notify.publishesTo(p.topic, "MONITORING_SNS_TOPIC_ARN")
	return f
}

// Function is a Lambda function with a role of its own. For each kind of resource one method grants the right and sets
// the variable that names the resource.
type Function struct {
	awslambda.Function
	role     awsiam.Role
	key      Key
	memoryMB float64
}

func newFunction(scope constructs.Construct, id, task string, memoryMB, timeoutSeconds float64, p parts) Function {
	here := constructs.NewConstruct(scope, &id)
	s := p.settings
	name := s.StackName() + "-" + task
	logs := newLogGroup(here, "/aws/lambda/"+name, p.key)
	role := newServiceRole(here, "lambda.amazonaws.com", "Rights of the function "+task, nil)
	allow(role, logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")
	architecture := awslambda.Architecture_ARM_64()
	if s.Architecture == X8664 {
		architecture = awslambda.Architecture_X86_64()
	}
	var reserved *float64
	if calls, ok := s.ReservedConcurrency[task]; ok {
		reserved = jsii.Number(calls)
	}
	function := awslambda.NewFunction(here, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: &name,
		Description:  jsii.String("Task " + task + " of the snapshot sender's status checker"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(), Architecture: architecture,
		Code: awslambda.Code_FromAsset(jsii.String(p.functionsDir+"/"+task), nil), Handler: jsii.String("bootstrap"),
		MemorySize: &memoryMB, ReservedConcurrentExecutions: reserved,
		Timeout: awscdk.Duration_Seconds(&timeoutSeconds), Tracing: awslambda.Tracing_ACTIVE,
		LogGroup: logs, Role: role,
		Environment: &map[string]*string{
			"ENVIRONMENT": &s.Environment, "APPLICATION": &s.Application, "LOG_LEVEL": &s.LogLevel},
	})
	return Function{Function: function, role: role, key: p.key, memoryMB: memoryMB}
}

// newLogGroup makes a log group that keeps its lines for 30 days. It is deleted with the stack: its name is fixed, and
// the next deployment needs it free.
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

func (f Function) set(variable, value string) { f.AddEnvironment(&variable, &value, nil) }

func (f Function) countsBy(s Settings) { f.set("COUNT_BY", string(s.CountBy)) }

func (f Function) exempts(s Settings) { f.set("EXEMPT_STATUSES", strings.Join(s.ExemptStatuses, ",")) }

func (f Function) enqueues(s Settings) {
	f.set("LEASE_SECONDS", strconv.FormatFloat(lease(s).Seconds(), 'f', 0, 64))
}

// lease is how long the owner of an outgoing message has to deliver it.
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

// readsPipes lets the function read whether the pipes run.
func (f Function) readsPipes(pipes []Pipe, variable string) {
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
