package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awspipes"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"snapshot-status-checker/statemachine"
)

// PipeProps are the ends of the pipes.
type PipeProps struct {
	Settings Settings
	Key      Key
	Tables   Tables
	Queues   Queues
	Workflow Workflow
}

// Pipe is a pipe for those who watch it.
type Pipe struct {
	ID          string  // begins the names of its alarms
	Name        *string // nil if there is no such pipe
	ARN         *string
	DeadLetters awssqs.IQueue // nil if its source has some of its own
}

// NewFileReceivedPipe starts the state machine with batches of the file-received queue: the array of SQS records as
// it is. There is no input template on purpose: Pipes would parse a body of JSON, and its raw text must stay
// untouched.
func NewFileReceivedPipe(scope constructs.Construct, id string, props PipeProps) Pipe {
	p := newPipe(scope, id, "file-received", props, props.Settings.WorkflowType == Express)
	queue := props.Queues.FileReceived.QueueArn()
	allow(p.role, queue, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
	props.Key.allowReceiving(p.role)
	made := p.run("Messages of received files to the status checker", queue,
		&awspipes.CfnPipe_PipeSourceParametersProperty{
			SqsQueueParameters: &awspipes.CfnPipe_PipeSourceSqsQueueParametersProperty{
				BatchSize:                      jsii.Number(props.Settings.BatchSize),
				MaximumBatchingWindowInSeconds: jsii.Number(props.Settings.BatchWindowSeconds),
			},
		})
	return Pipe{ID: id, Name: made.Ref(), ARN: made.AttrArn()}
}

// NewStatusChangedPipe starts the state machine with the changes of status in the export status table's stream that
// statemachine.StreamFilters passes. Its dead-letter queue is told of records for which no execution could be
// started: not the records themselves, but where they stand in the stream. Since the sweep finds the same collections,
// few retries are enough, and no bad record holds up the stream for long: a batch that fails is halved.
// A table without a stream has no such pipe: the sweep alone reconciles its rows.
func NewStatusChangedPipe(scope constructs.Construct, id string, props PipeProps) Pipe {
	stream := props.Tables.ExportStatus.TableStreamArn()
	if stream == nil {
		return Pipe{}
	}
	// a failed reconciliation is the sweep's, and must not hold up the stream
	p := newPipe(scope, id, "status-changed", props, false)
	deadLetters := newQueue(p.here, "DeadLetters", props.Key, awssqs.QueueProps{})
	allow(p.role, deadLetters.QueueArn(), "sqs:SendMessage")
	props.Key.ours().allowSending(p.role)
	allow(p.role, stream, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
	allow(p.role, jsii.String("*"), "dynamodb:ListStreams") // IAM knows no resource for it
	props.Key.allowReadingStream(p.role)

	var filters []any
	for _, pattern := range statemachine.StreamFilters(props.Settings.ExemptStatuses) {
		filters = append(filters, &awspipes.CfnPipe_FilterProperty{Pattern: &pattern})
	}
	made := p.run("Changes of status to the status checker", stream, &awspipes.CfnPipe_PipeSourceParametersProperty{
		FilterCriteria: &awspipes.CfnPipe_FilterCriteriaProperty{Filters: &filters},
		DynamoDbStreamParameters: &awspipes.CfnPipe_PipeSourceDynamoDBStreamParametersProperty{
			StartingPosition:               jsii.String("LATEST"),
			BatchSize:                      jsii.Number(10),
			MaximumBatchingWindowInSeconds: jsii.Number(1),
			MaximumRetryAttempts:           jsii.Number(5),
			OnPartialBatchItemFailure:      jsii.String("AUTOMATIC_BISECT"),
			DeadLetterConfig:               &awspipes.CfnPipe_DeadLetterConfigProperty{Arn: deadLetters.QueueArn()},
		},
	})
	return Pipe{ID: id, Name: made.Ref(), ARN: made.AttrArn(), DeadLetters: deadLetters}
}

// pipe is a pipe to the state machine in the making: its role still gets the rights on its source.
type pipe struct {
	here       constructs.Construct
	role       awsiam.Role
	invocation string
	machine    *string
	logs       *awspipes.CfnPipe_PipeLogConfigurationProperty
}

// newPipe makes what all pipes have. One that waits for an execution's end (request-response, which EXPRESS alone
// offers) returns its records to the source if that fails; one that does not is done with them once the start is
// accepted (fire-and-forget).
func newPipe(scope constructs.Construct, id, name string, props PipeProps, waits bool) pipe {
	p := pipe{here: constructs.NewConstruct(scope, &id), machine: props.Workflow.StateMachine.StateMachineArn()}
	logs := newLogGroup(p.here, "/aws/vendedlogs/pipes/"+props.Settings.StackName()+"-"+name, props.Key)
	p.logs = &awspipes.CfnPipe_PipeLogConfigurationProperty{
		Level: jsii.String("ERROR"),
		CloudwatchLogsLogDestination: &awspipes.CfnPipe_CloudwatchLogsLogDestinationProperty{
			LogGroupArn: logs.LogGroupArn()},
	}
	start := "states:StartExecution"
	p.invocation = "FIRE_AND_FORGET"
	if waits {
		p.invocation, start = "REQUEST_RESPONSE", "states:StartSyncExecution"
	}
	p.role = newServiceRole(p.here, "Role", "pipes.amazonaws.com", "What the pipe "+name+" may do",
		forThisAccount(p.here))
	allow(p.role, p.machine, start)
	allow(p.role, logs.LogGroupArn(), "logs:CreateLogStream", "logs:PutLogEvents")
	return p
}

// run makes the pipe itself.
func (p pipe) run(
	description string, source *string, parameters *awspipes.CfnPipe_PipeSourceParametersProperty,
) awspipes.CfnPipe {
	made := awspipes.NewCfnPipe(p.here, jsii.String("Pipe"), &awspipes.CfnPipeProps{
		Description:      &description,
		RoleArn:          p.role.RoleArn(),
		Source:           source,
		SourceParameters: parameters,
		Target:           p.machine,
		TargetParameters: &awspipes.CfnPipe_PipeTargetParametersProperty{
			StepFunctionStateMachineParameters: &awspipes.CfnPipe_PipeTargetStateMachineParametersProperty{
				InvocationType: &p.invocation},
		},
		LogConfiguration: p.logs,
	})
	made.Node().AddDependency(p.role) // with its policy: Pipes tries its rights when it is made
	return made
}
