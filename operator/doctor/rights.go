package doctor

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// need is what the role of a part must be allowed to do with a resource.
type need struct{ part, resource, actions string }

// The parts and resources whose names differ from those of their findings.
const (
	ofMessages, ofChanges   = "pipe of messages", "pipe of changes"
	statusTable, ledger     = "export status table", "ledger"
	fileQueue, statusStream = "file-received queue", "stream of the export status table"
	changesDeadLetters      = "dead-letter queue of the pipe of changes"
	machineARN              = "state machine"
	// by the pipe of messages: STANDARD, EXPRESS
	started, awaited = "state machine, started", "state machine, waited for"
	thatOfMessages   = "the pipe of messages itself" // as a resource
	thatOfChanges    = "the pipe of changes itself"
	customerKey      = "customer managed key"
	anything         = "*" // for actions that IAM knows no resource for
)

func logsOf(part string) string { return "log group of " + part }
func roleOf(part string) string { return "role of " + part }

const (
	writesLogs  = "logs:CreateLogStream logs:PutLogEvents"
	writesTrace = "xray:PutTelemetryRecords xray:PutTraceSegments"
	usesTables  = "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom kms:ReEncryptTo"
)

// needs is everything that the stack grants (infra/). A test compares it with a deployed stack, in both directions.
var needs = []need{
	{"function increment", statusTable, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem"},
	{"function increment", ledger, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem"},
	{"function increment", "rejected-messages queue", "sqs:SendMessage"},
	{"function increment", logsOf("function increment"), writesLogs},
	{"function increment", anything, writesTrace},
	{"function increment", customerKey, usesTables},

	{"function check-collection", statusTable, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function check-collection", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function check-collection", logsOf("function check-collection"), writesLogs},
	{"function check-collection", anything, writesTrace},
	{"function check-collection", customerKey, usesTables},

	{"function check-all", statusTable, "dynamodb:GetItem dynamodb:Query"},
	{"function check-all", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function check-all", logsOf("function check-all"), writesLogs},
	{"function check-all", anything, writesTrace},
	{"function check-all", customerKey, usesTables},

	{"function notify", ledger, "dynamodb:GetItem dynamodb:UpdateItem"},
	{"function notify", "export state queue", "sqs:SendMessage"},
	{"function notify", "monitoring topic", "sns:Publish"},
	{"function notify", logsOf("function notify"), writesLogs},
	{"function notify", anything, writesTrace},
	{"function notify", customerKey, usesTables},

	{"function sweep", statusTable, "dynamodb:Query"},
	{"function sweep", ledger, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem"},
	{"function sweep", machineARN, "states:StartExecution"},
	{"function sweep", "monitoring topic", "sns:Publish"},
	{"function sweep", thatOfMessages, "pipes:DescribePipe"},
	{"function sweep", thatOfChanges, "pipes:DescribePipe"},
	{"function sweep", logsOf("function sweep"), writesLogs},
	{"function sweep", anything, writesTrace},
	{"function sweep", customerKey, usesTables},

	{"schedule of the sweep", "function sweep", "lambda:InvokeFunction"},

	{"state machine", "function increment", "lambda:InvokeFunction"},
	{"state machine", "function check-collection", "lambda:InvokeFunction"},
	{"state machine", "function check-all", "lambda:InvokeFunction"},
	{"state machine", "function notify", "lambda:InvokeFunction"},
	{"state machine", "rejected-messages queue", "sqs:SendMessage"},
	{"state machine", anything,
		"logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies " +
			"logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery"},
	{"state machine", anything, writesTrace + " xray:GetSamplingRules xray:GetSamplingTargets"},
	{"state machine", customerKey, "kms:Decrypt kms:GenerateDataKey"},

	{ofMessages, fileQueue, "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"},
	{ofMessages, started, "states:StartExecution"},
	{ofMessages, awaited, "states:StartSyncExecution"},
	{ofMessages, logsOf(ofMessages), writesLogs},
	{ofMessages, customerKey, "kms:Decrypt"},

	{ofChanges, statusStream, "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator"},
	{ofChanges, anything, "dynamodb:ListStreams"},
	{ofChanges, machineARN, "states:StartExecution"},
	{ofChanges, changesDeadLetters, "sqs:SendMessage"},
	{ofChanges, logsOf(ofChanges), writesLogs},
	{ofChanges, customerKey, "kms:Decrypt kms:DescribeKey kms:GenerateDataKey"},
}

// learn remembers the ARN of a resource or of a part's role. An empty one is unknown.
func (e *examination) learn(name, arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.arns[name] = arn
}

// learnNames remembers the ARNs that follow from the deployment's names.
func (e *examination) learnNames() {
	e.learn(anything, "*")
	e.learn("monitoring topic", e.MonitoringTopicArn)
	e.learn(machineARN, e.StateMachineArn)
	if e.express() {
		e.learn(awaited, e.StateMachineArn)
	} else {
		e.learn(started, e.StateMachineArn)
	}
	machine, err := arn.Parse(e.StateMachineArn)
	if err != nil {
		return
	}
	logs := func(part, group string) {
		stream := "log-group:" + group + ":log-stream:any"
		e.learn(logsOf(part), arn.ARN{Partition: machine.Partition, Service: "logs", Region: machine.Region,
			AccountID: machine.AccountID, Resource: stream}.String())
	}
	for task := range e.uses() {
		logs("function "+task, "/aws/lambda/"+e.FunctionName(task))
	}
	stack := strings.TrimSuffix(e.FunctionName(""), "-")
	logs(ofMessages, "/aws/vendedlogs/pipes/"+stack+"-file-received")
	logs(ofChanges, "/aws/vendedlogs/pipes/"+stack+"-status-changed")
}

// questions are the needs of the known roles on the known resources.
func (e *examination) questions() (all []question) {
	for _, n := range needs {
		role, resource := e.arns[roleOf(n.part)], e.arns[n.resource]
		if role != "" && resource != "" {
			all = append(all, question{part: n.part, role: role, resource: resource,
				actions: strings.Fields(n.actions)})
		}
	}
	return all
}
